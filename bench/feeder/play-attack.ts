import { rampOptions } from '../../src/cmd/ramp-options.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { RampOptions } from '../../src/ramp-limit/ramp-options.ts';
import { type FeederAttack, limitOf, startOf } from './attacks.ts';
import { type LoadEvent, type WorstWindow, worstWindow } from './meter.ts';
import { type CsmsAnswer, type FeederSite, openFeederSite } from './site.ts';

/** Chargers of the simulated feeder, and what each takes. */
export const feederChargers = 200;
/** In W: a three-phase charger with 32 A. */
export const chargerW = 22_000;
/** The budget of the simulated feeder, up and down, in kW for each interval. */
export const budgetKw = 150;
/** The interval of the budget, in seconds. */
export const intervalSeconds = 10;

/** What an attack did to the feeder. */
export interface AttackResult {
  readonly worst: WorstWindow;
  /** Steps since the attack began, with times in milliseconds from then. */
  readonly steps: readonly LoadEvent[];
  /** The load when it began, in W. */
  readonly startW: number;
  /** What the CSMS heard, in the order of the commands; undefined for what it did not hear at all. */
  readonly answers: readonly (CsmsAnswer | undefined)[];
  /** When the last step happened, in seconds. */
  readonly lastStepSeconds: number;
  readonly events: FeederSite['events'];
}

/** The configuration of the simulated feeder. */
export function feederRampOptions(changes: Readonly<Record<string, unknown>> = {}): RampOptions {
  const config = parseConfig(
    JSON.stringify({
      listeners: [
        { name: 'f', address: '127.0.0.1:0', securityProfile: 0, allowUnauthenticated: true },
      ],
      csms: { url: 'ws://127.0.0.1/' },
      rampLimit: {
        feeders: [
          {
            name: 'north',
            chargers: ['CP-*'],
            intervalSeconds,
            maxUpKwPerInterval: budgetKw,
            maxDownKwPerInterval: budgetKw,
          },
        ],
        ...changes,
      },
    }),
  );
  if (!config.ok) throw new Error(config.error.map(({ message }) => message).join('; '));
  return rampOptions(config.value);
}

/** Plays an attack against a feeder, with a gateway or without one. */
export async function playAttack(
  attack: FeederAttack,
  ramp: RampOptions | undefined,
  options: { readonly seed: number; readonly count?: number },
): Promise<AttackResult> {
  const { count = feederChargers, seed } = options;
  const { answers: ready, version } = attack;
  await using site = await openFeederSite({
    count,
    ratedW: chargerW,
    ramp,
    seed,
    ...(version !== undefined && { version }),
    answer: (_, action) => ready?.[action],
  });
  await prepare(site, attack);
  const startMs = site.clock.nowMs();
  const startW = site.meter.loadW;
  const commands = [...attack.commands(site)].sort((one, other) => one.atSeconds - other.atSeconds);
  const heard: (CsmsAnswer | undefined)[] = commands.map(() => undefined);
  for (const [index, command] of commands.entries()) {
    const dueMs = startMs + command.atSeconds * 1000;
    const waitMs = Math.floor((dueMs - site.clock.nowMs()) / 100) * 100;
    if (waitMs > 0) await site.pass(waitMs);
    if (command.from === 'charger') {
      site.callCsms(command.index, ...command.make());
      continue;
    }
    // Not waited for: an attacker does not.
    void site.call(command.index, ...command.make()).then((answer) => {
      heard[index] = answer;
    });
  }
  await site.pass(startMs + attack.watchSeconds * 1000 - site.clock.nowMs());
  const since = site.meter.events.filter(({ atMs }) => atMs >= startMs);
  const steps = since.map(({ atMs, deltaW }) => ({ atMs: atMs - startMs, deltaW }));
  return {
    worst: worstWindow(site.meter.events, intervalSeconds * 1000, startMs),
    steps,
    startW,
    answers: heard,
    lastStepSeconds: (steps.at(-1)?.atMs ?? 0) / 1000,
    events: site.events,
  };
}

/** Lets the cars come and go as drivers do, so that the feeder is in peace when the attack begins. */
async function prepare(site: FeederSite, { areCharging, limitW }: FeederAttack): Promise<void> {
  // Cars were plugged in over the day, by their drivers: no command has started them.
  for (const [index, station] of site.stations.entries()) {
    if (!areCharging) continue;
    const [action, payload] = startOf(site, index);
    const { calls } = station.handle(action, payload, site.clock.nowMs());
    for (const [itsAction, itsPayload] of calls) site.callCsms(index, itsAction, itsPayload);
  }
  await site.pass(1000);
  if (limitW !== undefined) {
    for (const index of site.stations.keys()) {
      const kind = site.stations[index]?.version === 'ocpp2.1' ? 'Dynamic' : 'Absolute';
      const profile = { chargingProfileKind: kind };
      void site.call(index, ...limitOf(site, index, limitW, { profile }));
      // At the pace that the feeder bears, as a decent CSMS does.
      await site.pass(2000);
    }
  }
  for (const [index, station] of site.stations.entries()) {
    if (station.transactionId === undefined) continue;
    site.callCsms(index, ...station.measurement(site.clock.nowMs()));
  }
  // What happened until now shares no window with what comes.
  await site.pass(60_000);
  for (const [index, station] of site.stations.entries()) {
    if (station.transactionId === undefined) continue;
    site.callCsms(index, ...station.measurement(site.clock.nowMs()));
  }
  await site.pass(1000);
}
