import { identityKey } from '../chargers/charger-id.ts';
import type { EventSink } from '../events/emit.ts';
import { invariant } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Store } from '../store/store.ts';
import { isStoreError } from '../store/store-error.ts';
import type { AppliedReleases } from './apply-releases.ts';
import { type HeldCommand, markAnswered, removeCommands } from './command-rows.ts';
import { Decisions } from './decisions.ts';
import { lockRamp } from './entry-rows.ts';
import { Errands, retryMs } from './errands.ts';
import { nextChangeMs } from './feeder-state.ts';
import { isNoChange } from './load-change.ts';
import { LookTimer } from './look-timer.ts';
import { othersMayTakeMs } from './plan.ts';
import type { PlanningPlace } from './plan-group.ts';
import type { RampOptions } from './ramp-options.ts';
import { type RampStatus, RampStatusBoard } from './ramp-status.ts';
import type { LoadCommandRequest, RampTarget, RampVerdict, ReleaseOutcome } from './ramp-target.ts';
import { RampReport } from './report.ts';
import {
  confirmLater,
  forgetCommand,
  forgetUnanswered,
  mayBeSentAgain,
  settleCommand,
} from './settle.ts';
import { type TakenRequest, type TakeTools, takeRequest } from './take-request.ts';
import { lookAtWaiting, type TickResult } from './tick.ts';

/** What the limiter works with. */
export interface RampTools {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventSink;
  /** This run of this gateway; see `chargers/claims.ts`. */
  readonly incarnation: string;
}

/** How often it is looked whether an operator, or another gateway, has changed something. */
const lookMs = 500;
/** The same when nothing waits for a charger that is connected here. */
const idleLookMs = 5_000;

/**
 * Lets commands that change load through at a pace that their feeders survive, over all chargers and
 * all gateways of a store.
 *
 * The store decides: what waits and what was taken are rows, which are looked at and changed in one
 * transaction at a time. A second gateway, or a second life of this one, needs no other mechanism.
 *
 * Source: PNNL-35706 section 4.0 (aggregated charger message handler).
 */
export class RampLimiter {
  readonly #options: RampOptions;
  readonly #tools: RampTools;
  readonly #targets = new Map<string, RampTarget>();
  readonly #place: PlanningPlace;
  readonly #report: RampReport;
  readonly #board: RampStatusBoard;
  readonly #decisions: Decisions;
  readonly #errands: Errands;
  readonly #takeTools: TakeTools;
  readonly #looks: LookTimer;
  /** Chargers connected here for which something waits, as far as is known. */
  #awaited = new Set<string>();
  /** Those of them that had another call open when they were looked at. */
  readonly #busy = new Set<string>();

