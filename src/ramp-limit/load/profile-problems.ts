import { transactionIdAt } from '../../chargers/memory/read-property.ts';
import { isJsonObject, ownProperty } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { momentIn } from './moment.ts';
import { isWhole, scheduleFault } from './schedule-problems.ts';

/** Why the gateway cannot, or may not, count what a command does to load. */
export interface LoadProblem {
  readonly code: 'RAMP_PROFILE_INVALID' | 'RAMP_DISCHARGE' | 'RAMP_DER_CONTROL';
  /** What is wrong; words of the gateway alone, never of a peer. */
  readonly detail: string;
}

/** Larger than any charger that is one charger. */
export const placeMax = 64;

/** A profile that cannot be counted. */
export function invalidProfile(detail: string): LoadProblem {
  return { code: 'RAMP_PROFILE_INVALID', detail };
}

/**
 * What is wrong with a charging profile; undefined when it says in one way only what it limits, and
 * when. Limits that are too large are not wrong: they count as the rating of the charger.
 *
 * @param place where the CSMS sets it; undefined for one in a request to start.
 *
 * Source: OCPP 1.6 sections 3.13, 5.16 and 7.8; OCPP 2.0.1 and 2.1 part 2, K01 and
 * ChargingProfileType.
 */
export function profileProblem(
  version: OcppVersion,
  profile: unknown,
  place?: { readonly is: unknown },
): LoadProblem | undefined {
  const detail = faultOf(version, profile, place);
  return detail === undefined ? undefined : invalidProfile(detail);
}

function faultOf(
  version: OcppVersion,
  profile: unknown,
  place: { readonly is: unknown } | undefined,
): string | undefined {
  if (!isJsonObject(profile)) return 'there is no charging profile';
  const of = (key: string): unknown => ownProperty(profile, key);
  const is16 = version === 'ocpp1.6';
  const kind = of('chargingProfileKind');
  const purpose = of('chargingProfilePurpose');
  const isKnown = (table: Words, word: unknown) => table[version].includes(word);

  if (place !== undefined && !isWhole(place.is, 0, placeMax)) return 'no charger has such a place';
  if (!Number.isSafeInteger(of(is16 ? 'chargingProfileId' : 'id'))) return 'the profile has no id';
  if (!isKnown(purposes, purpose)) return 'the purpose is unknown';
  if (!isKnown(kinds, kind)) return 'the kind is unknown';
  if (!isWhole(of('stackLevel'), 0)) return 'the stack level is no whole number from 0';
  if (kind === 'Recurring' && !recurrencies.includes(of('recurrencyKind'))) {
    return 'the profile recurs, but not daily or weekly';
  }
  if (place?.is === 0 && purpose === 'TxProfile') return 'a transaction has no place 0';
  if (
    of('transactionId') !== undefined &&
    transactionIdAt(profile, 'transactionId') === undefined
  ) {
    return 'the transaction id cannot be read';
  }
  return validityFault(of('validFrom'), of('validTo')) ?? scheduleFault(version, profile);
}

type Words = Readonly<Record<OcppVersion, readonly unknown[]>>;

const purposes201 = [
  'ChargingStationExternalConstraints',
  'ChargingStationMaxProfile',
  'TxDefaultProfile',
  'TxProfile',
];
const purposes: Words = {
  'ocpp1.6': ['ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile'],
  'ocpp2.0.1': purposes201,
  'ocpp2.1': [...purposes201, 'LocalGeneration', 'PriorityCharging'],
};
const kinds201 = ['Absolute', 'Recurring', 'Relative'];
const kinds: Words = {
  'ocpp1.6': kinds201,
  'ocpp2.0.1': kinds201,
  'ocpp2.1': [...kinds201, 'Dynamic'],
};
const recurrencies: readonly unknown[] = ['Daily', 'Weekly'];

function validityFault(validFrom: unknown, validTo: unknown): string | undefined {
  const fromMs = momentIn(validFrom);
  const toMs = momentIn(validTo);
  if (fromMs === 'unreadable') return 'validFrom cannot be read';
  if (toMs === 'unreadable') return 'validTo cannot be read';
  if (fromMs === undefined || toMs === undefined) return undefined;
  return toMs <= fromMs ? 'the profile ends before it is valid' : undefined;
}
