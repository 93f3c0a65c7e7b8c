import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { OcppVersion } from '../../src/ocpp/version.ts';
import {
  type SimulatedCharger,
  type SimulatedChargerOptions,
  startSimulatedCharger,
} from '../../src/sim/charger/charger.ts';
import {
  type SimulatedCsms,
  type SimulatedCsmsOptions,
  startSimulatedCsms,
} from '../../src/sim/csms/csms.ts';
import { type FrameJudge, frameJudge } from './frame-judge.ts';

/** A charger and a CSMS that talk over loopback. */
export interface Pair {
  readonly charger: SimulatedCharger;
  readonly csms: SimulatedCsms;
  /** Of the traffic that the CSMS sees. */
  readonly judge: FrameJudge;
}

/** Everything that takes seconds in the field takes hundredths here. */
export const quick = {
  rebootSeconds: 0.01,
  stepSeconds: 0.01,
  meterIntervalSeconds: 0.03,
  callTimeoutSeconds: 5,
  backOff: { waitSecondsMin: 0.01, waitSecondsMax: 0.05, randomSecondsMax: 0.01 },
} as const;

/** Runs `test` with a charger that has booted, and closes both whatever happens. */
export async function withPair(
  version: OcppVersion,
  test: (pair: Pair) => Promise<void>,
  options: {
    readonly charger?: Partial<SimulatedChargerOptions>;
    readonly csms?: Partial<SimulatedCsmsOptions>;
  } = {},
): Promise<void> {
  const clock = systemClock();
  const random = seededRandom(7);
  const judge = frameJudge();
  const csms = await startSimulatedCsms({
    clock,
    random,
    onTraffic: judge.observe,
    ...options.csms,
  });
  const charger = startSimulatedCharger({
    clock,
    random,
    url: csms.url,
    identity: 'CP-1',
    version,
    ...quick,
    ...options.charger,
  });
  try {
    await charger.connected();
    await test({ charger, csms, judge });
  } finally {
    await charger.close();
    await csms.close();
  }
}

/** Resolves when `condition` holds; looks again after every turn of the event loop, and a pause. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const clock = systemClock();
  const deadlineMs = clock.elapsedMs() + 5000;
  while (!condition()) {
    if (clock.elapsedMs() > deadlineMs) throw new Error(`waited 5 s until ${what}`);
    await new Promise<void>((resolve) => {
      clock.after(2, resolve);
    });
  }
}
