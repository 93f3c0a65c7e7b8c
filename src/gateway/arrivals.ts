import { type ChargerId, identityKey } from '../chargers/charger-id.ts';
import type { Arrival } from '../connection/charger-listener.ts';
import type { CsmsDialer, DialFailure } from '../connection/csms-dialer.ts';
import type { HttpErrorCode } from '../errors/catalogue.ts';
import { toClose } from '../errors/to-close.ts';
import { type AdmissionPolicy, type AdmittedCharger, admitCharger } from '../identity/admission.ts';
import type { Random } from '../lib/random.ts';
import type { UnverifiedDescription } from '../rules/soft.ts';
import { Session, type SessionTools } from './session.ts';
import type { Claim, Sessions } from './sessions.ts';

/** What it takes to turn an arrival into a session. */
export interface ArrivalTools {
  readonly admission: AdmissionPolicy;
  readonly sessions: Sessions;
  readonly dial: CsmsDialer;
  readonly random: Random;
  readonly session: SessionTools;
  /** Seconds after which a refused charger may try again; some are added at random. */
  readonly retryAfterSeconds: number;
  /** What a charger said of itself before. */
  describedBefore(charger: ChargerId): UnverifiedDescription | undefined;
  readonly open: Set<Session>;
  /** Aborted when the gateway stops: whoever is on the way in by then is refused. */
  readonly stopping: AbortSignal;
}

/**
 * From a request at the door to a running session, or to a refusal.
 *
 * The order matters: who is it, may it, is it alone, is the CSMS there; and only then does the
 * charger learn that it is connected. A charger that was told 101 while the CSMS was down would
 * believe that its messages arrive.
 *
 * Source: OCPP 2.0.1 part 4 section 6 (Local Controller).
 */
export async function welcome(arrival: Arrival, tools: ArrivalTools): Promise<void> {
  const admitted = admitCharger(arrival.request, tools.admission);
  if (!admitted.ok) {
    arrival.refuse(admitted.error);
    return;
  }
  const { id } = admitted.value;
  let claim: Claim | undefined;
  try {
    claim = await claimIdentity(id, arrival, tools);
    if (claim === undefined) return;
    if (await connectThrough(admitted.value, claim, arrival, tools)) return;
  } catch (error) {
    tools.session.emit({ name: 'SessionFailed', charger: id, error });
    arrival.refuse('SESSION_FAILED');
  }
  if (claim !== undefined) tools.sessions.release(claim);
}

/** The claim, or undefined when the charger was refused because it is connected already. */
async function claimIdentity(
  charger: ChargerId,
  arrival: Arrival,
  tools: ArrivalTools,
): Promise<Claim | undefined> {
  const result = await tools.sessions.claim(charger);
  const { emit } = tools.session;
  const { remoteAddress } = arrival.request;
  if (result.is === 'active') {
    emit({ name: 'DuplicateIdentity', charger, remoteAddress, outcome: 'newcomer-refused' });
    arrival.refuse('IDENTITY_ACTIVE', retryAfter(tools));
    return undefined;
  }
  if (result.replaced) {
    emit({ name: 'DuplicateIdentity', charger, remoteAddress, outcome: 'older-replaced' });
  }
  return result.claim;
}

/** Dials the CSMS, answers the charger, and starts the session. @returns whether one runs. */
async function connectThrough(
  { id, offeredSubprotocol, record, versions }: AdmittedCharger,
  claim: Claim,
  arrival: Arrival,
  tools: ArrivalTools,
): Promise<boolean> {
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
  const subject = {
    charger: id,
    version,
    listener,
    record,
    description: tools.describedBefore(id),
  };
  const session: Session = new Session(subject, { charger, csms }, tools.session, () => {
    tools.open.delete(session);
    tools.sessions.release(claim);
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

/** Spread, so that chargers that were refused together do not come back together. */
function retryAfter({ random, retryAfterSeconds }: ArrivalTools): number {
  return random.integer(retryAfterSeconds, 2 * retryAfterSeconds);
}

/** What chargers said of themselves, for their next connection. Bounded; the oldest goes first. */
export class Descriptions {
  readonly #known = new Map<string, UnverifiedDescription>();
  readonly #countMax: number;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** Keeps `description` in place of what was kept before. */
  remember(charger: ChargerId, description: UnverifiedDescription): void {
    const key = identityKey(charger);
    this.#known.delete(key);
    this.#known.set(key, description);
    if (this.#known.size <= this.#countMax) return;
    const oldest = this.#known.keys().next();
    if (oldest.done === false) this.#known.delete(oldest.value);
  }

  /** What `charger` said last. */
  of(charger: ChargerId): UnverifiedDescription | undefined {
    return this.#known.get(identityKey(charger));
  }
}
