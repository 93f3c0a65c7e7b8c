import { bindCertificate, bindingsOf } from '../chargers/certificate-bindings.ts';
import type { SecurityProfile } from '../chargers/charger-entry.ts';
import {
  findCredential,
  noteAuthenticated,
  promoteStaged,
  setPassword,
} from '../chargers/credentials.ts';
import { noteFallback } from '../chargers/profile-raises.ts';
import { lockRegistry } from '../chargers/registry-changes.ts';
import type { EventSink } from '../events/emit.ts';
import { hashPassword } from '../identity/password-hash.ts';
import type { Store } from '../store/store.ts';
import type { AdmittedArrival } from './admit-arrival.ts';

/** Where a charger has come in. */
export interface Entrance {
  readonly remoteAddress: string;
  readonly securityProfile: SecurityProfile;
}

/** How that came out. */
export type NotedAuthentication =
  /** `passwordHash`: of the password that it came with; undefined when the store has none. */
  | { readonly is: 'noted'; readonly passwordHash: string | undefined }
  /** It was to be believed for want of better knowledge, and by now there is some. */
  | { readonly is: 'contradicted' };

/**
 * Notes with what a charger has connected: a new password that it has shown is its only one from
 * now on, and a security profile that it has used is the least that it may use.
 *
 * Written through, before the charger learns that it is connected.
 *
 * @throws StoreError
 */
export async function noteAuthentication(
  { admitted, authenticated, candidateProfile, found }: AdmittedArrival,
  { remoteAddress, securityProfile }: Entrance,
  store: Store,
  emit: EventSink,
): Promise<NotedAuthentication> {
  const charger = admitted.id;
  const { credential } = found;
  const nowMs = store.nowMs();
  let hash: string | undefined;
  switch (authenticated.by) {
    case 'nobody':
      return noted(undefined);
    case 'default-password': {
      const { batch } = authenticated;
      emit({ name: 'DefaultPasswordUsed', charger, remoteAddress, batch });
      // It has proven nothing but that it is new.
      return noted(undefined);
    }
    case 'password': {
      const { next, password } = credential;
      if (authenticated.matched === 'current') {
        hash = password?.hash;
        if (next?.state === 'accepted') emit({ name: 'PasswordOldUsed', charger, remoteAddress });
        break;
      }
      hash = next?.hash;
      if (hash === undefined) break;
      const staged = hash;
      const isNew = await store.query((db) => promoteStaged(db, charger, staged, nowMs));
      if (isNew) emit({ name: 'PasswordChangeConfirmed', charger, remoteAddress });
      else {
        // Somebody else was quicker: with the same, or with something that it does not have.
        const current = await store.query((db) => findCredential(db, charger));
        if (current.password?.hash !== staged) return { is: 'contradicted' };
      }
      break;
    }
    case 'first-password': {
      const learned = await hashPassword(authenticated.password);
      const isLearned = await store.transactDurably(async (db) => {
        await lockRegistry(db);
        const current = await findCredential(db, charger);
        // Meanwhile an operator may have said what it is.
        if (current.password !== undefined || current.isDefaultRetired) return false;
        if ((await bindingsOf(db, charger)).length > 0) return false;
        await setPassword(db, charger, { hash: learned, origin: 'first-use' }, nowMs);
        return true;
      });
      if (!isLearned) return { is: 'contradicted' };
      emit({ name: 'CredentialLearned', charger, remoteAddress, credential: 'password' });
      hash = learned;
      break;
    }
    case 'certificate': {
      const { isExpired, learns } = authenticated;
      if (isExpired) return noted(undefined);
      if (learns === undefined) break;
      const isLearned = await store.transactDurably(async (db) => {
        await lockRegistry(db);
        const current = await findCredential(db, charger);
        if (current.password !== undefined || current.isDefaultRetired) return false;
        if ((await bindingsOf(db, charger)).length > 0) return false;
        return (await bindCertificate(db, charger, learns, nowMs)).is === 'bound';
      });
      if (!isLearned) return { is: 'contradicted' };
      emit({ name: 'CredentialLearned', charger, remoteAddress, credential: 'certificate' });
    }
  }
  if (candidateProfile !== undefined) {
    const count = await store.query((db) => noteFallback(db, charger));
    const [profile, candidate] = [securityProfile, candidateProfile];
    emit({ name: 'SecurityProfileFallback', charger, remoteAddress, profile, candidate, count });
  }
  const form = 'form' in authenticated ? authenticated.form : undefined;
  const { lastAddress, password, raise, usedProfile } = credential;
  const isNews =
    securityProfile > usedProfile ||
    lastAddress !== remoteAddress ||
    (form !== undefined && form !== password?.form) ||
    (raise !== undefined && securityProfile >= raise.to);
  if (isNews) {
    const authentication = { profile: securityProfile, address: remoteAddress, form };
    const before = await store.query((db) => noteAuthenticated(db, charger, authentication));
    if (before > 0 && before < securityProfile) {
      emit({ name: 'SecurityProfileRaised', charger, from: before, to: securityProfile });
    }
  }
  return noted(hash);
}

function noted(passwordHash: string | undefined): NotedAuthentication {
  return { is: 'noted', passwordHash };
}
