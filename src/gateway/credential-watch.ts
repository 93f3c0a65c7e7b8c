import type { NextPassword } from '../chargers/charger-credential.ts';
import { type SecurityProfile, securityProfiles } from '../chargers/charger-entry.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import {
  acceptStaged,
  dropStaged,
  findCredential,
  type StagedPassword,
  stagePassword,
} from '../chargers/credentials.ts';
import { raiseProfile } from '../chargers/profile-raises.ts';
import { lockRegistry } from '../chargers/registry-changes.ts';
import type { EventSink } from '../events/emit.ts';
import { canonicalPassword, hashPassword } from '../identity/password-hash.ts';
import { RareMap } from '../lib/rare-map.ts';
import {
  type CredentialChange,
  passwordChangeOutcome,
  profileRaiseOutcome,
} from '../ocpp/credential-changes.ts';
import type { Call } from '../ocpp/message.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import type { Store } from '../store/store.ts';
import { isStoreError } from '../store/store-error.ts';

/** What watching needs. */
export interface CredentialWatchTools {
  readonly store: Store;
  readonly emit: EventSink;
}

/** A call whose answer will tell whether something was changed. */
interface Watched {
  readonly action: string;
  /** Is it on its way? Then the charger may do it, also if no answer comes. */
  isSent: boolean;
  /** The hash of a password that was noted, and which entry of the call it is. */
  readonly password:
    | {
        readonly hash: string;
        readonly index: number;
        /** What the charger was sent earlier and has not come with yet. */
        readonly before: NextPassword | undefined;
      }
    | undefined;
  readonly profiles: readonly { readonly to: SecurityProfile; readonly index: number }[];
}

/**
 * What the CSMS itself changes of a charger's password and security profile, so that the gateway
 * knows it as well: a password is noted before it is passed on, and holds beside the old one until
 * the charger has come with it.
 *
 * Source: OCPP 2.0.1 part 2, A01 and A05; "Improved security for OCPP 1.6-J" edition 3, A01.
 */
export class CredentialWatch {
  readonly #charger: ChargerId;
  readonly #version: OcppVersion;
  readonly #tools: CredentialWatchTools;
  readonly #watched = new RareMap<string, Watched>();
  #isStopped = false;

  constructor(charger: ChargerId, version: OcppVersion, tools: CredentialWatchTools) {
    this.#charger = charger;
    this.#version = version;
    this.#tools = tools;
  }

  /**
   * Takes note of what `call` changes.
   *
   * @param present the hash of the present password: the new one is checked in the same go.
   * @returns false when nobody can take note of it now: then it must not be passed on.
   */
  async begin(
    call: Pick<Call, 'action' | 'id'>,
    changes: readonly CredentialChange[],
    present: string | undefined,
  ): Promise<boolean> {
    const { emit, store } = this.#tools;
    const charger = this.#charger;
    // Of several in one call, the charger takes the last.
    const change = changes.findLast((it) => it.is === 'password');
    let password: Watched['password'];
    if (change !== undefined) {
      const hash = await hashPassword(canonicalPassword(change.password), present);
      const expected = present === undefined ? 'any' : { hash: present };
      let staged: StagedPassword;
      try {
        staged = await store.transactDurably((db) =>
          stagePassword(db, charger, { hash, origin: 'csms' }, expected, store.nowMs()),
        );
      } catch (error) {
        if (!isStoreError(error)) throw error;
        return false;
      }
      if (staged.is !== 'staged') return false;
      password = { hash, index: change.index, before: staged.before };
      emit({ name: 'PasswordChangeSent', charger, by: 'csms' });
    }
    const profiles = changes.flatMap((it) => {
      // Of slots that SetVariables sets, the answer cannot be told from that of the charger itself.
      const isSlot = it.is === 'slot-profile' && call.action === 'SetNetworkProfile';
      if (it.is !== 'security-profile' && !isSlot) return [];
      const to = securityProfiles.find((profile) => profile === it.profile);
      return to === undefined ? [] : [{ to, index: it.index }];
    });
    this.#watched.set(call.id, { action: call.action, isSent: false, password, profiles });
    if (!this.#isStopped) return true;
    // The session has ended meanwhile.
    await this.neverSent(call.id);
    return false;
  }

  /** The call `id` is on its way. */
  sending(id: string): void {
    const watched = this.#watched.get(id);
    if (watched !== undefined) watched.isSent = true;
  }

  /** The session is over: what was noted for calls that were never sent is forgotten. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const [id, { isSent }] of this.#watched.entries()) if (!isSent) await this.neverSent(id);
  }

  /** Will the answer to the call `id` tell something? */
  isWatched(id: string): boolean {
    return this.#watched.has(id);
  }

  /**
   * The charger has answered the call `id`.
   *
   * @param payload undefined for a CallError.
   * @throws what is a defect, not a store that is away: then both passwords hold.
   */
  async end(id: string, payload: unknown): Promise<void> {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    this.#watched.delete(id);
    try {
      await this.#endPassword(watched, payload);
      await this.#endProfile(watched, payload);
    } catch (error) {
      if (!isStoreError(error)) throw error;
    }
  }

  /** The call `id` was never sent: what was noted for it is forgotten. */
  async neverSent(id: string): Promise<void> {
    const password = this.#watched.get(id)?.password;
    this.#watched.delete(id);
    if (password === undefined) return;
    const { emit, store } = this.#tools;
    const charger = this.#charger;
    const { before, hash } = password;
    const outcome = 'unsent';
    emit({ name: 'PasswordChangeFailed', charger, by: 'csms', outcome });
    try {
      await store.query((db) => dropStaged(db, charger, hash, { outcome, before }, store.nowMs()));
    } catch (error) {
      // Then a password holds that nobody has.
      if (!isStoreError(error)) throw error;
    }
  }

  async #endPassword({ password }: Watched, payload: unknown): Promise<void> {
    if (password === undefined) return;
    const { emit, store } = this.#tools;
    const charger = this.#charger;
    const { before, hash, index } = password;
    const outcome =
      payload === undefined ? 'rejected' : passwordChangeOutcome(this.#version, payload, index);
    const nowMs = store.nowMs();
    switch (outcome) {
      case 'accepted':
      case 'reboot-required':
        emit({ name: 'PasswordChangeAccepted', charger, by: 'csms' });
        await store.query((db) => acceptStaged(db, charger, hash, nowMs));
        return;
      case 'rejected':
      case 'not-supported':
        emit({ name: 'PasswordChangeFailed', charger, by: 'csms', outcome });
        await store.query((db) => dropStaged(db, charger, hash, { outcome, before }, nowMs));
        return;
      case 'unclear':
        return;
    }
  }

  async #endProfile({ action, profiles }: Watched, payload: unknown): Promise<void> {
    const { store } = this.#tools;
    for (const { index, to } of profiles) {
      const outcome =
        payload === undefined
          ? 'rejected'
          : profileRaiseOutcome(this.#version, action, payload, index);
      if (outcome !== 'accepted' && outcome !== 'reboot-required') continue;
      await store.transact(async (db) => {
        await lockRegistry(db);
        const { raise, usedProfile } = await findCredential(db, this.#charger);
        // A slot for what it uses already is no raise, and ends none.
        if (to <= Math.max(usedProfile, raise?.to ?? 0)) return;
        await raiseProfile(db, this.#charger, to, store.nowMs());
      });
    }
  }
}
