import type { JsonObject } from '../../ocpp/message.ts';
import type { ElectricalSample } from '../electrical/electrical.ts';
import type { BootReason } from './charger-link.ts';
import type { Outgoing } from './outbox.ts';

/** What a connector does, in the words of 1.6; 2.x has fewer, and the dialect folds them. */
export type ConnectorStatus =
  | 'Available'
  | 'Preparing'
  | 'Charging'
  | 'SuspendedEVSE'
  | 'SuspendedEV'
  | 'Finishing'
  | 'Reserved'
  | 'Unavailable'
  | 'Faulted';

/** Why a transaction ends. */
export type StopCause =
  | 'Local'
  | 'Remote'
  | 'DeAuthorized'
  | 'HardReset'
  | 'SoftReset'
  | 'UnlockCommand'
  | 'EVDisconnected';

/** Why a meter reading is taken. */
export type ReadingContext =
  | 'Transaction.Begin'
  | 'Sample.Periodic'
  | 'Transaction.End'
  | 'Trigger';

/** What a station says of itself. */
export interface StationDescription {
  readonly vendor: string;
  readonly model: string;
  readonly serialNumber: string;
  readonly firmwareVersion: string;
}

/** A meter reading of one connector. */
export interface Reading extends ElectricalSample {
  readonly atMs: number;
  /** The meter's own register; it never goes back. */
  readonly registerWh: number;
  readonly context: ReadingContext;
  /** The measurands that the settings ask for. */
  readonly measurands: readonly string[];
  readonly supply: 'AC' | 'DC';
}

/** A running transaction, or one that has ended and is still to be told. */
export interface Transaction {
  /** Ours from the start in 2.x; in 1.6 undefined until the CSMS has allotted it. */
  id: string | undefined;
  readonly connectorId: number;
  readonly idTag: string;
  readonly startedAtMs: number;
  readonly meterStartWh: number;
  readonly remoteStartId: number | undefined;
}

/** One thing that is told of a transaction. */
export interface TransactionMoment {
  readonly transaction: Transaction;
  readonly reading: Reading;
  /** Rises by one with every moment of the transaction, from 0 (2.x). */
  readonly seqNo: number;
  /** There was no connection when it happened. */
  readonly offline: boolean;
  readonly status: ConnectorStatus;
}

/** Why a running transaction is told of. */
export type UpdateCause = 'periodic' | 'state' | 'trigger';

/** What a charger says in its own words: one for 1.6, one for 2.x. All functions are pure. */
export interface ChargerDialect {
  boot(description: StationDescription, reason: BootReason): Outgoing;
  status(connectorId: number, status: ConnectorStatus, atMs: number): Outgoing;
  authorize(idTag: string): Outgoing;
  /** Does the answer to Authorize, or to the start of a transaction, refuse the idTag? */
  refusesIdTag(reply: JsonObject): boolean;
  started(moment: TransactionMoment): Outgoing;
  /** Undefined when the version has nothing to say. */
  updated(moment: TransactionMoment, cause: UpdateCause): Outgoing | undefined;
  ended(moment: TransactionMoment, cause: StopCause): Outgoing | undefined;
  /** The transaction id that the CSMS allotted (1.6). */
  transactionIdOf(reply: JsonObject): string | undefined;
  meterValues(connectorId: number, reading: Reading): Outgoing;
}

/** What a transaction begins with. */
export interface StartRequest {
  readonly idTag: string;
  readonly remoteStartId?: number;
  /** Ask the CSMS first, as a card at the reader does. */
  readonly authorizes: boolean;
}

/** A connector as others see it. */
export interface ConnectorView {
  readonly connectorId: number;
  readonly status: ConnectorStatus;
  readonly powerKw: number;
  /** Of the car that is charging; undefined when there is none. */
  readonly socPercent: number | undefined;
  /** Of the meter. */
  readonly energyWh: number;
  readonly transactionId: string | undefined;
  readonly isCharging: boolean;
}
