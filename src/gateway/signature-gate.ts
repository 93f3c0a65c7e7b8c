import { identityKey } from '../chargers/charger-id.ts';
import type { Peer } from '../ocpp/version.ts';
import type { CallLane } from '../queue/call-lane.ts';
import { mayBeSigned, openCharger } from '../signing/charger-message.ts';
import type { KeySet } from '../signing/key-set.ts';
import type { SignatureProblem } from '../signing/problem.ts';
import { ReplayWindow } from '../signing/replay-window.ts';
import { unverifiedMessage } from '../signing/unverified.ts';
import {
  type SignatureDemands,
  type SignatureFormat,
  type VerifiedFrame,
  verifySigned,
} from '../signing/verify.ts';
import { isStoreError } from '../store/store-error.ts';
import type { KnownCharger } from './known-charger.ts';
import type { OpenedMessage, ReceivedMessage } from './received-message.ts';
import type { SessionTools } from './session-tools.ts';
import { takeNonce } from './signature-nonces.ts';
import { signatureViolation } from './signature-violation.ts';

/** What the operator demands of the signatures of the CSMS. */
export interface SigningPolicy {
  /** The keys that count at this moment. */
  keys(): KeySet;
  /** Must every message be signed? Otherwise those that are must be signed well. */
  readonly isRequired: boolean;
  readonly formats: readonly SignatureFormat[];
  readonly demand: SignatureDemands;
  readonly maxAgeMs: number;
  readonly clockSkewMs: number;
  /** What chargers get of which nobody has said whether they know signatures. */
  readonly forwardTo: 'strip' | 'keep';
}

/** Nonces of one session that are remembered; more than a CSMS sends while one counts. */
const noncesMax = 1024;

/** Signers may write their time in whole seconds. */
const wholeSecondMs = 1_000;

/** What was made of a message: at once, or after the store was asked. */
export type Opened = OpenedMessage | { readonly recorded: Promise<OpenedMessage> };

/**
 * Looks at the signatures of the messages of one session: whether what comes from the CSMS is signed
 * by who holds its key (rule 0), and what chargers have signed. Behind it, a message is what was
 * signed.
 *
 * Source: PNNL-35706 Table 1, row 0; OCPP 2.0.1 part 4 section 7.
 */
export class SignatureGate {
  readonly #known: KnownCharger;
  readonly #lanes: Readonly<Record<Peer, CallLane>>;
  readonly #tools: SessionTools;
  readonly #policy: SigningPolicy | undefined;
  readonly #replays: ReplayWindow | undefined;
  /** What was signed later than this, nobody else can have been given before. */
  readonly #ownFromMs: number;

