import type { Kind } from './identities.ts';
import type { Tally } from './tally.ts';

/** What a process can be told to do; each has an argument and an answer, both plain data. */
export type OrderTable = Readonly<
  Record<string, { readonly argument: unknown; readonly answer: unknown }>
>;

/** Where the chargers of a process connect to, and as whom. */
export interface ChargerSettings {
  /** The port of the listener with security profile 2, and the authority of its certificate. */
  readonly port: number;
  readonly caPem: string;
  /** The port of the listener without security; undefined where there is none. */
  readonly strangersPort: number | undefined;
  readonly passwordKey: string;
  readonly seed: number;
}

/** Chargers with numbers that follow each other. */
export interface Range {
  readonly kind: Kind;
  readonly from: number;
  readonly count: number;
}

/** How chargers come and go. */
export interface Comings {
  readonly staySecondsMin: number;
  readonly staySecondsMax: number;
  /** Of those that leave, this share says nothing: the connection stays, and nobody listens. */
  readonly vanishShare: number;
  /** Of those that leave, this share comes back as the next of `newcomers`, while there are any. */
  readonly renameShare: number;
  readonly newcomers: Range;
}

/** Orders to a process of chargers. */
export type ChargerOrders = {
  readonly prepare: { readonly argument: ChargerSettings; readonly answer: undefined };
  /** Lets chargers connect, so many a second; without `perSecond` as if all had just lost theirs. */
  readonly connect: {
    readonly argument: { readonly range: Range; readonly perSecond?: number | undefined };
    readonly answer: undefined;
  };
  /** From now on all chargers together send so many calls a second; 0 for none. */
  readonly talk: {
    readonly argument: { readonly perSecond: number; readonly forbiddenShare: number };
    readonly answer: undefined;
  };
  /** From now on chargers come and go; undefined: they stay. */
  readonly live: { readonly argument: Comings | undefined; readonly answer: undefined };
  /** What has happened by now, and the latencies since this was last asked. */
  readonly report: {
    readonly argument: undefined;
    readonly answer: {
      readonly tally: Tally;
      readonly latencies: readonly number[];
      /** How long a charger has waited for its turn in this process at most, in milliseconds. */
      readonly turnMsMax: number;
    };
  };
  /** When connections of these chargers were let in after this time; both in Unix milliseconds. */
  readonly arrivals: {
    readonly argument: { readonly kind: Kind; readonly sinceMs: number };
    readonly answer: readonly number[];
  };
};

/** What has become of the calls of the CSMS. */
export interface CommandTally {
  readonly sent: number;
  readonly accepted: number;
  /** Answered with an error, by code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Those whose connection ended before the answer came. */
  readonly cutOff: number;
  readonly open: number;
}

/** Orders to the process of the CSMS. */
export type CsmsOrders = {
  /** 0 for any port. The answer is the port. */
  readonly listen: { readonly argument: { readonly port: number }; readonly answer: number };
  /** When upgrade requests arrived after this time; both in Unix milliseconds. */
  readonly upgrades: {
    readonly argument: { readonly sinceMs: number };
    readonly answer: readonly number[];
  };
  /** From now on so many commands an hour to chargers taken at random, of both kinds in turns. */
  readonly command: {
    readonly argument: { readonly perHour: number; readonly seed: number };
    readonly answer: undefined;
  };
  readonly report: {
    readonly argument: undefined;
    readonly answer: CsmsReport;
  };
};

/** How the CSMS is. */
export interface CsmsReport {
  readonly connections: number;
  readonly commands: CommandTally;
  /** The longest turn of its own event loop since the last report: times of upgrades are as exact. */
  readonly longestTurnMs: number;
}

/** The time in Unix milliseconds, finer than `Date.now`, and comparable between processes. */
export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now();
}
