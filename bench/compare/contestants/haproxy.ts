import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeTemporaryFolder } from '../measured-process.ts';
import type { ServerCertificate, Transport } from '../transport.ts';
import type { Contestant } from './contestant.ts';
import { installedVersion } from './installed-version.ts';
import { freePort, startOnPort } from './on-port.ts';

/** HAProxy as a proxy for WebSockets, with one thread. */
export const haproxy: Contestant = {
  name: 'haproxy',
  description: 'HAProxy with one thread, which forwards bytes and keeps no log',
  version: () => installedVersion('haproxy', ['-v'], /version (\S+)/),
  start: async (csmsUrl, transport, { certificate }) => {
    const port = await freePort();
    const file = path.join(makeTemporaryFolder(), 'haproxy.cfg');
    writeFileSync(file, configuration(port, new URL(csmsUrl), transport, certificate));
    return startOnPort(port, transport, 'haproxy', ['-f', file, '-db', '-q']);
  },
};

function configuration(
  port: number,
  csms: URL,
  transport: Transport,
  { bundleFile }: ServerCertificate,
): string {
  const tls = transport === 'tls' ? ` ssl crt ${bundleFile} ssl-min-ver TLSv1.3` : '';
  return `
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend chargers
  bind 127.0.0.1:${port}${tls}
  http-request replace-path /ocpp/(.*) ${csms.pathname}/\\1
  default_backend csms
backend csms
  server csms ${csms.host}
`;
}
