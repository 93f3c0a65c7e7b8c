import type { ChargerMemory } from '../chargers/memory/charger-memory.ts';
import type { Clock } from '../lib/clock.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import type { UnverifiedHashData } from '../pki/certificate-hashes.ts';
import type { PolicyContext, Restriction, SigningRequest } from '../policy/context.ts';
import type { SessionCredential } from './session-credential.ts';

/**
 * What the rules of context know of the charger of a session.
 *
 * A class, and no object with getters of its own: those of each session would have another shape, and
 * each message would look for them anew.
 */
export class ChargerContext implements PolicyContext {
  readonly version: OcppVersion;
  readonly #credential: SessionCredential;
  readonly #memory: ChargerMemory;
  readonly #clock: Clock;
  /** How many other chargers have the transaction that was looked up for the message in hand. */
  transaction: { readonly id: string; readonly others: number | 'unknown' } | undefined;
  /** Whether the name that was looked up for the message in hand is one of another charger. */
  commonName: { readonly name: string; readonly isForeign: boolean | 'unknown' } | undefined;

  constructor(
    version: OcppVersion,
    credential: SessionCredential,
    memory: ChargerMemory,
    clock: Clock,
  ) {
    this.version = version;
    this.#credential = credential;
    this.#memory = memory;
    this.#clock = clock;
  }

  get bootStatus(): PolicyContext['bootStatus'] {
    return this.#memory.boot.status;
  }

  get securityProfile(): number {
    return this.#credential.securityProfile;
  }

  get usedProfile(): number {
    return this.#credential.usedProfile;
  }

  get credentialChanges(): 'refuse' | 'track' {
    return this.#credential.changes;
  }

  get restriction(): Restriction | undefined {
    return this.#credential.restriction;
  }

  get commonNames(): readonly string[] {
    return this.#credential.commonNames;
  }

  get mayRequestCertificate(): boolean {
    return this.#memory.mayRequestCertificate(this.#clock.nowMs());
  }

  get lastSigningRequest(): SigningRequest | undefined {
    return this.#memory.lastSigningRequest;
  }

  wasTriggered(action: string): boolean {
    return this.#memory.wasTriggered(action);
  }

  ownsTransaction(transactionId: string): boolean {
    return this.#memory.ownsTransaction(transactionId);
  }

  otherOwnersOf(transactionId: string): number | 'unknown' | undefined {
    return this.transaction?.id === transactionId ? this.transaction.others : undefined;
  }

  isForeignName(name: string): boolean | 'unknown' | undefined {
    return this.commonName?.name === name ? this.commonName.isForeign : undefined;
  }

  isOwnCertificate(data: UnverifiedHashData): boolean {
    return this.#credential.isOwnCertificate(data);
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }
}
