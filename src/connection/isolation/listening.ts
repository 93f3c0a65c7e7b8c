import type { IsolatedNetwork } from './network.ts';
import { runInside } from './run-tool.ts';

/** Does anybody take connections at the port of the listener in there? */
export async function isListening({ namespace, port }: IsolatedNetwork): Promise<boolean> {
  const files = ['/proc/net/tcp', '/proc/net/tcp6'];
  const script = files.map((file) => `[ ! -e ${file} ] || cat ${file}`).join('; ');
  const text = await runInside(namespace, ['sh', '-c', script]);
  // Linux, Documentation/networking/proc_net_tcp: local address and port, the remote ones, the
  // state, all in hexadecimal; 0A is LISTEN.
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return text
    .split('\n')
    .some((line) => new RegExp(`^\\s*\\d+: [0-9A-F]+:${wanted} [0-9A-F]+:0000 0A `).test(line));
}
