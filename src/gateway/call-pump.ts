import type { Clock, Timer } from '../lib/clock.ts';
import type { Peer } from '../ocpp/version.ts';
import { CallLane, type CallLaneLimits, type WaitingCall } from '../queue/call-lane.ts';
import type { NamedCall } from '../queue/recent-calls.ts';
import type { OpenCall } from './known-charger.ts';

const peers = ['charger', 'csms'] as const satisfies readonly Peer[];

/** What a pump tells its session. */
export interface CallPumpEvents {
  /** It is the turn of this call of `from`. */
  onTurn(from: Peer, waiting: WaitingCall): void;
  /**
   * The time of this call of `from` is up.
   *
   * @param wasSent whether a late reply may still come.
   */
  onExpired(from: Peer, call: NamedCall, wasSent: boolean): void;
  /** A timer has run: call `run`, where failures are caught. */
  onTimer(): void;
}

/** The calls of both sides: sends those whose turn it is, and gives up those whose time is up. */
export class CallPump {
  readonly lanes: Readonly<Record<Peer, CallLane>>;
  readonly #clock: Clock;
  readonly #events: CallPumpEvents;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;

  constructor(
    limits: Readonly<Record<Peer, CallLaneLimits>>,
    clock: Clock,
    events: CallPumpEvents,
  ) {
    this.lanes = { charger: new CallLane(limits.charger), csms: new CallLane(limits.csms) };
    this.#clock = clock;
    this.#events = events;
  }

  /** Is somebody waiting for an answer? */
  get hasOpenCall(): boolean {
    return peers.some((from) => this.lanes[from].hasOpenCall || this.lanes[from].waitingCount > 0);
  }

  /** The calls that are sent and not answered. */
  get openCalls(): readonly OpenCall[] {
    return peers.flatMap((from) => {
      const call = this.lanes[from].openCall;
      return call === undefined ? [] : [{ from, id: call.id, action: call.action }];
    });
  }

  /** Sees to the calls whose time is up, and sends those whose turn it is. */
  run(): void {
    const nowMs = this.#clock.elapsedMs();
    for (const from of peers) {
      // First: a command whose time is up must not be sent because its turn has come.
      for (const call of this.lanes[from].expire(nowMs)) {
        const wasSent = this.lanes[from].correlateReply(call.id, nowMs).is === 'late';
        this.#events.onExpired(from, call, wasSent);
      }
      const waiting = this.lanes[from].next(nowMs);
      if (waiting !== undefined) this.#events.onTurn(from, waiting);
    }
    this.#schedule(nowMs);
  }

  /** No timer runs any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timerAtMs = -Infinity;
  }

  /** One timer a session: it may come too early, then it looks and sets itself again. */
  #schedule(nowMs: number): void {
    const { charger, csms } = this.lanes;
    const nextMs = Math.min(charger.nextExpiryMs(), csms.nextExpiryMs());
    if (nextMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = nextMs;
    this.#timer = this.#clock.after(Math.max(0, nextMs - nowMs), () => {
      this.#timerAtMs = Infinity;
      this.#events.onTimer();
    });
  }
}
