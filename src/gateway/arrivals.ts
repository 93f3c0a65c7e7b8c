import { type ChargerId, identityKey } from '../chargers/charger-id.ts';
import type { Claim } from '../chargers/claims.ts';
import type { Memories } from '../chargers/memories.ts';
import type { ChargerMemory } from '../chargers/memory/charger-memory.ts';
import type { Arrival } from '../connection/arrival.ts';
import type { CsmsAuthorization, CsmsDialer, DialFailure } from '../connection/csms-dialer.ts';
import type { PeerLink } from '../connection/peer-link.ts';
import type { HttpErrorCode } from '../errors/catalogue.ts';
import { toClose } from '../errors/to-close.ts';
import { open as openSealed } from '../identity/sealed-text.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import type { CertificateEvidence } from '../pki/client-certificate.ts';
import type { ClientTrust } from '../pki/trust.ts';
import { isStoreError } from '../store/store-error.ts';
import { type AdmitTools, type AdmittedArrival, admitArrival, dialsCsms } from './admit-arrival.ts';
import { CommissioningDesk } from './commissioning-desk.ts';
import { type NotedAuthentication, noteAuthentication } from './note-authentication.ts';
import { Session } from './session.ts';
import { isProven, sessionCredential } from './session-credential.ts';
import type { SessionTools } from './session-tools.ts';
import type { Sessions } from './sessions.ts';
import { WaitingHolder } from './waiting-holder.ts';

/** How the gateway shows the CSMS for which charger it speaks. */
export type CsmsAuth =
  /** Not at all, or with a certificate of its own for all of them. */
  | { readonly type: 'none' | 'clientCertificate' }
  /** With the charger's own password. */
  | { readonly type: 'forward' }
  /** With one for each charger, encrypted with `key`. */
  | { readonly type: 'perCharger'; readonly key: Buffer };

/** What it takes to turn an arrival into a session. */
export interface ArrivalTools {
  readonly admit: AdmitTools;
  readonly sessions: Sessions;
  readonly memories: Memories;
  readonly csmsAuth: CsmsAuth;
  /** What becomes of the CSMS's own changes of a charger's password. */
  readonly credentialChanges: 'refuse' | 'track';
  /** Whose certificates count at this moment on the listener of this name. */
  clientTrust(listener: string): ClientTrust | undefined;
  readonly dial: CsmsDialer;
  readonly session: SessionTools;
  readonly open: Set<Session>;
  /** Aborted when the gateway stops: whoever is on the way in by then is refused. */
  readonly stopping: AbortSignal;
}

/** A charger that has its claim, and what is known of it. */
interface Claimed {
  readonly arrived: AdmittedArrival;
  readonly claim: Claim;
  memory: ChargerMemory | undefined;
}

/** The CSMS's side of a session, and the version that was agreed on. */
interface CsmsSide {
  readonly link: PeerLink;
  readonly version: OcppVersion;
}

/**
 * From a request at the door to a running session, or to a refusal.
 *
 * The order matters: who is it, may it, is it alone, is it its turn, is the CSMS there; and only
 * then does the charger learn that it is connected. A charger that was told 101 while the CSMS was
 * down would believe that its messages arrive. While the store is away nobody knows who may connect,
 * so nobody new does.
 *
 * Source: OCPP 2.0.1 part 4 section 6 (Local Controller).
 */
export async function welcome(arrival: Arrival, tools: ArrivalTools): Promise<void> {
  let claimed: Claimed | undefined;
  try {
    const arrived = await admitArrival(arrival, tools.admit);
    if (arrived === undefined) return;
    const claim = await claimIdentity(arrived, arrival, tools);
    if (claim === undefined) return;
    claimed = { arrived, claim, memory: undefined };
    // While the claim was contested, an operator may have changed his mind.
    const current = await admitArrival(arrival, tools.admit, arrived);
    if (current !== undefined) {
      claimed = { arrived: current, claim, memory: undefined };
      if (await connectThrough(claimed, arrival, tools)) return;
    }
  } catch (error) {
    refuseAfterFailure(arrival, error, tools);
  }
  if (claimed === undefined) return;
  tools.sessions.end(claimed.claim);
  tools.memories.ended(claimed.claim, claimed.memory);
}

