import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { namespaceFile } from '../../src/connection/isolation/network.ts';
import { toolEnvironment } from '../../src/connection/isolation/run-tool.ts';
import { type NetworkAgent, startAgent } from './network-agent.ts';
import { type Programs, readableSources } from './readable-sources.ts';
import { until } from './until.ts';

/** The user that gateways of these tests run as. */
export const nobody = { name: 'nobody', uid: 65_534 } as const;

/** Addresses of a site. All chargers have the same network, as chargers do that nobody has set up. */
export const at = {
  /** The gateway, in each network of a charger; and the machine of a site with a switch. */
  gateway: '192.168.1.1',
  gateway6: 'fd00:1::1',
  /** The machine of the gateway, towards the Internet. */
  site: '198.51.100.1',
  site6: '2001:db8::1',
  /** The Internet: a host that has the CSMS, and everything else. */
  uplink: '198.51.100.2',
  uplink6: '2001:db8::2',
} as const;

/** A port at which a host of a site greets with its own name, whoever comes. */
export const greetingPort = 7000;
export const csmsPort = 9000;
/** On the machine of the gateway, and no part of Gatewatt. */
export const strayPort = 7777;
export const adminPort = 8099;

/** One of the chargers, and its cable. */
export interface SiteCharger {
  readonly namespace: string;
  /** The end of its cable at the gateway. */
  readonly interface: string;
  readonly gatewayMac: string;
  readonly mac: string;
  readonly address: string;
  readonly address6: string;
}

/**
 * A machine for the gateway, chargers with a cable to it each, and a host that stands for the
 * Internet, each in a network namespace of its own. No packet leaves them.
 */
