import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from './child.ts';
import type { FleetSetup } from './fleet-setup.ts';
import type { Kind } from './identities.ts';
import { Latencies } from './latencies.ts';
import type { ChargerOrders, Comings, CsmsOrders, Range } from './orders.ts';
import { sumOf, type Tally } from './tally.ts';

const chargerFile = fileURLToPath(new URL('charger-process.ts', import.meta.url));
const csmsFile = fileURLToPath(new URL('csms-process.ts', import.meta.url));
/** More would be late themselves, and hide what the gateway does. */
const chargersPerProcess = 5_000;

/** What has become of all chargers. */
export interface FleetReport {
  readonly tally: Tally;
  /** Since the last report. */
  readonly latencies: Latencies;
  /** How long this benchmark kept a charger from connecting at most, in milliseconds. */
  readonly turnMsMax: number;
}

/** All chargers, in a few processes. */
export interface Fleet {
  /** Resolves when the last one has begun to connect. */
  connect(range: Range, perSecond?: number): Promise<void>;
  talk(perSecond: number, forbiddenShare: number): Promise<void>;
  live(comings: Comings | undefined): Promise<void>;
  report(): Promise<FleetReport>;
  /** When chargers were let in after this time, in order; both in Unix milliseconds. */
  arrivals(kind: Kind, sinceMs: number): Promise<readonly number[]>;
  end(): Promise<void>;
}

/** Starts the processes of a fleet of this size. */
export async function startFleet(setup: FleetSetup, size: number, seed: number): Promise<Fleet> {
  const wanted = Math.ceil(size / chargersPerProcess);
  const processes = Array.from({ length: Math.min(wanted, 2 * availableParallelism()) }, () =>
    startChild<ChargerOrders>(chargerFile),
  );
  const end = async (): Promise<void> => {
    await Promise.all(processes.map((child) => child.kill()));
  };
  try {
    const { caPem, passwordKey, port, strangersPort } = setup;
    const shared = { caPem, passwordKey, port, strangersPort };
    await Promise.all(
      processes.map((child, index) => child.ask('prepare', { ...shared, seed: seed + index })),
    );
  } catch (error) {
    await end();
    throw error;
  }
  return fleetOf(processes, end);
}

function fleetOf(processes: readonly Child<ChargerOrders>[], end: () => Promise<void>): Fleet {
  const { length } = processes;
  return {
    end,
    connect: async (range, perSecond) => {
      const share = perSecond === undefined ? undefined : perSecond / length;
      const parts = partsOf(range, length);
      await Promise.all(
        processes.map((child, index) => {
          const part = parts[index];
          return part && child.ask('connect', { range: part, perSecond: share });
        }),
      );
    },
    talk: async (perSecond, forbiddenShare) => {
      const argument = { perSecond: perSecond / length, forbiddenShare };
      await Promise.all(processes.map((child) => child.ask('talk', argument)));
    },
    live: async (comings) => {
      const newcomers = comings === undefined ? [] : partsOf(comings.newcomers, length);
      await Promise.all(
        processes.map((child, index) => {
          const own = newcomers[index];
          return child.ask('live', comings && own && { ...comings, newcomers: own });
        }),
      );
    },
    report: async () => {
      const reports = await Promise.all(processes.map((child) => child.ask('report', undefined)));
      const latencies = new Latencies();
      for (const report of reports) latencies.addAll(report.latencies);
      return {
        tally: sumOf(reports.map(({ tally }) => tally)),
        latencies,
        turnMsMax: Math.max(...reports.map(({ turnMsMax }) => turnMsMax)),
      };
    },
    arrivals: async (kind, sinceMs) => {
      const lists = await Promise.all(
        processes.map((child) => child.ask('arrivals', { kind, sinceMs })),
      );
      return lists.flat().sort((a, b) => a - b);
    },
  };
}

/** A range in as many parts that follow each other. */
function partsOf({ count, from, kind }: Range, parts: number): readonly Range[] {
  return Array.from({ length: parts }, (_, index) => {
    const begin = Math.floor((count * index) / parts);
    const end = Math.floor((count * (index + 1)) / parts);
    return { kind, from: from + begin, count: end - begin };
  });
}

/** The CSMS of a run. */
export type Csms = Child<CsmsOrders>;

/** Starts it. */
export async function startCsms({ csmsPort }: FleetSetup): Promise<Csms> {
  const csms = startChild<CsmsOrders>(csmsFile);
  try {
    await csms.ask('listen', { port: csmsPort });
  } catch (error) {
    await csms.kill();
    throw error;
  }
  return csms;
}
