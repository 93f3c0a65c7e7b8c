import { type JsonObject, ownProperty } from './message.ts';
import { foldKey } from './strict-json.ts';
import type { OcppVersion } from './version.ts';

/**
 * Where a CSMS changes how a charger authenticates itself: its password, and its security profile.
 *
 * Names are read as a lenient charger reads them: without regard to case, and to spaces around them.
 * A name that only half fits counts, so that a charger that looks less closely than the gateway
 * gets nothing past it.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3, A01, A05 and chapter 6; OCPP 2.0.1 part 2,
 * A01, A05 and B09; OCPP 2.1 part 2 (the component NetworkConfiguration).
 */
export type CredentialChange =
  /** The password that the charger uses: AuthorizationKey, or SecurityCtrlr.BasicAuthPassword. */
  | {
      readonly is: 'password';
      /** The text as it was given, in UTF-8; OCPP 1.6 has hexadecimal digits there. */
      readonly password: Buffer;
      /** Which entry of the call it is, from 0. */
      readonly index: number;
    }
  /**
   * A password of which nobody can tell when the charger uses it, or what it is: that of a network
   * slot, of another attribute than Actual, or one that is no text.
   */
  | { readonly is: 'slot-password'; readonly index: number }
  /** SecurityProfile, or SecurityCtrlr.SecurityProfile. */
  | {
      readonly is: 'security-profile';
      /** Undefined when it cannot be read as one. */
      readonly profile: ProfileNumber | undefined;
      readonly index: number;
    }
  /** The security profile of a network slot, which the charger may come to use. */
  | {
      readonly is: 'slot-profile';
      /** Undefined when it cannot be read as one. */
      readonly profile: ProfileNumber | undefined;
      readonly index: number;
    }
  /** SecurityCtrlr.AllowSecurityProfileDowngrade becomes true, or something else than false. */
  | { readonly is: 'allow-downgrade'; readonly index: number };

/** The number of an OCPP security profile. */
export type ProfileNumber = 0 | 1 | 2 | 3;

/** Every change of a credential that this call of the CSMS asks for, in its order. */
export function credentialChangesIn(
  version: OcppVersion,
  action: string,
  payload: unknown,
): readonly CredentialChange[] {
  switch (action) {
    case 'ChangeConfiguration':
      return version === 'ocpp1.6' ? keyChanges(payload) : [];
    case 'SetVariables':
      return version === 'ocpp1.6'
        ? []
        : listAt(payload, 'setVariableData').flatMap((entry, index) =>
            variableChanges(entry, index),
          );
    case 'SetNetworkProfile':
      return version === 'ocpp1.6' ? [] : slotChanges(payload);
    default:
      return [];
  }
}

function keyChanges(payload: unknown): readonly CredentialChange[] {
  const value = ownProperty(payload, 'value');
  switch (foldedName(ownProperty(payload, 'key'))) {
    case 'authorizationkey':
      return [passwordChange(value, 0)];
    case 'securityprofile':
      return [{ is: 'security-profile', profile: profileIn(value), index: 0 }];
    default:
      return [];
  }
}

function variableChanges(entry: unknown, index: number): readonly CredentialChange[] {
  const value = ownProperty(entry, 'attributeValue');
  const isOfCharger = isOfSecurityController(entry);
  switch (variableName(entry)) {
    case 'basicauthpassword':
      return isOfCharger && isActual(entry)
        ? [passwordChange(value, index)]
        : [{ is: 'slot-password', index }];
    case 'securityprofile':
      return [
        { is: isOfCharger ? 'security-profile' : 'slot-profile', profile: profileIn(value), index },
      ];
    case 'allowsecurityprofiledowngrade':
      return isFalse(value) ? [] : [{ is: 'allow-downgrade', index }];
    default:
      return [];
  }
}

function slotChanges(payload: unknown): readonly CredentialChange[] {
  const connection = ownProperty(payload, 'connectionData');
  // The schema demands a profile: without one a charger might take 0.
  const profile = profileIn(ownProperty(connection, 'securityProfile'));
  const changes: CredentialChange[] = [{ is: 'slot-profile', profile, index: 0 }];
  if (ownProperty(connection, 'basicAuthPassword') !== undefined) {
    changes.push({ is: 'slot-password', index: 0 });
  }
  return changes;
}

function passwordChange(value: unknown, index: number): CredentialChange {
  return typeof value === 'string'
    ? { is: 'password', password: Buffer.from(value, 'utf8'), index }
    : { is: 'slot-password', index };
}

/**
 * What a charger answered to a change.
 *
 * - `accepted`: it holds, or will when the charger connects again.
 * - `reboot-required`: it will when the charger has booted.
 * - `rejected`, `not-supported`: it does not hold.
 * - `unclear`: nobody can tell from the reply.
 */