/** The claim, or undefined when the charger was refused because it is connected already. */
async function claimIdentity(
  { admitted, authenticated }: AdmittedArrival,
  arrival: Arrival,
  tools: ArrivalTools,
): Promise<Claim | undefined> {
  const charger = admitted.id;
  const result = await tools.sessions.claim(charger, arrival.gone, isProven(authenticated));
  const { emit } = tools.session;
  const { remoteAddress } = arrival.request;
  switch (result.is) {
    case 'active':
      emit({ name: 'DuplicateIdentity', charger, remoteAddress, outcome: 'newcomer-refused' });
      arrival.refuse('IDENTITY_ACTIVE', tools.admit.retryAfter());
      return undefined;
    case 'gone':
      return undefined;
    case 'quarantined': {
      const { isNew, reason, untilMs } = result;
      const until = new Date(untilMs).toISOString();
      if (isNew) emit({ name: 'IdentityQuarantined', charger, reason, until, by: 'gateway' });
      arrival.refuse('IDENTITY_QUARANTINED', tools.admit.retryAfter());
      return undefined;
    }
    case 'claimed':
      if (result.replaced) {
        emit({ name: 'DuplicateIdentity', charger, remoteAddress, outcome: 'older-replaced' });
      }
      return result.claim;
  }
}

/** Dials the CSMS, answers the charger, and starts the session. @returns whether one runs. */
async function connectThrough(
  claimed: Claimed,
  arrival: Arrival,
  tools: ArrivalTools,
): Promise<boolean> {
  const { arrived, claim } = claimed;
  const { admitted, authenticated } = arrived;
  const { id, offeredSubprotocol, record } = admitted;
  const memory = await tools.memories.load(claim);
  claimed.memory = memory;
  let session: Session | undefined;
  const csms = dialsCsms(authenticated)
    ? await dialFor(claimed, arrival, tools)
    : deskFor(arrived, tools, () => session?.commission());
  if (csms === undefined) return false;
  const { link, version } = csms;
  const { listener, request, securityProfile } = arrival;
  const { remoteAddress } = request;
  const entrance = { remoteAddress, securityProfile };
  let noted: NotedAuthentication;
  try {
    const { emit, store } = tools.session;
    noted = await noteAuthentication(arrived, entrance, store, emit);
  } catch (error) {
    link.close(toClose('CHARGER_GONE'));
    throw error;
  }
  if (noted.is === 'contradicted') {
    link.close(toClose('CHARGER_GONE'));
    // It comes again, and is judged by what is known now.
    arrival.refuse('CREDENTIAL_SUPERSEDED');
    return false;
  }
  const { passwordHash } = noted;
  const charger = await arrival.accept(
    offeredSubprotocol ? version : undefined,
    record?.pingSeconds,
  );
  if (charger === undefined) {
    link.close(toClose('CHARGER_GONE'));
    return false;
  }
  const { clientCertificate } = request;
  const changes = tools.credentialChanges;
  const isStillTrusted = trustCheck(arrived.trust, clientCertificate, listener, tools);
  const shown = { clientCertificate, isStillTrusted, passwordHash, securityProfile, changes };
  const credential = sessionCredential(arrived, shown);
  const subject = { charger: id, version, listener, credential, record, claim, memory };
  const started: Session = new Session(subject, { charger, csms: link }, tools.session, () => {
    tools.open.delete(started);
    tools.sessions.end(claim);
  });
  session = started;
  tools.open.add(started);
  tools.sessions.hold(claim, started);
  tools.session.emit({
    name: 'SessionOpened',
    charger: id,
    version,
    listener,
    remoteAddress,
    securityProfile,
    credential: credential.by,
    restriction: credential.restriction,
  });
  started.start();
  return true;
}

/** Judges the charger's certificate again when the authorities or their lists have changed. */
function trustCheck(
  trust: ClientTrust | undefined,
  clientCertificate: CertificateEvidence | undefined,
  listener: string,
  tools: ArrivalTools,
): () => boolean {
  if (clientCertificate === undefined) return () => true;
  let judgedBy = trust;
  let isTrusted = true;
  return () => {
    const current = tools.clientTrust(listener);
    if (current !== judgedBy) {
      judgedBy = current;
      isTrusted = tools.admit.authenticator.trusts(clientCertificate, listener, current);
    }
    return isTrusted;
  };
}

/** Stands in for the CSMS, in the version that the charger likes best. */
function deskFor(
  { admitted }: AdmittedArrival,
  { session }: ArrivalTools,
  onBooted: () => void,
): CsmsSide | undefined {
  const [version] = admitted.versions;
  if (version === undefined) return undefined;
  return { link: new CommissioningDesk(session.clock, onBooted), version };
}

