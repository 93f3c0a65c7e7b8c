import assert from 'node:assert/strict';
import {
  at,
  buildSite,
  type ChargerSite,
  csmsPort,
  greetingPort,
  strayPort,
} from '../../support/charger-site.ts';
import type { NetworkAgent } from '../../support/network-agent.ts';
import { until } from '../../support/until.ts';
import type { ThreeChargers } from './attack-frames.ts';
import { arrivedAt, refusedIn, type Watch, type Watched, watchStrangers } from './attacker.ts';

/** Of the attacker's network. */
export const redirectPorts = [80, 443];
/** Whoever speaks HTTP answers at once. */
export const request = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
/** What a probe gets that has reached somebody. */
export const reached = /^(?:hello from .*|HTTP\/1\.1 4.*)$/;

/** A site with an attacker and those whom it could harm. */
export interface Scene {
  readonly site: ChargerSite;
  /** In the networks of the site: attacker, its victims, the gateway's machine, the Internet. */
  readonly attacker: NetworkAgent;
  readonly victims: readonly [NetworkAgent, NetworkAgent];
  readonly machine: NetworkAgent;
  readonly internet: NetworkAgent;
  readonly watch: Watch;
  readonly chargers: ThreeChargers;
}

/** What an attacker could want to connect to. */
export interface Target {
  readonly place: Watched;
  readonly address: string;
  readonly port: number;
}

/** No packet of a stranger, anywhere. */
export const nothing = { 'charger 2': 0, 'charger 3': 0, 'the Internet': 0, 'the machine': 0 };

/** Packets that must have come to the attacker's network, and how many the rules have refused. */
interface Traces {
  readonly arrived: number;
  /** Those to addresses of the gateway: the rest goes nowhere, which needs no rule. */
  readonly refused: number;
}

/** Does something that no packet of a stranger may come of anywhere. */
export async function quietly(
  { chargers: [{ interface: name }], site, watch }: Scene,
  attack: () => Promise<Traces>,
): Promise<void> {
  const namespace = `${site.prefix}bay-1`;
  const counts = async (): Promise<Traces> => ({
    arrived: await arrivedAt(namespace, name),
    refused: await refusedIn(namespace),
  });
  await watch.since();
  const before = await counts();
  const least = await attack();
  const after = await counts();
  for (const key of ['arrived', 'refused'] as const) {
    const count = after[key] - before[key];
    assert(count >= least[key], `${count} packets have ${key}, not ${least[key]}`);
  }
  assert.deepEqual(await watch.since(), nothing);
}

export function isGateway(address: string): boolean {
  return address === at.gateway || address === at.gateway6;
}

export function describe({ address, place, port }: Target): string {
  return `${place}, ${address} port ${port}`;
}

export async function setScene(): Promise<Scene> {
  const site = await buildSite({ chargers: 3, hasSwitch: true });
  try {
    const [first, second, third] = site.chargers;
    assert(first !== undefined && second !== undefined && third !== undefined);
    const [attacker, victim2, victim3, machine, internet] = await Promise.all([
      ...[first, second, third].map(({ namespace }) => site.agent(namespace)),
      site.agent(site.machine),
      site.agent(site.uplink),
    ]);
    assert(attacker && victim2 && victim3 && machine && internet);
    await attacker.do('listen', greetingPort, 'hello from charger 1');
    await victim2.do('listen', greetingPort, 'hello from charger 2');
    await victim3.do('listen', greetingPort, 'hello from charger 3');
    await machine.do('listen', strayPort, 'hello from the machine');
    for (const port of [greetingPort, ...redirectPorts]) {
      await internet.do('listen', port, 'hello from the Internet');
    }
    await internet.do('csms', csmsPort);
    // IPv6 takes a while to find out that a cable is plugged in.
    await untilConnected(machine, at.uplink6, greetingPort);
    for (const charger of [attacker, victim2, victim3]) {
      await untilConnected(charger, at.gateway6, strayPort);
    }
    const watch = await watchStrangers(site);
    const chargers = [first, second, third] as const;
    return { site, attacker, victims: [victim2, victim3], machine, internet, watch, chargers };
  } catch (error) {
    await site[Symbol.asyncDispose]();
    throw error;
  }
}

function untilConnected(agent: NetworkAgent, address: string, port: number): Promise<void> {
  return until(
    async () => (await agent.do('connect', address, port)).startsWith('hello'),
    () => `${address} is reached`,
  );
}

export function targetsOf({ chargers: [, second, third] }: Scene): readonly Target[] {
  const both = (place: Watched, addresses: readonly string[], port: number): readonly Target[] =>
    addresses.map((address) => ({ place, address, port }));
  return [
    ...both('charger 2', [second.address, second.address6], greetingPort),
    ...both('charger 3', [third.address, third.address6], greetingPort),
    ...both('the Internet', [at.uplink, at.uplink6], greetingPort),
    ...both('the Internet', [at.uplink, at.uplink6], csmsPort),
    ...both('the machine', [at.gateway, at.gateway6, at.site, at.site6], strayPort),
  ];
}
