import type { Boot, Identification } from './boot.ts';
import type { ChargingLimits } from './charging-limits.ts';
import type { ConnectorState } from './connectors.ts';
import type { PlaceReadings, PowerReading } from './meter-values.ts';
import type { OutstandingCall } from './outstanding-call.ts';
import type { SecurityEventView } from './security-events.ts';
import type { TransactionRecord } from './transaction-record.ts';
import type { Variable } from './variables.ts';

/** How many messages of a charger the gateway has passed, and how many it refused. */
export interface MessageCounts {
  readonly fromCharger: number;
  readonly fromCsms: number;
  readonly refused: number;
}

/** What the gateway knows of a charger, as plain values for people to read. */
export interface ChargerView {
  readonly boot: Boot;
  readonly identification: Identification;
  /** What the CSMS has asked the charger to send since it was last accepted. */
  readonly asked: readonly string[];
  readonly connectors: readonly ConnectorState[];
  /** The open ones, then the last that ended. */
  readonly transactions: readonly TransactionRecord[];
  readonly meterValues: readonly PlaceReadings[];
  readonly limits: ChargingLimits;
  readonly securityEvents: SecurityEventView;
  readonly variables: readonly Variable[];
  readonly counts: MessageCounts;
  readonly outstanding: readonly OutstandingCall[];
}

/** What the gateway knows of the load of a charger. */
export interface LoadView {
  readonly connectors: readonly ConnectorState[];
  /** The open ones. */
  readonly transactions: readonly TransactionRecord[];
  /** What the places take, as they last said. */
  readonly powers: readonly PowerReading[];
  readonly limits: ChargingLimits;
  /**
   * When the CSMS last changed charging profiles, Unix time in milliseconds; 0 when it has not since
   * the process began. What was measured before says nothing of what a place takes under them.
   */
  readonly limitsChangedAtMs: number;
}
