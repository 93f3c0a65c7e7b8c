import type { ChargerId } from '../chargers/charger-id.ts';
import type { CallErrorCode } from '../errors/catalogue.ts';
import type { LoadClass } from '../ocpp/load-actions.ts';
import type { JsonObject } from '../ocpp/message.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import type { HeldCommand } from './command-rows.ts';
import type { RampLane } from './feeder-state.ts';
import type { LoadEstimate } from './load-change.ts';
import type { ShiftedCommand } from './reserve-steps.ts';

/** A load-changing command, as it came. */
export interface LoadCommandRequest {
  readonly messageId: string;
  readonly version: OcppVersion;
  readonly action: string;
  readonly loadClass: LoadClass;
  readonly payload: JsonObject;
  /** Is it the reply of the CSMS to a call of the charger? */
  readonly isReply: boolean;
  /** Must its bytes reach the charger as they are, because they are signed? */
  readonly isSealed?: boolean;
  readonly estimate: LoadEstimate;
  readonly lane: RampLane;
  /** Why it is in another lane than the others. */
  readonly reason: string | undefined;
  /** The keys that a newer command must share to replace it; see `coalesce.ts`. */
  readonly coalesceKeys: readonly string[];
  /** The key of a waiting stop that it cancels out. */
  readonly cancelsOut: string | undefined;
  /** See `StepsQuestion.shifted`. */
  shifted(shiftSeconds: number): ShiftedCommand | undefined;
}

/** What becomes of a command for now. */
export type RampVerdict =
  /**
   * Send it at once.
   *
   * `instead`: the payload with its schedule at a later time, where too many chargers would step
   * together.
   */
  | { readonly is: 'pass'; readonly commandId: string; readonly instead?: JsonObject | undefined }
  /** Keep it, and its caller waiting. `RampTarget` hears what becomes of it. */
  | { readonly is: 'open'; readonly commandId: string; readonly instead?: JsonObject | undefined }
  /** It is stored: answer the caller in the name of the charger. */
  | { readonly is: 'answered'; readonly commandId: string }
  | { readonly is: 'refused'; readonly code: RampRefusal };

/** Why a command is refused. */
export type RampRefusal = CallErrorCode & `RAMP_${string}`;

/** A connected charger, as far as the limiter cares. */
export interface RampTarget {
  readonly charger: ChargerId;
  /** What the registry says of its feeder. */
  readonly feederSetting: string | undefined;
  /** Could a command be sent at this moment? */
  readonly isReady: boolean;
  /** What a command would do by now. */
  estimate(command: HeldCommand): Pick<LoadEstimate, 'now' | 'swing' | 'place'>;
  /** It is the turn of a command: send it. */
  release(command: HeldCommand): void;
  /** The caller has waited for long enough: answer it in the name of the charger. */
  answer(command: HeldCommand): void;
  /** The command is not released any more: tell its caller, unless that was answered. */
  refuse(command: HeldCommand, code: RampRefusal): void;
}

/** How a command that the gateway had answered for came out. */
export type ReleaseOutcome =
  /** The charger has done what the CSMS was told. */
  | 'as-told'
  /** What it was about is over anyway. */
  | 'moot'
  /** The charger refused, with a reply or a CallError. */
  | 'refused'
  /** It was sent, and nobody knows. */
  | 'unanswered'
  /** It was never sent. */
  | 'unsent';