export interface ChargerSite {
  /** Is in the names and on the command lines of all that belongs to the site. */
  readonly mark: string;
  /** Whoever runs may read it; `data` in it belongs to `nobody`. */
  readonly folder: string;
  /** What `nobody` can run. */
  readonly programs: Programs;
  /** The machine of the gateway. */
  readonly machine: string;
  readonly uplink: string;
  readonly chargers: readonly SiteCharger[];
  /** What goes into `isolation.namespacePrefix`. */
  readonly prefix: string;
  agent(namespace: string): Promise<NetworkAgent>;
  /** Runs a program on the machine of the gateway. */
  run(...words: readonly [string, ...string[]]): Promise<string>;
  /** Makes the cable of a charger, which may have been cut; its address is set, its end is on. */
  plugIn(charger: SiteCharger): Promise<void>;
  /** Ends whatever runs in there, and removes all of it. @throws Error when something is left. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a site may have otherwise. */
export interface SiteOptions {
  readonly chargers: number;
  /** All cables end in a switch of that machine, which is a router as well: nobody is isolated. */
  readonly hasSwitch?: boolean;
}

/**
 * Ends what runs in the namespaces with that mark and removes them, when the pipe to its standard
 * input closes: this process may be killed at any time and must leave nothing behind.
 */
const janitor = `
  cat >/dev/null
  mark=$1; folder=$2
  all() { for file in /run/netns/"$mark"-*; do [ ! -e "$file" ] || echo "\${file##*/}"; done; }
  while pids=$(for name in $(all); do ip netns pids "$name"; done); [ -n "$pids" ]; do
    kill -KILL $pids 2>/dev/null
    sleep 0.05
  done
  for name in $(all); do ip netns delete "$name"; done
  rm -rf "$folder"
`;

/** Builds a site. */
export async function buildSite({ chargers: count, hasSwitch }: SiteOptions): Promise<ChargerSite> {
  const mark = `gwt${randomBytes(4).toString('hex')}`;
  const folder = await mkdtemp(path.join(tmpdir(), `${mark}-`));
  await chmod(folder, 0o755);
  await mkdir(path.join(folder, 'data'));
  await chown(path.join(folder, 'data'), nobody.uid, nobody.uid);
  const chargers = Array.from({ length: count }, (_, index): SiteCharger => {
    const host = hasSwitch === true ? 11 + index : 10;
    return {
      namespace: `${mark}-c${index + 1}`,
      interface: `g${index + 1}`,
      gatewayMac: `02:00:00:00:01:0${index + 1}`,
      mac: `02:00:00:00:02:0${index + 1}`,
      address: `192.168.1.${host}`,
      address6: `fd00:1::${host}`,
    };
  });
  const [machine, uplink] = [`${mark}-site`, `${mark}-uplink`];
  const cleaner = spawn('sh', ['-c', janitor, 'sh', mark, folder], {
    env: toolEnvironment,
    // A signal to the group of this process must not reach it.
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  cleaner.unref();
  const agents: NetworkAgent[] = [];
  const site: ChargerSite = {
    mark,
    programs: await readableSources(folder, nobody.uid),
    folder,
    machine,
    uplink,
    chargers,
    prefix: `${mark}-net-`,
    agent: async (namespace) => {
      const agent = await startAgent(namespace, mark);
      agents.push(agent);
      return agent;
    },
    run: (...words) => runIn(machine, ...words),
    plugIn: (charger) => plugIn(machine, charger, hasSwitch === true),
    [Symbol.asyncDispose]: async () => {
      for (const agent of agents) agent.end();
      const gone = once(cleaner, 'exit');
      cleaner.ref();
      cleaner.stdin.end();
      await gone;
      await untilGone(mark);
    },
  };
  try {
    await build(site, hasSwitch === true);
    return site;
  } catch (error) {
    await site[Symbol.asyncDispose]();
    throw error;
  }
}

async function build(site: ChargerSite, hasSwitch: boolean): Promise<void> {
  const { chargers, machine, uplink } = site;
  const all = [machine, uplink, ...chargers.map(({ namespace }) => namespace)];
  await runHere('ip', all.map((name) => `netns add ${name}`).join('\n'));
  const settings = [
    // An address counts at once: nobody in there is asked whether he has it.
    ['ipv6/conf/default/accept_dad', 0],
    // An answer to somebody who does not exist must not come again while something else is looked at.
    ['ipv4/tcp_synack_retries', 0],
  ];
  const script = settings.map(([name, value]) => `echo ${value} >/proc/sys/net/${name}`).join('; ');
  await Promise.all(all.map((name) => runIn(name, 'sh', '-c', script)));
  await ipIn(machine, [
    'link set lo up',
    `link add up0 type veth peer name w0 netns ${uplink}`,
    `address add ${at.site}/24 dev up0`,
    `address add ${at.site6}/64 dev up0 nodad`,
    'link set up0 up',
    `route add default via ${at.uplink}`,
    ...(hasSwitch
      ? [
          'link add br0 type bridge',
          `address add ${at.gateway}/24 dev br0`,
          `address add ${at.gateway6}/64 dev br0 nodad`,
          'link set br0 up',
        ]
      : []),
  ]);
  await ipIn(uplink, [
    'link set lo up',
    `address add ${at.uplink}/24 dev w0`,
    `address add ${at.uplink6}/64 dev w0 nodad`,
    'link set w0 up',
    // So that an answer would find its way.
    `route add default via ${at.site}`,
    `route add ::/0 via ${at.site6}`,
  ]);
  if (hasSwitch) {
    const router =
      'for f in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 1 >/proc/sys/net/$f; done';
    await site.run('sh', '-c', router);
  }
  await Promise.all(chargers.map((charger) => site.plugIn(charger)));
}

async function plugIn(machine: string, charger: SiteCharger, hasSwitch: boolean): Promise<void> {
  const { gatewayMac, interface: name, mac, namespace } = charger;
  await ipIn(machine, [
    `link add ${name} address ${gatewayMac} type veth peer name e0 address ${mac} netns ${namespace}`,
    ...(hasSwitch ? [`link set ${name} master br0`, `link set ${name} up`] : []),
  ]);
  await ipIn(namespace, [
    'link set lo up',
    `address add ${charger.address}/24 dev e0`,
    `address add ${charger.address6}/64 dev e0 nodad`,
    'link set e0 up',
    `route add default via ${at.gateway}`,
    `route add ::/0 via ${at.gateway6}`,
  ]);
}

/** Several commands of iproute2 at once, in a namespace. */
export async function ipIn(namespace: string, lines: readonly string[]): Promise<void> {
  await runHere('ip', lines.join('\n'), ['-n', namespace]);
}

function runHere(program: 'ip', input: string, words: readonly string[] = []): Promise<string> {
  return execute([program, ...words, '-batch', '-'], `${input}\n`);
}

/** Runs a program in a namespace; rejects when it fails. */
export function runIn(
  namespace: string,
  ...words: readonly [string, ...string[]]
): Promise<string> {
  return execute(['nsenter', `--net=${namespaceFile(namespace)}`, '--', ...words]);
}

/** Gives a program in a namespace something to read. */
export function feedIn(
  namespace: string,
  input: string,
  ...words: readonly [string, ...string[]]
): Promise<string> {
  return execute(['nsenter', `--net=${namespaceFile(namespace)}`, '--', ...words], input);
}

function execute([program = '', ...words]: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, words, { timeout: 30_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${words.join(' ')}: ${stderr}`, { cause: error }));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** What is there of the site with that mark: namespaces, folders and processes. */
export async function remainsOf(mark: string): Promise<readonly string[]> {
  const has = (name: string): boolean => name.includes(mark);
  const namespaces = (await readdir('/run/netns')).filter(has);
  const folders = (await readdir(tmpdir())).filter(has);
  const processes: string[] = [];
  for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const text = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
    if (Number(id) !== process.pid && has(text)) processes.push(`${id}: ${text}`);
  }
  return [...namespaces, ...folders, ...processes];
}

/** Waits until nothing is left of it. */
export async function untilGone(mark: string): Promise<void> {
  let remains: readonly string[] = [];
  await until(
    async () => {
      remains = await remainsOf(mark);
      return remains.length === 0;
    },
    () => `left behind: ${remains.join(', ')}`,
  );
}
