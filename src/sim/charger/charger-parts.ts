import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { JsonObject } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import type { ElectricalRating } from '../electrical/electrical.ts';
import type { ChargerSecurity } from './charger-security.ts';
import type { Outgoing } from './outbox.ts';
import type { Settings } from './settings.ts';
import type { Station } from './station.ts';
import type { StationRecords } from './station-records.ts';
import type { StopCause } from './station-types.ts';

/** What the answers of a simulated charger work with. */
export interface ChargerParts {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly clock: Clock;
  readonly random: Random;
  readonly rating: ElectricalRating;
  readonly station: Station;
  readonly settings: Settings;
  readonly records: StationRecords;
  readonly security: ChargerSecurity;
  /** CN of the certificates that the charger asks for. */
  readonly certificateName: string;
  /** Sends a message that may be lost. */
  readonly notify: (outgoing: Outgoing) => void;
  /** Sends one message after the other, with a pause before each. */
  readonly sequence: (
    name: SequenceName,
    messages: readonly Outgoing[],
    delaySeconds: number,
  ) => void;
  readonly isSequenceRunning: (name: SequenceName) => boolean;
  /** Tells the CSMS of a security event when it has accepted the charger the next time. */
  readonly noteSecurityEvent: (type: string) => void;
  /** Closes the connection and makes a new one. */
  readonly redial: () => void;
  readonly bootAgain: () => void;
  readonly heartbeatEvery: (intervalSeconds: number) => void;
  /** Ends all transactions, disconnects and boots. */
  readonly reset: (cause: StopCause) => void;
  /** The same, as soon as no transaction runs. */
  readonly resetWhenIdle: () => void;
}

/** What runs beside the conversation; a new one of the same name replaces the old. */
export type SequenceName = 'firmware' | 'log';

/**
 * Answers one action: changes the charger, and returns the payload. `afterReply` takes what must
 * not overtake the answer.
 */
export type ChargerAnswer = (
  payload: JsonObject,
  parts: ChargerParts,
  afterReply: (effect: () => void) => void,
) => JsonObject;

/** By action. */
export type ChargerAnswers = Readonly<Record<string, ChargerAnswer>>;
