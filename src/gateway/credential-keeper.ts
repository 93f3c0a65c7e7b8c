import type { ChargerCredential } from '../chargers/charger-credential.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import type { ExpectedPassword } from '../chargers/credentials.ts';
import type { EventSink } from '../events/emit.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { RareMap } from '../lib/rare-map.ts';
import type { CredentialChange } from '../ocpp/credential-changes.ts';
import type { Call, JsonObject } from '../ocpp/message.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';
import type { Admitted, Frame } from '../rules/frame.ts';
import type { Store } from '../store/store.ts';
import { CredentialWatch } from './credential-watch.ts';
import type { OwnReply } from './own-calls.ts';
import { changePassword, declineChange, type PasswordChangeResult } from './password-change.ts';
import type { SessionCredential } from './session-credential.ts';

/** Whose credential is kept. */
export interface CredentialKeeperSubject {
  readonly charger: ChargerId;
  readonly version: OcppVersion;
  readonly credential: SessionCredential;
}

/** What keeping it needs of the session. */
export interface CredentialKeeperTools {
  readonly clock: Clock;
  readonly emit: EventSink;
  readonly store: Store;
  /** Days after which a charger gets a new password; 0 for never. */
  readonly rotateDays: number;
  /** Calls the charger; the answer stays at the gateway. */
  call(action: string, payload: JsonObject): Promise<OwnReply>;
  /** Ends the session. */
  end(code: 'CREDENTIAL_CHANGED' | 'CREDENTIAL_REVOKED'): void;
  /** Something has failed that is a defect of the gateway. */
  fail(error: unknown): void;
}

/** Chargers may connect again without booting; then they are not waited for any longer than this. */
const bootWaitMs = 30_000;
/** A charger that has a new password is to close by itself; after this time it is helped. */
const leaveMs = 5_000;
const dayMs = 86_400_000;

/**
 * The life of a credential during one session: it is given to a charger that has only a default
 * one, replaced when that is asked for or due, watched while the CSMS replaces it, and the session
 * ends when it is taken away.
 */
export class CredentialKeeper {
  readonly #subject: CredentialKeeperSubject;
  readonly #tools: CredentialKeeperTools;
  readonly #watch: CredentialWatch;
  readonly #timers = new RareMap<Timer, true>();
  #isChanging = false;
  #isWanted = false;
  #hasRefused = false;
  /** The charger cannot, or has: this session is done with it. */
  #isDone = false;
  #requestedAtMs: number | undefined;

  constructor(subject: CredentialKeeperSubject, tools: CredentialKeeperTools) {
    this.#subject = subject;
    this.#tools = tools;
    this.#watch = new CredentialWatch(subject.charger, subject.version, tools);
    this.#requestedAtMs = subject.credential.rotationRequestedAtMs;
  }

