import type { PasswordForm } from '../chargers/charger-credential.ts';
import type { Clock } from '../lib/clock.ts';
import { secretBytes } from '../lib/random.ts';
import { AttemptBudget, type AttemptLimits, type Guess } from './attempt-budget.ts';
import { passwordLengthMax } from './basic-auth.ts';
import { HashQueue } from './hash-queue.ts';
import {
  type Argon2Cost,
  argon2id,
  canonicalPassword,
  fastDigest,
  isSameTag,
  ownCost,
  passwordForm,
  readHash,
  type SlowDigest,
  type SlowHash,
  saltLength,
} from './password-hash.ts';
import { RememberedPasswords } from './remembered-passwords.ts';
import { sourceOf, unknownSource } from './source-of.ts';

/** The operator's choices that the verifier needs. */
export interface PasswordVerifierOptions {
  readonly attempts: AttemptLimits;
  /** Slow hashes at the same time. Each takes 19 MiB and one processor. */
  readonly hashesAtOnceMax: number;
  readonly hashesWaitingMax: number;
  /** For tests with thousands of attempts; the real Argon2id otherwise. */
  readonly hash?: SlowDigest;
}

/** A password that all chargers of a batch come from the factory with. */
export interface DefaultPassword {
  /** The name of the batch. */
  readonly name: string;
  readonly password: Buffer;
}

/** A charger that says its password. */
export interface PasswordAttempt {
  readonly identityKey: string;
  /** The remote address of its connection. */
  readonly source: string;
  /** The password as it came. Empty or too long, it is wrong. */
  readonly presented: Buffer;
  /** The stored hash of its password; undefined when there is none, or no such charger. */
  readonly current?: string | undefined;
  /** The stored hash of the password that it was given last and has not come with yet. */
  readonly next?: string | undefined;
  /** Where it last showed who it is from, as far as the store knows. */
  readonly knownAddress?: string | undefined;
  /** Those that hold for it. */
  readonly defaults: readonly DefaultPassword[];
  /** Will the caller believe it whatever it is, so that a wrong one is no guess? */
  readonly isBelieved?: boolean | undefined;
  /** Aborted when the charger has gone. Its turn is then left out. */
  readonly gone?: AbortSignal | undefined;
}

/** What a password is worth. */
export type PasswordVerdict =
  | { readonly is: 'current' | 'next'; readonly form: PasswordForm }
  | { readonly is: 'default'; readonly batch: string; readonly form: PasswordForm }
  | { readonly is: 'wrong' }
  /** Too many wrong ones came. This one was not compared with the slow hash. */
  | { readonly is: 'exhausted'; readonly retryAfterSeconds: number }
  /** Too many wait, or the charger has gone meanwhile. */
  | { readonly is: 'busy' };

interface Candidate {
  readonly is: 'current' | 'next';
  readonly stored: string;
}

/** What is left to do when it is the turn of an attempt. */
interface SlowAttempt {
  readonly candidates: readonly Candidate[];
  readonly defaults: readonly DefaultPassword[];
  readonly password: Buffer;
  readonly form: PasswordForm;
  readonly isBelieved: boolean;
}

/** Stored hashes that one computation compares with. */
interface Comparison {
  readonly cost: Argon2Cost;
  readonly salt: Buffer;
  readonly candidates: readonly (Candidate & { readonly tag: Buffer })[];
}