/** The connection to the CSMS; undefined when the charger was refused because there is none. */
async function dialFor(
  { arrived, claim }: Claimed,
  arrival: Arrival,
  tools: ArrivalTools,
): Promise<CsmsSide | undefined> {
  const { id, versions } = arrived.admitted;
  const authorization = authorizationFor(arrived, tools.csmsAuth);
  if (authorization === 'missing') {
    const detail = 'no password towards the CSMS';
    refuseAfterDial(arrival, id, { code: 'CSMS_CREDENTIAL_MISSING', detail }, tools);
    return undefined;
  }
  const signal = AbortSignal.any([arrival.gone, tools.stopping]);
  const turn = await turnFor({ arrived, claim }, arrival, signal, tools);
  if (turn === 'refused') return undefined;
  // While an older connection was asked, or it waited for its turn, this one may have gone.
  const connection =
    turn === 'gone' ? undefined : await tools.dial({ id, versions, signal, authorization });
  if (connection === undefined || tools.stopping.aborted) {
    if (connection?.ok === true) connection.value.socket.close(toClose('GATEWAY_STOPPING'));
    if (!arrival.gone.aborted) arrival.refuse('GATEWAY_STOPPING', tools.admit.retryAfter());
    return undefined;
  }
  if (!connection.ok) {
    refuseAfterDial(arrival, id, connection.error, tools);
    return undefined;
  }
  const { socket, version } = connection.value;
  return { link: socket, version };
}

/**
 * Waits until the CSMS may be dialled.
 *
 * After the claim: whoever has none could wait with one identity in many places.
 */
async function turnFor(
  { arrived, claim }: Pick<Claimed, 'arrived' | 'claim'>,
  arrival: Arrival,
  signal: AbortSignal,
  { admit, sessions }: ArrivalTools,
): Promise<'go' | 'gone' | 'refused'> {
  const { securityProfile } = arrival;
  const holder = new WaitingHolder({ securityProfile, isProven: isProven(arrived.authenticated) });
  sessions.hold(claim, holder);
  const turn = await admit.turns.take(arrived.rank, AbortSignal.any([signal, holder.displaced]));
  // While the CSMS is dialled, the first one is let in.
  sessions.hold(claim, undefined);
  if (holder.displaced.aborted) {
    if (!signal.aborted) arrival.refuse('IDENTITY_ACTIVE', admit.retryAfter());
    return 'refused';
  }
  if (turn.is !== 'busy') return turn.is;
  arrival.refuse('CSMS_DIALS_FULL', admit.retryAfter(turn.afterSeconds));
  return 'refused';
}

/** What the gateway says to the CSMS for this charger; undefined for nothing. */
function authorizationFor(
  { admitted, authenticated, found }: AdmittedArrival,
  auth: CsmsAuth,
): CsmsAuthorization | undefined | 'missing' {
  const user = admitted.id;
  switch (auth.type) {
    case 'none':
    case 'clientCertificate':
      return undefined;
    case 'forward': {
      const password = authenticated.by === 'certificate' ? undefined : authenticated.password;
      return password === undefined ? undefined : { user, password };
    }
    case 'perCharger': {
      const { csmsPassword } = found.credential;
      if (csmsPassword === undefined) return 'missing';
      const password = openSealed(csmsPassword, auth.key, identityKey(user));
      return password === undefined ? 'missing' : { user, password };
    }
  }
}

function refuseAfterDial(
  arrival: Arrival,
  charger: ChargerId,
  {
    code,
    detail,
  }: DialFailure | { readonly code: 'CSMS_CREDENTIAL_MISSING'; readonly detail: string },
  tools: ArrivalTools,
): void {
  if (arrival.gone.aborted) return;
  tools.session.emit({ name: 'CsmsDialFailed', charger, code, detail });
  const refusal: HttpErrorCode = code;
  // A charger that has no version in common will have none in a minute either.
  const isPassing = code !== 'SUBPROTOCOL_NONE_IN_COMMON' && code !== 'CSMS_CREDENTIAL_MISSING';
  arrival.refuse(refusal, isPassing ? tools.admit.retryAfter() : undefined);
}

function refuseAfterFailure(arrival: Arrival, error: unknown, tools: ArrivalTools): void {
  if (isStoreError(error)) {
    arrival.refuse('STORE_UNAVAILABLE', tools.admit.retryAfter());
    return;
  }
  const charger = arrival.request.unverifiedId;
  tools.session.emit({ name: 'SessionFailed', charger, error });
  arrival.refuse('SESSION_FAILED');
}
