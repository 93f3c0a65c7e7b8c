import type { ServerCertificate, Transport } from '../transport.ts';

/** Something that passes OCPP on, or nothing at all. */
export interface Contestant {
  readonly name: ContestantName;
  /** One sentence for the report. */
  readonly description: string;
  /** What it runs as, for the report; undefined when it is not installed here. */
  version(): string | undefined;
  /** Starts it in front of the CSMS. */
  start(csmsUrl: string, transport: Transport, kit: Kit): Promise<RunningContestant>;
}

export const contestantNames = [
  'gatewatt',
  'ocpp-rpc',
  'haproxy',
  'nginx',
  'pass-through',
  'none',
] as const;
export type ContestantName = (typeof contestantNames)[number];

/** What a run has made for all contestants. */
export interface Kit {
  readonly certificate: ServerCertificate;
  /** A `dataDir` of Gatewatt whose store knows all chargers. To be copied, and not to be used. */
  readonly gatewattData: string;
}

/** A contestant that chargers can connect to. */
export interface RunningContestant {
  /** Where a charger with this identity connects. */
  url(identity: string): string;
  /** Undefined for none, which is no process. */
  readonly usage: Usage | undefined;
  /** Rejects when the process ends by itself. */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

/** What a process takes. */
export interface Usage {
  /** CPU time since it was started, in milliseconds. */
  cpuMs(): Promise<number>;
  /** Resident memory, in bytes. */
  residentBytes(): Promise<number>;
}