/**
 * Says whether a password is right, at a cost that an attacker can neither drive up nor learn from.
 *
 * In this order, until one decides:
 *
 * 1. Was it right before, since this process began, from the same source? One keyed digest.
 * 2. Is it a key that the gateway made? One fast hash.
 * 3. May another wrong one be paid for (`attempt-budget.ts`)? Is there a place (`hash-queue.ts`)?
 * 4. Is it the default of a batch, where the caller allows one? One keyed digest.
 * 5. One Argon2id computation, for current and next password together.
 *
 * Whoever is told `wrong` has cost exactly one computation, also when there is no such charger, no
 * password, or one that only has a fast hash. Those whom 1 and 2 decide need no budget and no
 * place, so attacks from elsewhere do not lock them out.
 *
 * Each answer "right" that could be guessed is paid from a budget. Nobody guesses 2. For 1 there is
 * a budget of charger and source together: without the source, and that limit, guesses at the
 * password of a charger that is remembered would be free. 4 stands after 3 for the same reason.
 *
 * Source: PNNL-35706 section 4.0 (spoofed identifiers); RFC 7617 section 4.
 */
export class PasswordVerifier {
  readonly #budget: AttemptBudget;
  readonly #queue: HashQueue;
  readonly #hash: SlowDigest;
  readonly #remembered = new RememberedPasswords();
  /** What is computed when there is nothing to compare with. */
  readonly #dummy: Comparison = { cost: ownCost, salt: secretBytes(saltLength), candidates: [] };
  #argon2Count = 0;

  constructor(options: PasswordVerifierOptions, clock: Clock) {
    this.#budget = new AttemptBudget(options.attempts, clock);
    this.#queue = new HashQueue({
      atOnceMax: options.hashesAtOnceMax,
      waitingMax: options.hashesWaitingMax,
    });
    this.#hash = options.hash ?? argon2id;
  }

  /** Argon2id computations that were begun so far. */
  get argon2Count(): number {
    return this.#argon2Count;
  }

  /** Keyed digests that were computed so far. */
  get digestCount(): number {
    return this.#remembered.digestCount;
  }

  /**
   * Is this the password of the charger?
   *
   * `next` wins where both are the same password: the charger has shown that it has the new one.
   *
   * @throws when a computation fails, for want of memory. That never means "right".
   */
  async verify(attempt: PasswordAttempt): Promise<PasswordVerdict> {
    const { defaults, gone, identityKey, knownAddress, presented } = attempt;
    const isPossible = presented.length > 0 && presented.length <= passwordLengthMax;
    const password = isPossible ? canonicalPassword(presented) : Buffer.alloc(1);
    const form = passwordForm(presented);
    const source = sourceOf(attempt.source);
    const candidates: readonly Candidate[] = [
      { is: 'next', stored: isPossible ? (attempt.next ?? '') : '' },
      { is: 'current', stored: isPossible ? (attempt.current ?? '') : '' },
    ];

    const isKnownPair =
      this.#remembered.isGoodSource(identityKey, source) || isSameSource(source, knownAddress);
    const guess = { source, identityKey, isKnownPair };

    // Both are computed for everybody, so that the work tells nothing.
    const remembered = this.#matchRemembered(identityKey, candidates, password);
    const generated = matchFast(candidates, password);
    const recalled = this.#budget.mayRecall(guess) ? remembered : undefined;
    const quick = generated ?? recalled;
    if (quick !== undefined) {
      this.#remembered.remember(identityKey, source);
      return { is: quick, form };
    }
    this.#budget.noteWrongRecall(guess);

    // Asked twice: what can be refused now takes no place from others.
    const retryAfterSeconds = this.#budget.secondsUntil(guess);
    if (retryAfterSeconds > 0) return { is: 'exhausted', retryAfterSeconds };
    const turn = await this.#queue.run({ source, isKnownPair, gone }, () =>
      this.#verifySlowly(guess, {
        candidates,
        password,
        form,
        defaults: isPossible ? defaults : [],
        isBelieved: isPossible && attempt.isBelieved === true,
      }),
    );
    return turn.is === 'done' ? turn.value : { is: 'busy' };
  }

  /** Looks at both, whatever the first says: the work is the same for everybody. */
  #matchRemembered(
    identityKey: string,
    candidates: readonly Candidate[],
    password: Buffer,
  ): Candidate['is'] | undefined {
    const right = candidates.filter(({ stored }) =>
      this.#remembered.isRight(identityKey, this.#remembered.digest(identityKey, stored, password)),
    );
    return right[0]?.is;
  }

  #matchDefault(defaults: readonly DefaultPassword[], password: Buffer): string | undefined {
    const presented = this.#remembered.digest(password);
    const right = defaults.filter((entry) =>
      isSameTag(this.#remembered.digest(canonicalPassword(entry.password)), presented),
    );
    return right[0]?.name;
  }

  async #verifySlowly(
    guess: Guess,
    { candidates, defaults, form, isBelieved, password }: SlowAttempt,
  ): Promise<PasswordVerdict> {
    const reservation = this.#budget.reserve(guess);
    if (reservation.is === 'exhausted') return reservation;
    const batch = this.#matchDefault(defaults, password);
    if (batch !== undefined) {
      reservation.giveBack();
      return { is: 'default', batch, form };
    }
    let right: Candidate | undefined;
    try {
      right = await this.#matchSlow(candidates, password);
    } catch (error) {
      reservation.giveBack();
      throw error;
    }
    // Known to be wrong: what was reserved is spent.
    if (right !== undefined || isBelieved) reservation.giveBack();
    if (right === undefined) return { is: 'wrong' };
    const digest = this.#remembered.digest(guess.identityKey, right.stored, password);
    this.#remembered.remember(guess.identityKey, guess.source, digest);
    return { is: right.is, form };
  }

  async #matchSlow(
    candidates: readonly Candidate[],
    password: Buffer,
  ): Promise<Candidate | undefined> {
    const comparisons = comparisonsFor(candidates);
    for (const { candidates, cost, salt } of comparisons.length > 0 ? comparisons : [this.#dummy]) {
      this.#argon2Count += 1;
      const tag = await this.#hash(password, salt, cost);
      const right = candidates.filter((candidate) => isSameTag(candidate.tag, tag));
      if (right[0] !== undefined) return right[0];
    }
    return undefined;
  }
}

