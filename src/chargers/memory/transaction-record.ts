import { ownProperty } from '../../ocpp/message.ts';
import { isOcppVersion, type OcppVersion } from '../../ocpp/version.ts';
import {
  choiceAt,
  integerAt,
  isTrueAt,
  numberAt,
  textAt,
  transactionIdAt,
} from './read-property.ts';

const sides = ['charger', 'csms'] as const;

/** Who started or ended a transaction: `csms` when the CSMS had asked for it. */
export interface TransactionParty {
  readonly idToken: string | undefined;
  readonly by: (typeof sides)[number];
}

/** One transaction. Records are never changed, only replaced. */
export interface TransactionRecord {
  readonly transactionId: string;
  readonly version: OcppVersion;
  readonly status: 'open' | 'ended';
  /** Undefined in OCPP 1.6. */
  readonly evseId: number | undefined;
  readonly connectorId: number | undefined;
  /** When the gateway saw its start, or saw it first: Unix time in milliseconds. */
  readonly startedAtMs: number;
  /** When it started, as the charger says it; undefined when the gateway did not see the start. */
  readonly chargerStartedAt: string | undefined;
  readonly startedBy: TransactionParty;
  /** What the CSMS called its request to start it (OCPP 2.0.1 and 2.1). */
  readonly remoteStartId: number | undefined;
  /** In Wh. */
  readonly meterStart: number | undefined;
  /** The highest number of an event that was seen (OCPP 2.0.1 and 2.1). */
  readonly sequenceNumber: number | undefined;
  /** As the charger last said (OCPP 2.0.1 and 2.1). */
  readonly chargingState: string | undefined;
  /** Did any part of it happen while the charger was offline? OCPP 1.6 does not say. */
  readonly isOffline: boolean;
  /** When the charger accepted the request of the CSMS to end it. */
  readonly stopAcceptedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly chargerEndedAt: string | undefined;
  readonly endedBy: TransactionParty | undefined;
  readonly stopReason: string | undefined;
  /** In Wh. */
  readonly meterStop: number | undefined;
}

/** Longest idToken of OCPP 2.1 is 255, but none is known above 64. */
const idTokenCharsMax = 64;
/** With fractions of a second and a zone. */
const timestampCharsMax = 40;
const reasonCharsMax = 40;

/** The idToken, or idTag, at `key`. */
export function idTokenAt(object: unknown, key: string): string | undefined {
  return textAt(object, key, idTokenCharsMax);
}

/** The timestamp at `key`, as the charger wrote it. */
export function timestampAt(object: unknown, key: string): string | undefined {
  return textAt(object, key, timestampCharsMax);
}

/** The reason, or state, at `key`. */
export function reasonAt(object: unknown, key: string): string | undefined {
  return textAt(object, key, reasonCharsMax);
}

/** A record of which nothing but its beginning is known. */
export function openRecord(
  transactionId: string,
  version: OcppVersion,
  startedAtMs: number,
): TransactionRecord {
  return {
    transactionId,
    version,
    status: 'open',
    evseId: undefined,
    connectorId: undefined,
    startedAtMs,
    chargerStartedAt: undefined,
    startedBy: { idToken: undefined, by: 'charger' },
    remoteStartId: undefined,
    meterStart: undefined,
    sequenceNumber: undefined,
    chargingState: undefined,
    isOffline: false,
    stopAcceptedAtMs: undefined,
    endedAtMs: undefined,
    chargerEndedAt: undefined,
    endedBy: undefined,
    stopReason: undefined,
    meterStop: undefined,
  };
}

/** Reads a saved record; undefined when it is none. */
export function savedRecord(saved: unknown): TransactionRecord | undefined {
  const transactionId = transactionIdAt(saved, 'transactionId');
  const version = ownProperty(saved, 'version');
  if (transactionId === undefined || typeof version !== 'string' || !isOcppVersion(version)) {
    return undefined;
  }
  const isEnded = ownProperty(saved, 'status') === 'ended';
  return {
    transactionId,
    version,
    status: isEnded ? 'ended' : 'open',
    evseId: integerAt(saved, 'evseId'),
    connectorId: integerAt(saved, 'connectorId'),
    startedAtMs: integerAt(saved, 'startedAtMs') ?? 0,
    chargerStartedAt: timestampAt(saved, 'chargerStartedAt'),
    startedBy: savedParty(ownProperty(saved, 'startedBy')),
    remoteStartId: integerAt(saved, 'remoteStartId'),
    meterStart: numberAt(saved, 'meterStart'),
    sequenceNumber: integerAt(saved, 'sequenceNumber'),
    chargingState: reasonAt(saved, 'chargingState'),
    isOffline: isTrueAt(saved, 'isOffline'),
    stopAcceptedAtMs: integerAt(saved, 'stopAcceptedAtMs'),
    endedAtMs: integerAt(saved, 'endedAtMs'),
    chargerEndedAt: timestampAt(saved, 'chargerEndedAt'),
    endedBy: isEnded ? savedParty(ownProperty(saved, 'endedBy')) : undefined,
    stopReason: reasonAt(saved, 'stopReason'),
    meterStop: numberAt(saved, 'meterStop'),
  };
}

function savedParty(saved: unknown): TransactionParty {
  return {
    idToken: idTokenAt(saved, 'idToken'),
    by: choiceAt(saved, 'by', sides) ?? 'charger',
  };
}