export type ChangeOutcome =
  | 'accepted'
  | 'reboot-required'
  | 'rejected'
  | 'not-supported'
  | 'unclear';

/**
 * What became of the `password` at `index` of a ChangeConfiguration or SetVariables, by the payload
 * of its reply.
 */
export function passwordChangeOutcome(
  version: OcppVersion,
  payload: unknown,
  index: number,
): ChangeOutcome {
  return version === 'ocpp1.6'
    ? outcomeOf(ownProperty(payload, 'status'))
    : variableOutcome(payload, 'basicauthpassword', index);
}

/**
 * What became of the `security-profile` at `index` of a ChangeConfiguration or SetVariables, or of
 * the `slot-profile` of a SetNetworkProfile, by the payload of its reply. A slot that was accepted
 * is not in use yet.
 */
export function profileRaiseOutcome(
  version: OcppVersion,
  action: string,
  payload: unknown,
  index: number,
): ChangeOutcome {
  return version === 'ocpp1.6' || action === 'SetNetworkProfile'
    ? outcomeOf(ownProperty(payload, 'status'))
    : variableOutcome(payload, 'securityprofile', index);
}

/** The result of a SetVariables that is about `name`: results need not keep the order of the call. */
function variableOutcome(payload: unknown, name: string, index: number): ChangeOutcome {
  const results = listAt(payload, 'setVariableResult');
  const named = results.filter(
    (result) => variableName(result) === name && isOfSecurityController(result),
  );
  const [only] = named;
  const result = named.length === 1 ? only : named.find((one) => one === results[index]);
  return outcomeOf(ownProperty(result, 'attributeStatus'));
}

const outcomes: ReadonlyMap<unknown, ChangeOutcome> = new Map([
  ['Accepted', 'accepted'],
  ['RebootRequired', 'reboot-required'],
  ['Rejected', 'rejected'],
  ['NotSupported', 'not-supported'],
  ['NotSupportedAttributeType', 'not-supported'],
  ['UnknownComponent', 'not-supported'],
  ['UnknownVariable', 'not-supported'],
  // SetNetworkProfile of OCPP 2.0.1 and 2.1.
  ['Failed', 'rejected'],
]);

function outcomeOf(status: unknown): ChangeOutcome {
  return outcomes.get(status) ?? 'unclear';
}

/** A call that a gateway may send of its own. */
export interface ChangeCall {
  readonly action: string;
  readonly payload: JsonObject;
}

/**
 * The call that gives a charger the password `key`, written as lower-case hexadecimal digits.
 *
 * In OCPP 1.6 the digits stand for the bytes, later they are the password. A key of 20 bytes has 40
 * digits, which is the longest password that every version allows.
 */
export function passwordChangeCall(version: OcppVersion, key: Buffer): ChangeCall {
  const digits = key.toString('hex');
  if (version === 'ocpp1.6') {
    return { action: 'ChangeConfiguration', payload: { key: 'AuthorizationKey', value: digits } };
  }
  const entry = {
    attributeValue: digits,
    component: { name: 'SecurityCtrlr' },
    variable: { name: 'BasicAuthPassword' },
  };
  return { action: 'SetVariables', payload: { setVariableData: [entry] } };
}

/** Is the component of `entry` the one that holds what the charger itself uses? */
function isOfSecurityController(entry: unknown): boolean {
  return foldedName(ownProperty(ownProperty(entry, 'component'), 'name')) === 'securityctrlr';
}

/** The name of the variable of `entry`, folded. */
function variableName(entry: unknown): string | undefined {
  return foldedName(ownProperty(ownProperty(entry, 'variable'), 'name'));
}

/** Does `entry` set the value itself, rather than a limit of it? */
function isActual(entry: unknown): boolean {
  const type = ownProperty(entry, 'attributeType');
  return type === undefined || type === null || foldedName(type) === 'actual';
}

function foldedName(name: unknown): string | undefined {
  return typeof name === 'string' ? foldKey(name.trim()) : undefined;
}

/** One digit, as text or number; a charger may read anything else in a way of its own. */
function profileIn(value: unknown): ProfileNumber | undefined {
  switch (typeof value === 'number' ? String(value) : value) {
    case '0':
      return 0;
    case '1':
      return 1;
    case '2':
      return 2;
    case '3':
      return 3;
    default:
      return undefined;
  }
}

function isFalse(value: unknown): boolean {
  return value === false || foldedName(value) === 'false';
}

function listAt(object: unknown, key: string): readonly unknown[] {
  const value = ownProperty(object, key);
  return Array.isArray(value) ? value : [];
}