function isSameSource(source: string, knownAddress: string | undefined): boolean {
  if (knownAddress === undefined || source === unknownSource) return false;
  return sourceOf(knownAddress) === source;
}

const nothing = { salt: Buffer.alloc(saltLength), tag: Buffer.alloc(0) };

function matchFast(
  candidates: readonly Candidate[],
  password: Buffer,
): Candidate['is'] | undefined {
  const right = candidates.filter(({ stored }) => {
    const hash = readHash(stored);
    // An empty tag is the same as none.
    const { salt, tag } = hash?.is === 'sha256' ? hash : nothing;
    return isSameTag(fastDigest(password, salt), tag);
  });
  return right[0]?.is;
}

/**
 * What has to be computed: one comparison, since current and next password share salt and cost. If
 * they do not, the current one comes first.
 */
function comparisonsFor(candidates: readonly Candidate[]): readonly Comparison[] {
  const slow = candidates.flatMap((candidate) => {
    const hash = readHash(candidate.stored);
    return hash?.is === 'argon2id' ? [{ ...candidate, hash, tag: hash.tag }] : [];
  });
  const [next, current] = [
    slow.find((one) => one.is === 'next'),
    slow.find((one) => one.is === 'current'),
  ];
  if (next !== undefined && current !== undefined && isSameWork(next.hash, current.hash)) {
    return [{ cost: next.hash.cost, salt: next.hash.salt, candidates: [next, current] }];
  }
  return [current, next].flatMap((one) =>
    one === undefined ? [] : [{ cost: one.hash.cost, salt: one.hash.salt, candidates: [one] }],
  );
}

function isSameWork(one: SlowHash, other: SlowHash): boolean {
  return (
    one.salt.equals(other.salt) &&
    one.cost.memoryKiB === other.cost.memoryKiB &&
    one.cost.passes === other.cost.passes &&
    one.cost.lanes === other.cost.lanes
  );
}
