import type { ChargerId } from '../chargers/charger-id.ts';
import type { Claim } from '../chargers/claims.ts';
import type { ChargerDirectory } from '../chargers/directory.ts';
import type { Memories } from '../chargers/memories.ts';
import type { ChargerMemory } from '../chargers/memory/charger-memory.ts';
import type { Arrival } from '../connection/charger-listener.ts';
import type { CsmsDialer, DialFailure } from '../connection/csms-dialer.ts';
import type { HttpErrorCode } from '../errors/catalogue.ts';
import { toClose } from '../errors/to-close.ts';
import { type AdmissionPolicy, type AdmittedCharger, admitCharger } from '../identity/admission.ts';
import type { Random } from '../lib/random.ts';
import { isStoreError } from '../store/store-error.ts';
import { Session, type SessionTools } from './session.ts';
import type { Sessions } from './sessions.ts';

/** What it takes to turn an arrival into a session. */
export interface ArrivalTools {
  readonly admission: AdmissionPolicy;
  readonly directory: ChargerDirectory;
  readonly sessions: Sessions;
  readonly memories: Memories;
  readonly dial: CsmsDialer;
  readonly random: Random;
  readonly session: SessionTools;
  /** Seconds after which a refused charger may try again; some are added at random. */
  readonly retryAfterSeconds: number;
  readonly open: Set<Session>;
  /** Aborted when the gateway stops: whoever is on the way in by then is refused. */
  readonly stopping: AbortSignal;
}

/** A charger that has its claim, and what is known of it. */
interface Claimed {
  readonly admitted: AdmittedCharger;
  readonly claim: Claim;
  memory: ChargerMemory | undefined;
}

/**
 * From a request at the door to a running session, or to a refusal.
 *
 * The order matters: who is it, may it, is it alone, is the CSMS there; and only then does the
 * charger learn that it is connected. A charger that was told 101 while the CSMS was down would
 * believe that its messages arrive. While the store is away nobody knows who may connect, so nobody
 * new does.
 *
 * Source: OCPP 2.0.1 part 4 section 6 (Local Controller).
 */
export async function welcome(arrival: Arrival, tools: ArrivalTools): Promise<void> {
  let claimed: Claimed | undefined;
  try {
    const admitted = await admit(arrival, tools);
    if (admitted === undefined) return;
    const claim = await claimIdentity(admitted.id, arrival, tools);
    if (claim === undefined) return;
    claimed = { admitted, claim, memory: undefined };
    // While the claim was contested, an operator may have changed his mind.
    const current = await admit(arrival, tools);
    if (current !== undefined) {
      claimed = { admitted: current, claim, memory: undefined };
      if (await connectThrough(claimed, arrival, tools)) return;
    }
  } catch (error) {
    refuseAfterFailure(arrival, error, tools);
  }
  if (claimed === undefined) return;
  tools.sessions.end(claimed.claim);
  tools.memories.ended(claimed.claim, claimed.memory);
}

/** Who it is, and whether it may connect; undefined when it was refused. */
async function admit(
  arrival: Arrival,
  { admission, directory, session }: ArrivalTools,
): Promise<AdmittedCharger | undefined> {
  const { request } = arrival;
  const { unverifiedId } = request;
  const found = await directory.find(unverifiedId);
  const admitted = admitCharger(
    { ...request, securityProfile: arrival.securityProfile },
    found.record,
    admission,
  );
  if (!admitted.ok) {
    arrival.refuse(admitted.error);
    return undefined;
  }
  const { id } = admitted.value;
  const entered = await directory.enter(id, found);
  if (entered === 'full') {
    arrival.refuse('ENROLLMENT_FULL');
    return undefined;
  }
  if (entered === 'enrolled') {
    const { remoteAddress } = request;
    session.emit({ name: 'ChargerEnrolled', charger: id, remoteAddress });
  }
  return admitted.value;
}

/** The claim, or undefined when the charger was refused because it is connected already. */
async function claimIdentity(
  charger: ChargerId,
  arrival: Arrival,
  tools: ArrivalTools,
): Promise<Claim | undefined> {
  const result = await tools.sessions.claim(charger, arrival.gone);
  const { emit } = tools.session;
  const { remoteAddress } = arrival.request;
  switch (result.is) {
    case 'active':
      emit({ name: 'DuplicateIdentity', charger, remoteAddress, outcome: 'newcomer-refused' });
      arrival.refuse('IDENTITY_ACTIVE', retryAfter(tools));
      return undefined;
    case 'gone':
      return undefined;
    case 'quarantined': {
      const { isNew, reason, untilMs } = result;
      const until = new Date(untilMs).toISOString();
      if (isNew) emit({ name: 'IdentityQuarantined', charger, reason, until, by: 'gateway' });
      arrival.refuse('IDENTITY_QUARANTINED', retryAfter(tools));
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
  const { admitted, claim } = claimed;
  const { id, offeredSubprotocol, record, versions } = admitted;
  const memory = await tools.memories.load(claim);
  claimed.memory = memory;
  const signal = AbortSignal.any([arrival.gone, tools.stopping]);
  // While an older connection was asked, this one may have gone.
  const connection = signal.aborted ? undefined : await tools.dial({ id, versions, signal });
  if (connection === undefined || tools.stopping.aborted) {
    if (connection?.ok === true) connection.value.socket.close(toClose('GATEWAY_STOPPING'));
    if (!arrival.gone.aborted) arrival.refuse('GATEWAY_STOPPING', retryAfter(tools));
    return false;
  }
  if (!connection.ok) {
    refuseAfterDial(arrival, id, connection.error, tools);
    return false;
  }
  const { socket: csms, version } = connection.value;
  const charger = await arrival.accept(
    offeredSubprotocol ? version : undefined,
    record?.pingSeconds,
  );
  if (charger === undefined) {
    csms.close(toClose('CHARGER_GONE'));
    return false;
  }
  const { listener, request } = arrival;
  const subject = { charger: id, version, listener, record, claim, memory };
  const session: Session = new Session(subject, { charger, csms }, tools.session, () => {
    tools.open.delete(session);
    tools.sessions.end(claim);
  });
  tools.open.add(session);
  tools.sessions.hold(claim, session);
  const { remoteAddress } = request;
  tools.session.emit({ name: 'SessionOpened', charger: id, version, listener, remoteAddress });
  session.start();
  return true;
}

function refuseAfterDial(
  arrival: Arrival,
  charger: ChargerId,
  { code, detail }: DialFailure,
  tools: ArrivalTools,
): void {
  if (arrival.gone.aborted) return;
  tools.session.emit({ name: 'CsmsDialFailed', charger, code, detail });
  const refusal: HttpErrorCode = code;
  // A charger that has no version in common will have none in a minute either.
  const isPassing = code !== 'SUBPROTOCOL_NONE_IN_COMMON';
  arrival.refuse(refusal, isPassing ? retryAfter(tools) : undefined);
}

function refuseAfterFailure(arrival: Arrival, error: unknown, tools: ArrivalTools): void {
  if (isStoreError(error)) {
    arrival.refuse('STORE_UNAVAILABLE', retryAfter(tools));
    return;
  }
  const charger = arrival.request.unverifiedId;
  tools.session.emit({ name: 'SessionFailed', charger, error });
  arrival.refuse('SESSION_FAILED');
}

/** Spread, so that chargers that were refused together do not come back together. */
function retryAfter({ random, retryAfterSeconds }: ArrivalTools): number {
  return random.integer(retryAfterSeconds, 2 * retryAfterSeconds);
}
