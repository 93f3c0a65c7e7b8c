import { createHash } from 'node:crypto';
import { identityKey } from '../../../chargers/charger-id.ts';
import { bindingKey, type KnownBefore } from '../../../chargers/import-chargers.ts';
import { canonicalPassword } from '../../../identity/password-hash.ts';
import { ratchetText } from '../credential-changes.ts';
import { errorAt, type Finding, warningAt } from './columns.ts';
import type { FileCharger } from './judge-row.ts';

/** What is wrong with the chargers of a file together. */
export function findingsInFile(chargers: readonly FileCharger[]): readonly Finding[] {
  const findings: Finding[] = [];
  const identities = new FirstLines();
  const certificates = new FirstLines();
  const passwords = new FirstLines();
  for (const { line, id, binding, password } of chargers) {
    const same = identities.note(identityKey(id), line);
    if (same !== undefined) {
      findings.push(errorAt(line, `the identity stands in line ${same} already`));
    }
    const bound = binding && certificates.note(bindingKey(binding), line);
    if (bound !== undefined) {
      findings.push(errorAt(line, `the certificate stands in line ${bound} already`));
    }
    // A hash, so that no second copy of every password lies in memory.
    const digest =
      password && createHash('sha256').update(canonicalPassword(password)).digest('base64');
    const shared = digest && passwords.note(digest, line);
    if (shared !== undefined && shared !== '') {
      findings.push(warningAt(line, `the password is the same as in line ${shared}`));
    }
  }
  return findings;
}

/** Password origins that a manufacturer's file is older than. */
const newerOrigins: readonly string[] = ['provisioned', 'csms'];

/** What is wrong with the chargers of a file beside what the store has of them. */
export function findingsInStore(
  chargers: readonly FileCharger[],
  before: readonly KnownBefore[],
  isUpdate: boolean,
): readonly Finding[] {
  return chargers.flatMap(({ line, settings, password, binding }, index) => {
    const { certificateOwner, credential, entry } = before[index] ?? {};
    const { requiredSecurityProfile: required } = settings;
    const isNewer =
      credential?.next !== undefined || newerOrigins.includes(credential?.password?.origin ?? '');
    return [
      ...(entry?.origin === 'operator' && !isUpdate
        ? [errorAt(line, `${entry.identity} was added before; to change it: --update`)]
        : []),
      ...(required !== undefined && credential !== undefined && required < credential.usedProfile
        ? [errorAt(line, `securityProfile: ${ratchetText(credential.usedProfile)}`)]
        : []),
      ...(password !== undefined && isNewer
        ? [
            errorAt(
              line,
              'the charger was given a newer password since; leave the password out, or set ' +
                'it with: gatewatt charger set',
            ),
          ]
        : []),
      ...(binding !== undefined && certificateOwner !== undefined
        ? [errorAt(line, `the certificate is bound to ${certificateOwner}`)]
        : []),
    ];
  });
}

/** Where something stands for the first time. */
class FirstLines {
  readonly #lines = new Map<string, number>();

  /** @returns the line of the first one, unless this is it. */
  note(key: string, line: number): number | undefined {
    const first = this.#lines.get(key);
    if (first === undefined) this.#lines.set(key, line);
    return first;
  }
}
