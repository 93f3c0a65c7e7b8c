import type { ChargerDirectory, FoundCharger } from '../chargers/directory.ts';
import type { Arrival } from '../connection/arrival.ts';
import type { EventSink } from '../events/emit.ts';
import { type AdmissionPolicy, type AdmittedCharger, admitCharger } from '../identity/admission.ts';
import type { Authenticated, Authenticator } from '../identity/authentication.ts';
import type { ChargerNetworks } from '../identity/charger-networks.ts';
import { judgeProfile } from '../identity/security-profile.ts';
import { certificateCandidates } from '../pki/certificate.ts';
import type { ClientTrust } from '../pki/trust.ts';
import { type DialRank, dialRank } from './dial-rank.ts';
import type { DialTurns } from './dial-turns.ts';

/** What it takes to say who is at the door, and whether it may come in. */
export interface AdmitTools {
  readonly admission: AdmissionPolicy;
  readonly authenticator: Authenticator;
  readonly directory: ChargerDirectory;
  readonly networks: ChargerNetworks;
  /** Whose turn it is to be connected to the CSMS. */
  readonly turns: DialTurns;
  readonly emit: EventSink;
  /**
   * Seconds after which a charger may try again that came at a bad moment, some of them random.
   *
   * @param seconds the least; without it what is configured.
   */
  retryAfter(seconds?: number): number;
}

/** A charger that has shown who it is, and may connect. */
export interface AdmittedArrival {
  readonly admitted: AdmittedCharger;
  readonly authenticated: Authenticated;
  readonly found: FoundCharger;
  /** How soon it is connected to the CSMS, when there are many. */
  readonly rank: DialRank;
  /** By which authorities and lists its certificate was judged. */
  readonly trust: ClientTrust | undefined;
  /** The profile that it was told to use, when it has come with a lower one. */
  readonly candidateProfile: number | undefined;
}

/**
 * Who it is, and whether it may connect.
 *
 * @param before what was found when the charger came. If nothing of it has changed, it need not show
 *   again who it is.
 * @returns undefined when it was refused.
 * @throws StoreError
 */
export async function admitArrival(
  arrival: Arrival,
  tools: AdmitTools,
  before?: AdmittedArrival,
): Promise<AdmittedArrival | undefined> {
  const { admission, authenticator, directory, emit, networks } = tools;
  const { gone, listener, network, request, securityProfile } = arrival;
  const { clientCertificate, remoteAddress, unverifiedId } = request;
  // Before anything that could be tried out from there: passwords, and the patience of the true one.
  if (!networks.admit(unverifiedId, network)) {
    emit({ name: 'IdentityOutOfPlace', charger: unverifiedId, remoteAddress, network });
    arrival.refuse('IDENTITY_OUT_OF_PLACE');
    return undefined;
  }
  const candidates =
    clientCertificate === undefined ? [] : certificateCandidates(clientCertificate.leaf);
  const found = await directory.find(unverifiedId, candidates);
  const isUnchanged = before !== undefined && hasSameCredential(before.found, found);
  const trust = isUnchanged ? before.trust : arrival.clientTrust();
  const authentication = isUnchanged
    ? ({ ok: true, value: before.authenticated } as const)
    : await authenticator.authenticate(
        { ...request, listener, securityProfile, trust, gone },
        found,
      );
  if (!authentication.ok) {
    const { code, detail, retryAfterSeconds } = authentication.error;
    const isBusy = code === 'AUTHENTICATION_BUSY';
    arrival.refuse(code, isBusy ? tools.retryAfter() : retryAfterSeconds, detail);
    return undefined;
  }
  const profile = judgeProfile(securityProfile, found.record, found.credential);
  if (profile.is === 'too-low') {
    arrival.refuse('SECURITY_PROFILE_TOO_LOW');
    return undefined;
  }
  const admitted = admitCharger(request, found.record, admission);
  if (!admitted.ok) {
    arrival.refuse(admitted.error);
    return undefined;
  }
  // By what was known when it came: by now, a newcomer is written down as well.
  const rank = dialRank(authentication.value, before?.found ?? found);
  if (dialsCsms(authentication.value) && refuseWhenBusy(arrival, rank, tools)) return undefined;
  const { id } = admitted.value;
  const entered = await directory.enter(id, found);
  if (entered === 'full') {
    arrival.refuse('ENROLLMENT_FULL');
    return undefined;
  }
  if (entered === 'enrolled') emit({ name: 'ChargerEnrolled', charger: id, remoteAddress });
  const { candidate: candidateProfile } = profile;
  return {
    admitted: admitted.value,
    authenticated: authentication.value,
    found,
    rank,
    trust,
    candidateProfile,
  };
}

/** Nobody knows yet who a charger with a default password is: the CSMS need not hear of it. */
export function dialsCsms({ by }: Authenticated): boolean {
  return by !== 'default-password';
}

/** Before anything is written down: a storm of chargers that are refused costs the store nothing. */
function refuseWhenBusy(arrival: Arrival, rank: DialRank, tools: AdmitTools): boolean {
  const busy = tools.turns.outlook(rank);
  if (busy !== undefined) {
    arrival.refuse('CSMS_DIALS_FULL', tools.retryAfter(busy.afterSeconds));
  }
  return busy !== undefined;
}

/** Would the charger show the same again, and be believed for the same reason? */
function hasSameCredential(one: FoundCharger, other: FoundCharger): boolean {
  const factsOf = ({ certificateOwners, credential, record }: FoundCharger): unknown => [
    credential.password?.hash,
    credential.next?.hash,
    credential.isDefaultRetired,
    record?.basicUser,
    record === undefined,
    [...certificateOwners].sort(),
  ];
  return JSON.stringify(factsOf(one)) === JSON.stringify(factsOf(other));
}
