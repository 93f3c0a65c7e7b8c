import type { JsonObject } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { isSamePassword, readBasicPassword } from '../protocol/password.ts';
import { listOf, objectOf, textOf } from '../protocol/payload.ts';

/** Which passwords a CSMS demands: the same of every charger, or one of each. */
export type CsmsPasswords =
  | { readonly for: 'all'; readonly password: Buffer }
  | { readonly for: 'each'; readonly byIdentity: ReadonlyMap<string, Buffer> };

/** Chargers whose password the CSMS itself has changed; the oldest is forgotten beyond it. */
const changedMax = 100_000;
/** Lines of a file of passwords. */
const linesMax = 100_000;

interface ExpectedPasswords {
  readonly current: Buffer;
  /** Accepted by the charger, and not used yet. */
  readonly next?: Buffer;
}

/**
 * Decides by HTTP Basic who may connect.
 *
 * When the CSMS has changed a password and the charger has accepted, both the old and the new one
 * are good until the new one is used for the first time (A01.FR.11 and .12 in 2.0.1).
 */
export class PasswordCheck {
  readonly #passwords: CsmsPasswords;
  readonly #changed = new Map<string, ExpectedPasswords>();

  constructor(passwords: CsmsPasswords) {
    this.#passwords = passwords;
  }

  /** Why the charger with this Authorization header is refused; undefined when it is not. */
  refusalOf(identity: string, header: string | undefined): string | undefined {
    const expected = this.#expected(identity);
    const presented = readBasicPassword(header, identity);
    if (presented.is === 'absent') return 'it sent no password';
    if (presented.is === 'other-user') return 'its user name is not its identity';
    if (expected === undefined) return 'no password is known for it';
    if (expected.next !== undefined && isSamePassword(presented.password, expected.next)) {
      this.#changed.set(identity, { current: expected.next });
      return undefined;
    }
    if (isSamePassword(presented.password, expected.current)) return undefined;
    return 'its password is wrong';
  }

  /** The charger has accepted `password`. */
  changed(identity: string, password: Buffer): void {
    const expected = this.#expected(identity);
    if (expected === undefined) return;
    this.#changed.delete(identity);
    this.#changed.set(identity, { current: expected.current, next: password });
    const [oldest] = this.#changed.keys();
    if (this.#changed.size > changedMax && oldest !== undefined) this.#changed.delete(oldest);
  }

  #expected(identity: string): ExpectedPasswords | undefined {
    const changed = this.#changed.get(identity);
    if (changed !== undefined) return changed;
    const current =
      this.#passwords.for === 'all'
        ? this.#passwords.password
        : this.#passwords.byIdentity.get(identity);
    return current === undefined ? undefined : { current };
  }
}

/**
 * The password that a charger has got with this call, by the answer; undefined when it has got none.
 * RebootRequired is a yes, which takes effect later.
 */
export function acceptedPassword(
  version: OcppVersion,
  action: string,
  payload: JsonObject,
  reply: JsonObject,
): Buffer | undefined {
  if (version === 'ocpp1.6') {
    const isKey = action === 'ChangeConfiguration' && textOf(payload, 'key') === 'AuthorizationKey';
    return isKey && isYes(textOf(reply, 'status'))
      ? Buffer.from(textOf(payload, 'value'), 'utf8')
      : undefined;
  }
  if (action !== 'SetVariables') return undefined;
  const result = listOf(reply, 'setVariableResult').find(isBasicAuthPassword);
  const data = listOf(payload, 'setVariableData').findLast(isBasicAuthPassword);
  return data !== undefined && isYes(textOf(result, 'attributeStatus'))
    ? Buffer.from(textOf(data, 'attributeValue'), 'utf8')
    : undefined;
}

/**
 * Reads lines of `identity,password`. The password begins after the first comma and is taken as it
 * is. Empty lines, and lines that begin with #, are left out.
 *
 * @throws {Error} with the number of the line that has no comma or an identity for the second time.
 */
export function parsePasswords(text: string): ReadonlyMap<string, Buffer> {
  const byIdentity = new Map<string, Buffer>();
  const lines = text.split(/\r?\n/);
  if (lines.length > linesMax) throw new Error(`more than ${linesMax} lines of passwords`);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const comma = line.indexOf(',');
    const identity = line.slice(0, Math.max(0, comma)).trim();
    const problem =
      identity === '' ? 'has no "identity,password"' : 'has an identity that was there before';
    if (identity === '' || byIdentity.has(identity)) {
      throw new Error(`line ${index + 1} of the passwords ${problem}`);
    }
    byIdentity.set(identity, Buffer.from(line.slice(comma + 1), 'utf8'));
  }
  return byIdentity;
}

function isYes(status: string): boolean {
  return status === 'Accepted' || status === 'RebootRequired';
}

function isBasicAuthPassword(entry: unknown): boolean {
  const component = textOf(objectOf(entry, 'component'), 'name').toLowerCase();
  const variable = textOf(objectOf(entry, 'variable'), 'name').toLowerCase();
  return component === 'securityctrlr' && variable === 'basicauthpassword';
}