  constructor(options: RampOptions, tools: RampTools) {
    this.#options = options;
    this.#tools = tools;
    this.#report = new RampReport(tools.emit, options);
    this.#board = new RampStatusBoard(options.feeders);
    this.#place = {
      othersMayTakeMs,
      incarnation: tools.incarnation,
      targetOf: (key) => this.#targets.get(key),
    };
    const { clock, emit, random, store } = tools;
    const nowMs = (): number => store.nowMs();
    this.#decisions = new Decisions(store, random, keptMsOf(options));
    this.#errands = new Errands(clock, emit);
    this.#takeTools = { options, place: this.#place, random, nowMs };
    this.#looks = new LookTimer({ clock, nowMs, look: () => this.#look() });
  }

  /** Looks at what earlier gateways have left. Never rejects: while the store is away it waits. */
  async start(): Promise<void> {
    if (this.#options.mode === 'off') return;
    await this.#looks.lookNow();
  }

  /** A charger is connected here from now on. */
  connect(target: RampTarget): void {
    const key = identityKey(target.charger);
    const before = this.#targets.get(key);
    // Its end is still to come, and will find this one in its place.
    if (before !== undefined && before !== target) this.disconnect(before);
    this.#targets.set(key, target);
    if (this.#options.mode === 'enforce') this.#looks.wakeAt(this.#tools.store.nowMs());
  }

  /** It is no longer. What its CSMS still waits for is given up; that connection ends as well. */
  disconnect(target: RampTarget): void {
    const key = identityKey(target.charger);
    if (this.#targets.get(key) !== target) return;
    this.#targets.delete(key);
    if (this.#options.mode !== 'enforce' || !this.#awaited.has(key)) return;
    const { incarnation, store } = this.#tools;
    const nowMs = store.nowMs();
    this.#errands.run(() => store.transact((db) => forgetUnanswered(db, key, incarnation, nowMs)));
  }

  /** The charger could take a command by now. */
  readyAgain(target: RampTarget): void {
    // Whoever waits for a budget is told by the timer.
    if (!this.#busy.delete(identityKey(target.charger))) return;
    this.#looks.wakeAt(this.#tools.store.nowMs());
  }

  /**
   * Asks what becomes of a command. `target` hears of a held one later.
   *
   * @throws what is a defect, not a store that is away.
   */
  request(target: RampTarget, request: LoadCommandRequest): Promise<RampVerdict> {
    return this.#errands.track(this.#request(target, request));
  }

  /** Nobody has heard what became of the command `commandId`, and nobody is there to hear it. */
  forget(commandId: string): void {
    const { store } = this.#tools;
    this.#errands.run(() => store.transact((db) => forgetCommand(db, commandId, store.nowMs())));
  }

  /** How a command came out that the gateway had answered for. */
  settle(command: HeldCommand, outcome: ReleaseOutcome): void {
    this.#errands.run(async () => {
      const { incarnation, store } = this.#tools;
      const nowMs = store.nowMs();
      await store.transact((db) => settleCommand(db, command, outcome, nowMs, incarnation));
      this.#report.settled(command, outcome, nowMs);
      if (mayBeSentAgain(command, outcome)) this.#looks.wakeAt(nowMs);
    });
  }

  /** The charger has answered the command `commandId` itself: its schedules are in force, or not. */
  confirm(target: RampTarget, commandId: string, isAccepted: boolean): void {
    const { store } = this.#tools;
    const key = identityKey(target.charger);
    this.#errands.run(() =>
      store.transact((db) => confirmLater(db, key, commandId, isAccepted, store.nowMs())),
    );
  }

  /** How full the budgets are, and what waits; as of the last look. */
  status(): RampStatus {
    return this.#board.statusAt(this.#tools.store.nowMs());
  }

  /** Is nothing under way? For tests and simulations. */
  get isIdle(): boolean {
    return this.#errands.isIdle && !this.#looks.isLooking;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (!this.isIdle) await Promise.all([this.#errands.idle(), this.#looks.idle()]);
  }

  /** Nothing is released any more. What was answered for is in the store. */
  async stop(): Promise<void> {
    this.#looks.stop();
    this.#errands.stop();
    await this.idle();
  }

  async #request(target: RampTarget, request: LoadCommandRequest): Promise<RampVerdict> {
    const commandId = this.#tools.random.uuid();
    if (this.#options.mode === 'off' || changesNothing(request)) return { is: 'pass', commandId };
    return this.#decisions.inTurn(() => this.#requestInTurn(target, request, commandId));
  }

  async #requestInTurn(
    target: RampTarget,
    request: LoadCommandRequest,
    commandId: string,
  ): Promise<RampVerdict> {
    let taken: TakenRequest;
    try {
      taken = await this.#decisions.transact(async (db) => {
        const result = await takeRequest(db, target, request, commandId, this.#takeTools);
        if (this.#options.mode === 'enforce') return result;
        if (result.decision.is === 'hold') await removeCommands(db, [commandId]);
        return result;
      });
    } catch (error) {
      if (!isStoreError(error)) throw error;
      return this.#whileAway(target, request, commandId);
    }
    if (taken.plan !== undefined) {
      this.#board.note([taken.plan]);
      // Somebody has to notice when a feeder is calm, or a lift over, though nothing waits.
      const states = [...taken.plan.feederStates.values()];
      this.#looks.wakeAt(Math.min(...states.map(nextChangeMs)));
    }
    if (taken.applied.oscillations.length > 0) this.#looks.wakeAt(this.#tools.store.nowMs());
    await this.#barrier([taken.applied]);
    this.#finish([taken.applied]);
    if (this.#options.mode === 'monitor') {
      this.#report.wouldHold(target.charger, request, taken);
      return { is: 'pass', commandId };
    }
    return this.#verdictOf(target, request, taken, commandId);
  }

  async #verdictOf(
    target: RampTarget,
    request: LoadCommandRequest,
    taken: TakenRequest,
    commandId: string,
  ): Promise<RampVerdict> {
    const { decision } = taken;
    this.#report.taken(target.charger, request, taken);
    for (const command of taken.superseded) this.#refuse(command, 'RAMP_SUPERSEDED');
    if (taken.cancelled !== undefined) this.#refuse(taken.cancelled, 'RAMP_CANCELLED');
    switch (decision.is) {
      case 'pass':
        return { is: 'pass', commandId, instead: decision.instead };
      case 'refuse':
        return { is: 'refused', code: decision.code };
      case 'hold': {
        const { command, instead, mustAnswer } = decision;
        this.#awaited.add(command.chargerKey);
        if (decision.reason === 'busy') this.#busy.add(command.chargerKey);
        const isStored = mustAnswer && (await this.#markAnswered([command])).has(commandId);
        this.#looks.wakeAt(this.#tools.store.nowMs());
        if (!mustAnswer) return { is: 'open', commandId, instead };
        if (isStored) return { is: 'answered', commandId };
        this.forget(commandId);
        return { is: 'refused', code: 'RAMP_UNKNOWN' };
      }
    }
  }

  #whileAway(target: RampTarget, request: LoadCommandRequest, commandId: string): RampVerdict {
    const { feeders, mode } = this.#options;
    const chain = feeders.chainOf(target.charger, target.feederSetting);
    const subject = { chargerKey: identityKey(target.charger), commandId, chain };
    const mayPass = this.#decisions.outage.mayPass(request, subject, this.#tools.store.nowMs());
    if (mayPass || mode === 'monitor') return { is: 'pass', commandId };
    this.#report.refused(target.charger, request, chain[0]?.name ?? '', 'RAMP_UNKNOWN');
    return { is: 'refused', code: 'RAMP_UNKNOWN' };
  }

  /**
   * Notes, so that a power failure takes nothing of it back, that the callers of `commands` were
   * answered. A crash before it leaves commands whose callers see their connection end; one after it
   * leaves commands that the next gateway releases, though the last answer may not have been heard.
   *
   * @returns the ids of those of which that is so; an operator may have cancelled others.
   */
  async #markAnswered(commands: readonly HeldCommand[]): Promise<ReadonlySet<string>> {
    const ids = commands.map(({ id }) => id);
    try {
      return await this.#tools.store.transactDurably(async (db) => {
        await lockRamp(db);
        return markAnswered(db, ids);
      });
    } catch (error) {
      if (!isStoreError(error)) throw error;
      return new Set();
    }
  }

  /** @returns when to look again. Does not reject. */
  async #look(): Promise<number> {
    try {
      return await this.#decisions.inTurn(() => this.#lookOnce());
    } catch (error) {
      if (!isStoreError(error)) this.#tools.emit({ name: 'HousekeepingFailed', error });
      return this.#tools.store.nowMs() + retryMs;
    }
  }

  async #lookOnce(): Promise<number> {
    const nowMs = this.#tools.store.nowMs();
    const result = await this.#decisions.transact((db) => lookAtWaiting(db, this.#takeTools));
    this.#board.note(result.plans, result.totals);
    await this.#barrier(result.applied);
    this.#report.looked(result);
    this.#finish(result.applied);
    for (const command of result.cancelled) this.#refuse(command, 'RAMP_CANCELLED');
    for (const command of result.expired) this.#refuse(command, 'RAMP_EXPIRED');
    const overdue = result.overdue.filter(({ onLongWait }) => onLongWait === 'answer');
    for (const command of result.overdue) {
      if (command.onLongWait === 'refuse') this.#refuse(command, 'RAMP_EXPIRED');
    }
    if (overdue.length > 0) await this.#answerOverdue(overdue);
    return this.#nextLookMs(result, nowMs);
  }

  async #answerOverdue(commands: readonly HeldCommand[]): Promise<void> {
    const answered = await this.#markAnswered(commands);
    for (const command of commands.filter(({ id }) => answered.has(id))) {
      this.#report.answeredLate(command, this.#tools.store.nowMs());
      this.#targets.get(command.chargerKey)?.answer({ ...command, isAnswered: true });
    }
  }

  #nextLookMs({ totals, plans, wakeAtMs }: TickResult, nowMs: number): number {
    const seen = plans.reduce((sum, { heads }) => sum + heads.size, 0);
    const all = totals.reduce((sum, { count }) => sum + count, 0);
    // Who waits far back in a line, or whose charger is away, is not looked at.
    const awaited = new Set<string>(seen < all ? this.#awaited : []);
    for (const { heads, waits } of plans) {
      for (const { chargerKey, id } of heads.values()) {
        const target = this.#targets.get(chargerKey);
        if (target === undefined) continue;
        awaited.add(chargerKey);
        if (waits.get(id)?.is !== 'busy') continue;
        // It may have become free while it was looked at.
        if (target.isReady) this.#looks.wakeAt(nowMs);
        else this.#busy.add(chargerKey);
      }
    }
    this.#awaited = awaited;
    if (totals.length === 0) return wakeAtMs;
    const pollMs = awaited.size > 0 ? lookMs : idleLookMs;
    return Math.max(nowMs + 1, Math.min(wakeAtMs, nowMs + pollMs));
  }

  /** What is sent in the name of an answered command must not be sent again after a power failure. */
  async #barrier(applied: readonly AppliedReleases[]): Promise<void> {
    const { store } = this.#tools;
    const answered = applied.some(({ released }) =>
      released.some(({ command }) => command.isAnswered),
    );
    if (!answered || store.kind === 'postgres') return;
    try {
      await store.transactDurably(async (db) => {
        await lockRamp(db);
      });
    } catch (error) {
      // It is noted that they were sent: if they were not, nobody would ever send them.
      if (!isStoreError(error)) throw error;
    }
  }

  /** Sends what was released. */
  #finish(applied: readonly AppliedReleases[]): void {
    const nowMs = this.#tools.store.nowMs();
    for (const { oscillations, released } of applied) {
      for (const { feeder, reversals } of oscillations) this.#report.oscillates(feeder, reversals);
      for (const { command, release } of released) {
        const target = this.#targets.get(command.chargerKey);
        if (target === undefined) {
          if (command.isAnswered) this.settle(command, 'unsent');
          continue;
        }
        this.#report.released(command, release, nowMs);
        target.release(command);
      }
    }
  }

  #refuse(command: HeldCommand, code: 'RAMP_CANCELLED' | 'RAMP_EXPIRED' | 'RAMP_SUPERSEDED'): void {
    this.#report.givenUp(command, code);
    this.#targets.get(command.chargerKey)?.refuse(command, code);
  }
}

/** How long entries count: the longest window, and a fall a dwell time after a rise as long before. */
function keptMsOf({ dwellMs, feeders }: RampOptions): number {
  const longestMs = Math.max(...feeders.all.map(({ intervalMs }) => intervalMs));
  return Math.max(2 * dwellMs, longestMs + othersMayTakeMs);
}

/** A command that moves nothing, now or later, need not be known to anybody. */
function changesNothing({ estimate, loadClass }: LoadCommandRequest): boolean {
  const { commandsMilli, downW, upW } = estimate.now;
  invariant(commandsMilli >= 0 && downW >= 0 && upW >= 0, 'no change of load is negative');
  return isNoChange(estimate.now) && estimate.later === undefined && loadClass !== 'limit';
}
