/**
 * What it takes to give each of many chargers a namespace of its own: `gatewatt network up`, doing it
 * a second time, and `gatewatt serve` until it listens in all of them. Everything happens in a
 * namespace that this makes and deletes; nothing else on the machine is touched.
 *
 *   npm run bench:network [-- --networks 200]       (root, iproute2, nftables)
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';

const { values } = parseArgs({ options: { networks: { type: 'string', default: '200' } } });
const count = Number(values.networks);
const site = `gwbench-${process.pid}`;
const chargers = `${site}-far`;
const main = fileURLToPath(new URL('../src/cmd/main.ts', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'gatewatt-network-'));
// The gateway runs as another user, and makes its folder of data here.
chmodSync(folder, 0o777);
const configFile = path.join(folder, 'gatewatt.yaml');

const listener = { name: 'field', securityProfile: 0, allowUnauthenticated: true };
const bindings = Array.from({ length: count }, (_, index) => ({
  name: `bay-${index}`,
  interface: `gwb${index}`,
  addresses: ['192.168.1.1/24'],
  listener: 'field',
  port: 8080,
  chargers: [`CP-${index}`],
}));
writeFileSync(
  configFile,
  stringify({
    gateway: { dataDir: 'data' },
    listeners: [listener],
    csms: { url: 'ws://127.0.0.1:9/csms' },
    admin: { address: '127.0.0.1:0' },
    isolation: { user: 'nobody', namespacePrefix: `${site}-`, stateDir: 'state', bindings },
  }),
);

const inSite = (...words: readonly string[]): readonly string[] => [
  ...[`--net=/run/netns/${site}`, '--', process.execPath, main],
  ...words,
];

function timed(what: string, ...words: readonly string[]): void {
  const startedMs = performance.now();
  execFileSync('nsenter', [...inSite(...words), '-c', configFile], { stdio: 'ignore' });
  say(what, performance.now() - startedMs);
}

function say(what: string, ms: number): void {
  process.stdout.write(
    `${what}: ${(ms / 1000).toFixed(1)} s, ${(ms / count).toFixed(0)} ms each\n`,
  );
}

/** Until all are served. */
async function serve(): Promise<void> {
  const startedMs = performance.now();
  const child = spawn('nsenter', [...inSite('serve', '-c', configFile)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let served = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('"IsolatedNetworkServed"')) served += 1;
    if (served < count) continue;
    say('gatewatt serve, until it listens in all of them', performance.now() - startedMs);
    child.kill('SIGTERM');
    served = 0;
  }
}

const [cpu] = cpus();
process.stdout.write(
  `${cpu?.model}, ${availableParallelism()} cores, Node ${process.version}; ${count} networks\n`,
);
execFileSync('ip', ['netns', 'add', site]);
execFileSync('ip', ['netns', 'add', chargers]);
try {
  const links = bindings.map((it, index) => {
    return `link add ${it.interface} type veth peer name e${index} netns ${chargers}\n`;
  });
  execFileSync('ip', ['-n', site, '-batch', '-'], { input: links.join('') });
  timed('gatewatt network up', 'network', 'up');
  timed('gatewatt network up, a second time', 'network', 'up');
  await serve();
  timed('gatewatt network down', 'network', 'down');
} finally {
  execFileSync('ip', ['netns', 'delete', site]);
  execFileSync('ip', ['netns', 'delete', chargers]);
  rmSync(folder, { recursive: true, force: true });
}