  /** The session has begun. */
  start(): void {
    if (this.#isRestricted) this.#after(bootWaitMs, () => this.commission());
    else if (this.#requestedAtMs !== undefined) this.#rotate();
  }

  /** The session is over. */
  stop(): void {
    this.#watch.stop().catch((error: unknown) => this.#tools.fail(error));
    this.#isDone = true;
    for (const timer of this.#timers.keys()) timer.cancel();
  }

  /**
   * Takes note of what a call of the CSMS changes.
   *
   * @returns false when nobody can take note of it now: then it must not be passed on.
   */
  watch(call: Call, changes: readonly CredentialChange[]): Promise<boolean> {
    return this.#watch.begin(call, changes, this.#subject.credential.passwordHash);
  }

  /** The call `id` of the CSMS is passed on. */
  sending(id: string): void {
    this.#watch.sending(id);
  }

  /** The call `id` of the CSMS was never passed on. */
  neverSent(id: string): void {
    this.#watch.neverSent(id).catch((error: unknown) => this.#tools.fail(error));
  }

  /** A message was passed on. */
  learn(from: Peer, frame: Admitted<Frame>): void {
    if (from !== 'charger') return;
    if (frame.kind !== 'call-result' && frame.kind !== 'call-error') return;
    if (!this.#watch.isWatched(frame.id)) return;
    const payload = frame.kind === 'call-result' ? frame.payload : undefined;
    this.#watch.end(frame.id, payload).catch((error: unknown) => this.#tools.fail(error));
  }

  /** What the store says of the charger's credential has changed. */
  apply({ isDefaultRetired, next, password, rotationRequestedAtMs }: ChargerCredential): void {
    const { passwordHash } = this.#subject.credential;
    const isHeld = passwordHash === password?.hash || passwordHash === next?.hash;
    // Whoever came with the default of a batch proved no more than that.
    const isOverruled = this.#isRestricted && (password !== undefined || isDefaultRetired);
    if (isOverruled || (passwordHash !== undefined && !isHeld)) {
      this.#tools.end('CREDENTIAL_REVOKED');
      return;
    }
    const isNew =
      rotationRequestedAtMs !== undefined && rotationRequestedAtMs !== this.#requestedAtMs;
    this.#requestedAtMs = rotationRequestedAtMs;
    if (isNew && !this.#isRestricted) this.#rotate();
  }

  /** Gives a charger that has only a default password one of its own. */
  commission(): void {
    if (this.#isRestricted) this.#rotate();
  }

  /**
   * Is its certificate still good, and its password not too old?
   *
   * @param mayRotate whether a password that is too old may be replaced now.
   * @returns whether that was begun.
   */
  review(mayRotate: boolean): boolean {
    if (!this.#subject.credential.isStillTrusted()) {
      this.#tools.end('CREDENTIAL_REVOKED');
      return false;
    }
    if (!mayRotate || !this.#isDue || this.#isChanging) return false;
    if (this.#isDone || this.#hasRefused) return false;
    this.#rotate();
    return true;
  }

  get #isDue(): boolean {
    const { clock, rotateDays } = this.#tools;
    const { passwordSetAtMs, securityProfile } = this.#subject.credential;
    if (rotateDays === 0 || passwordSetAtMs === undefined || securityProfile < 2) return false;
    return clock.nowMs() - passwordSetAtMs >= rotateDays * dayMs;
  }

  get #isRestricted(): boolean {
    return this.#subject.credential.restriction === 'default-password';
  }

  #rotate(): void {
    // Asked for while one is under way: when that is over.
    this.#isWanted = this.#isChanging;
    if (this.#isChanging || this.#isDone) return;
    this.#isChanging = true;
    this.#change().then(
      (result) => this.#onChanged(result),
      (error: unknown) => this.#tools.fail(error),
    );
  }

  #change(): Promise<PasswordChangeResult> {
    const { charger, credential, version } = this.#subject;
    const { by, securityProfile } = credential;
    if (securityProfile < 2) return declineChange(charger, 'not-over-tls', this.#tools);
    if (by === 'certificate') return declineChange(charger, 'no-password', this.#tools);
    return changePassword(charger, version, this.#expected, this.#tools);
  }

  get #expected(): ExpectedPassword {
    const { passwordHash } = this.#subject.credential;
    if (this.#isRestricted) return 'default';
    return passwordHash === undefined ? 'any' : { hash: passwordHash };
  }

  #onChanged(result: PasswordChangeResult): void {
    this.#isChanging = false;
    switch (result) {
      case 'reboot-required':
      case 'pending':
        // A charger that is at work boots when it does; one that has only a default must.
        if (this.#isRestricted) void this.#tools.call('Reset', this.#resetPayload);
        this.#leave();
        return;
      case 'accepted':
      case 'unanswered':
        // It may have the new one: another one in this session could make it lose both.
        this.#leave();
        return;
      case 'unsent':
      case 'unavailable':
        // Tried again: at the next boot, or when it is asked for or due again.
        break;
      case 'rejected':
      case 'not-supported':
      case 'superseded':
      case 'not-over-tls':
      case 'no-password':
        // Asked for again, it is tried again; the timetable has to wait for another connection.
        this.#hasRefused = true;
        this.#isDone = this.#isRestricted;
    }
    if (this.#isWanted) this.#rotate();
  }

  /** The charger is to connect again by itself; one that has only a default must. */
  #leave(): void {
    this.#isDone = true;
    if (this.#isRestricted) this.#after(leaveMs, () => this.#tools.end('CREDENTIAL_CHANGED'));
  }

  get #resetPayload(): JsonObject {
    return { type: this.#subject.version === 'ocpp1.6' ? 'Soft' : 'OnIdle' };
  }

  #after(delayMs: number, action: () => void): void {
    const timer = this.#tools.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.set(timer, true);
  }
}
