import type { LoadClass } from '../ocpp/load-actions.ts';
import { type JsonObject, ownProperty } from '../ocpp/message.ts';

/** What a command has in common with those that it replaces or cancels out. */
export interface CoalesceSubject {
  readonly loadClass: LoadClass;
  readonly action: string;
  readonly payload: JsonObject;
  /** The EVSE or connector; undefined for the whole charger or when it is not known. */
  readonly place: number | undefined;
  /** Of the transaction that a stop is about. */
  readonly stoppedIdToken: string | undefined;
}

/** Characters of a key. Ids of profiles are numbers, tokens have 255 characters at most. */
const keyCharsMax = 300;

/**
 * The keys by which a newer command finds what it makes void among the waiting ones of its charger:
 *
 * - `profile …`, `slot …`: SetChargingProfile for the same profile, or for the same purpose and
 *   stack level at the same place. The newer one replaces it.
 * - `dynamic …`: UpdateDynamicSchedule of the same profile (OCPP 2.1). Likewise.
 * - `stop …`: a stop of what a token has started at a place. A start there with the same token cancels
 *   it out: the car goes on.
 */
export function coalesceKeys(subject: CoalesceSubject): readonly string[] {
  return keysOf(subject).map((key) => key.slice(0, keyCharsMax));
}

function keysOf({
  action,
  loadClass,
  payload,
  place,
  stoppedIdToken,
}: CoalesceSubject): readonly string[] {
  if (action === 'SetChargingProfile') {
    const profile =
      ownProperty(payload, 'csChargingProfiles') ?? ownProperty(payload, 'chargingProfile');
    const at = text(ownProperty(payload, 'connectorId') ?? ownProperty(payload, 'evseId'));
    const id = text(ownProperty(profile, 'chargingProfileId') ?? ownProperty(profile, 'id'));
    const purpose = text(ownProperty(profile, 'chargingProfilePurpose'));
    const level = text(ownProperty(profile, 'stackLevel'));
    return [`profile ${at} ${id}`, `slot ${at} ${purpose} ${level}`];
  }
  if (action === 'UpdateDynamicSchedule') {
    return [`dynamic ${text(ownProperty(payload, 'chargingProfileId'))}`];
  }
  if (loadClass === 'stop' && stoppedIdToken !== undefined && place !== undefined) {
    return [`stop ${place} ${stoppedIdToken.toLowerCase()}`];
  }
  return [];
}

/** The key of the stop that this start cancels out; undefined when it is no start. */
export function cancelledOutBy({ loadClass, payload, place }: CoalesceSubject): string | undefined {
  if (loadClass !== 'start' || place === undefined) return undefined;
  const token =
    ownProperty(payload, 'idTag') ?? ownProperty(ownProperty(payload, 'idToken'), 'idToken');
  if (typeof token !== 'string') return undefined;
  return `stop ${place} ${token.toLowerCase()}`.slice(0, keyCharsMax);
}

function text(value: unknown): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '-';
}