  constructor(known: KnownCharger, lanes: Readonly<Record<Peer, CallLane>>, tools: SessionTools) {
    this.#known = known;
    this.#lanes = lanes;
    this.#tools = tools;
    // Where the gateway stands in for the CSMS, nobody signs.
    const isDesk = known.credential.restriction === 'default-password';
    this.#policy = isDesk ? undefined : tools.signing;
    const startedAtMs = tools.clock.nowMs();
    const skewMs = Math.max(this.#policy?.clockSkewMs ?? 0, wholeSecondMs);
    this.#ownFromMs = startedAtMs + skewMs;
    if (this.#policy === undefined) return;
    const { clockSkewMs, maxAgeMs } = this.#policy;
    // What is said in this session is signed in it. So nothing of an earlier one comes in again,
    // but for what was signed just before, or by a clock that is behind.
    const floorMs = startedAtMs - skewMs;
    this.#replays = new ReplayWindow(
      { noncesMax, keepMs: maxAgeMs + clockSkewMs },
      { floorMs, seen: [] },
    );
  }

  /** Looks at the signature of a message. Each is to be looked at once: a second time is a replay. */
  open(message: ReceivedMessage): Opened {
    return message.from === 'csms' ? this.#openCsms(message) : this.#openCharger(message);
  }

  #openCsms(message: ReceivedMessage): Opened {
    const policy = this.#policy;
    const replays = this.#replays;
    if (policy === undefined || replays === undefined) return message;
    const { clock } = this.#tools;
    const { charger } = this.#known;
    const verified = verifySigned(message.bytes, {
      formats: policy.formats,
      keys: policy.keys(),
      demand: policy.demand,
      charger,
      nowMs: clock.nowMs(),
      maxAgeMs: policy.maxAgeMs,
      clockSkewMs: policy.clockSkewMs,
      replays,
      // The CSMS answers the calls of the charger, and complains of its answers.
      actionOfReply: (id, typeId) => this.#actionOf(id, typeId === 5 ? 'csms' : 'charger'),
    });
    if (!verified.ok) {
      if (verified.error.is === 'missing' && !policy.isRequired) return message;
      return this.#refused(message, verified.error);
    }
    const { nonce } = verified.value;
    const opened = this.#unsealed(message, verified.value, policy);
    // The store knows commands alone: a reply answers one call, which is open here.
    if (nonce === undefined || !isCommand(verified.value.bytes)) return opened;
    return { recorded: this.#recorded(opened, nonce) };
  }

  #unsealed(
    message: ReceivedMessage,
    { bytes }: VerifiedFrame,
    { forwardTo }: SigningPolicy,
  ): OpenedMessage {
    const isKept = (this.#known.record?.signedMessages ?? forwardTo) === 'keep';
    const received = message.bytes;
    return { ...message, bytes, seal: { received, sealed: isKept ? received : undefined } };
  }

  /** What the message would have been is said all the same, so that it can be named and answered. */
  #refused(message: ReceivedMessage, problem: SignatureProblem): OpenedMessage {
    const received = message.bytes;
    const bytes = unverifiedMessage(received) ?? received;
    return { ...message, bytes, seal: { received, violation: signatureViolation(problem) } };
  }

  async #recorded(
    opened: OpenedMessage,
    nonce: { readonly value: string; readonly issuedAtMs: number },
  ): Promise<OpenedMessage> {
    const key = identityKey(this.#known.charger);
    const refused = (problem: SignatureProblem): OpenedMessage => {
      return { ...opened, seal: { ...opened.seal, violation: signatureViolation(problem) } };
    };
    try {
      if (await takeNonce(this.#tools.store, key, nonce)) return opened;
    } catch (error) {
      if (!isStoreError(error)) throw error;
      // What this session has seen it knows by itself, and nobody else was ever given what was signed
      // since: a store that is away keeps nobody from stopping a car.
      if (nonce.issuedAtMs > this.#ownFromMs) return opened;
      return refused({ is: 'unchecked', detail: 'the store is away' });
    }
    return refused({ is: 'replayed', detail: 'a message with this jti has come before' });
  }

  /** What a charger has signed is judged by what it says, and passed on with its signature. */
  #openCharger(message: ReceivedMessage): OpenedMessage {
    if (!mayBeSigned(message.bytes)) return message;
    const opened = openCharger(message.bytes, {
      certificate: this.#known.credential.certificate,
      // A charger answers the calls of the CSMS, and complains of its answers.
      actionOfReply: (id, typeId) => this.#actionOf(id, typeId === 5 ? 'charger' : 'csms'),
    });
    if (opened === undefined) return message;
    const { charger, version } = this.#known;
    const { bytes, verdict } = opened;
    this.#tools.emit({ name: 'ChargerMessageSigned', charger, version, verdict });
    const received = message.bytes;
    return { ...message, bytes, seal: { received, sealed: received } };
  }

  #actionOf(id: string, caller: Peer): string | undefined {
    return this.#lanes[caller].actionOf(id, this.#tools.clock.elapsedMs());
  }
}

/** A CALL or a SEND: it begins with its number. */
function isCommand(bytes: Uint8Array): boolean {
  return /^\s*\[\s*[26]\s*,/.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1'));
}
