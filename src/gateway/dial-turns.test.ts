import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { beforeEach, describe, test } from 'node:test';
import { type ManualClock, manualClock } from '../../test/support/manual-clock.ts';
import { mostWithin } from '../../test/support/most-within.ts';
import type { GatewayEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { seededRandom } from '../lib/random.ts';
import { type DialRank, dialRanks } from './dial-rank.ts';
import { type DialTurn, DialTurns } from './dial-turns.ts';

// Goal: T2-28: whatever comes, the CSMS is dialled no faster than the operator has said, those who
//   have shown who they are go first, and nobody waits in vain.
// Method: a clock that is moved by hand. What was promised to whom is compared with what came of it.

let clock: ManualClock;
let events: GatewayEvent[];
/** How late timers are that are set from now on. */
let lateMs: number;
let timers: Set<object>;

beforeEach(() => {
  clock = manualClock();
  events = [];
  lateMs = 0;
  timers = new Set();
});

function turnsWith(dialsPerSecond: number, dialWaitSeconds = 20): DialTurns {
  const emit = (event: GatewayEvent): void => void events.push(event);
  const lateClock: Clock = {
    ...clock,
    after: (delayMs, action) => {
      const timer = clock.after(delayMs + lateMs, () => {
        timers.delete(timer);
        action();
      });
      timers.add(timer);
      return {
        cancel: () => {
          timers.delete(timer);
          timer.cancel();
        },
      };
    },
  };
  return new DialTurns({ dialsPerSecond, dialWaitSeconds }, { clock: lateClock, emit });
}

/** Somebody who has asked for a turn. */
interface Asker {
  readonly name: string;
  readonly rank: DialRank;
  readonly askedAtMs: number;
  /** Undefined while it waits. */
  turn: DialTurn | undefined;
  atMs: number;
  leave(): void;
}

/** Promises are settled when the clock has moved and everything else has run. */
async function rest(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await Promise.resolve();
}

function ask(turns: DialTurns, rank: DialRank, name = ''): Asker {
  const left = new AbortController();
  const askedAtMs = clock.elapsedMs();
  const asker: Asker = {
    name,
    rank,
    askedAtMs,
    turn: undefined,
    atMs: Number.NaN,
    leave: () => left.abort(),
  };
  void turns.take(rank, left.signal).then((turn) => {
    asker.turn = turn;
    asker.atMs = clock.elapsedMs();
  });
  return asker;
}

function askMany(turns: DialTurns, count: number, rank: DialRank): readonly Asker[] {
  return Array.from({ length: count }, (_, index) => ask(turns, rank, `${rank} ${index}`));
}

/** Lets time pass in small steps, so that each turn is seen when it is given. */
async function pass(ms: number, stepMs = 1): Promise<void> {
  await rest();
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(Math.min(stepMs, ms - passed));
    await rest();
  }
}

const goers = (askers: readonly Asker[]): readonly Asker[] =>
  askers.filter(({ turn }) => turn?.is === 'go').toSorted((a, b) => a.atMs - b.atMs);
const times = (askers: readonly Asker[]): readonly number[] =>
  goers(askers).map(({ atMs }) => atMs);
const outcomes = (askers: readonly Asker[]): readonly (string | undefined)[] =>
  askers.map(({ turn }) => turn?.is);

describe('T2-28: the rate of dials', () => {
  test('a site that is no larger than the rate never waits', async () => {
    const turns = turnsWith(20);
    const askers = askMany(turns, 20, 'newcomer');
    await rest();
    assert.deepEqual(new Set(outcomes(askers)), new Set(['go']));
    assert.deepEqual(events, []);
  });

  test('the rest goes one by one at even distances, and all go', async () => {
    const turns = turnsWith(20);
    const askers = askMany(turns, 60, 'proven');
    await pass(5_000);
    assert.deepEqual(new Set(outcomes(askers)), new Set(['go']));
    assert.equal(turns.givenCount, 60);
    assert.equal(times(askers).filter((atMs) => atMs === 0).length, 20);
    const later = times(askers).filter((atMs) => atMs > 0);
    assert.equal(later[0], 1_100);
    assert.equal(mostWithin(later, 54), 1);
    assert((later.at(-1) ?? Infinity) < 3_300, String(later.at(-1)));
  });

  for (const dialsPerSecond of [1, 7, 50]) {
    for (const seed of [1, 2]) {
      test(`never more than ${dialsPerSecond} in any second, seed ${seed}`, async () => {
        const random = seededRandom(seed);
        const turns = turnsWith(dialsPerSecond, random.integer(1, 20));
        const askers: Asker[] = [];
        for (let passedMs = 0; passedMs < 60_000; ) {
          const isCrowd = random.fraction() < 0.1;
          const count = random.integer(0, (isCrowd ? 8 : 0.2) * dialsPerSecond);
          for (let index = 0; index < count; index += 1) {
            askers.push(ask(turns, dialRanks[random.integer(0, 2)] ?? 'known'));
          }
          if (random.fraction() < 0.2) askers[random.integer(0, askers.length - 1)]?.leave();
          // Some of the time, timers come late.
          lateMs = random.fraction() < 0.2 ? random.integer(0, 400) : 0;
          const stepMs = random.integer(1, 90);
          await pass(stepMs, 2);
          passedMs += stepMs;
        }
        // On the way to the CSMS, each takes as long as it likes, up to a tenth of a second.
        const seen = times(askers).map((atMs) => atMs + random.fraction() * 98);
        const most = mostWithin(seen, 1_000);
        assert(most <= dialsPerSecond, `${most} in a second`);
        // Nor is the rate left unused, when there is nearly always somebody who waits.
        assert(seen.length > 45 * dialsPerSecond, `${seen.length} in a minute`);
      });
    }
  }

  test('a line that never ends is served at the rate, less the tenth for late arrivals', async () => {
    const turns = turnsWith(50, 120);
    const askers = askMany(turns, 3_000, 'proven');
    await pass(44_000, 10);
    // The first second's worth at once; the next one 1.1 s later, and each 22 ms from then on.
    assert.equal(goers(askers).length, 50 + 1 + Math.floor((44_000 - 1_100) / 22));
  });

  test('timers that are always a little late cost next to nothing', async () => {
    lateMs = 3;
    const turns = turnsWith(50, 60);
    const askers = askMany(turns, 500, 'proven');
    await pass(1.01 * (1_100 + 450 * 22));
    assert.deepEqual(new Set(outcomes(askers)), new Set(['go']));
    assert.equal(mostWithin(times(askers), 1_000), 50);
  });

  test('after a timer that was very late there is no crowd', async () => {
    lateMs = 5_000;
    const turns = turnsWith(50, 60);
    const askers = askMany(turns, 500, 'proven');
    await rest();
    lateMs = 0;
    await pass(1_100 + 5_000 + 450 * 22);
    const later = times(askers).filter((atMs) => atMs > 0);
    assert.equal(later.length, 450);
    assert(mostWithin(later, 100) <= 10, String(mostWithin(later, 100)));
  });

  test('whoever comes while a timer is late does not overtake those who wait', async () => {
    lateMs = 5_000;
    const turns = turnsWith(1, 60);
    const [, waits] = askMany(turns, 2, 'proven');
    await pass(3_000, 100);
    const late = ask(turns, 'proven');
    await rest();
    assert.deepEqual([waits?.turn?.is, late.turn], ['go', undefined]);
  });

  test('without a limit everybody goes at once, and is counted', async () => {
    const turns = turnsWith(0);
    const askers = askMany(turns, 5_000, 'newcomer');
    await rest();
    assert.deepEqual(new Set(outcomes(askers)), new Set(['go']));
    assert.equal(turns.outlook('newcomer'), undefined);
    assert.deepEqual([turns.givenCount, turns.waitingCount], [5_000, 0]);
  });
});

describe('T2-28: who goes first', () => {
  test('a better rank before a worse one, and within a rank whoever has come before', async () => {
    const turns = turnsWith(1);
    await pass(0);
    ask(turns, 'newcomer');
    const order = ['newcomer', 'known', 'proven', 'newcomer', 'known', 'proven'] as const;
    const askers = order.map((rank, index) => ask(turns, rank, `${rank} ${index}`));
    await pass(7_000, 10);
    assert.deepEqual(
      goers(askers).map(({ name }) => name),
      ['proven 2', 'proven 5', 'known 1', 'known 4', 'newcomer 0', 'newcomer 3'],
    );
  });

  test('whoever leaves frees its place, and costs no turn', async () => {
    const turns = turnsWith(1);
    const askers = askMany(turns, 5, 'proven');
    askers[1]?.leave();
    askers[3]?.leave();
    await rest();
    assert.deepEqual(outcomes(askers), ['go', 'gone', undefined, 'gone', undefined]);
    assert.equal(turns.waitingCount, 2);
    await pass(2_200, 10);
    assert.deepEqual(outcomes(askers), ['go', 'gone', 'go', 'gone', 'go']);
    assert.equal(turns.givenCount, 3);
    assert.equal(timers.size, 0);
    // To leave afterwards changes nothing.
    askers[2]?.leave();
    await rest();
    assert.equal(askers[2]?.turn?.is, 'go');
  });

  test('whoever had its turn is not listened to any more', async () => {
    const turns = turnsWith(1);
    const { signal } = new AbortController();
    const waiting = [turns.take('proven', signal), turns.take('proven', signal)];
    await pass(1_100, 10);
    await Promise.all(waiting);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  test('whoever has left before it asks gets no turn', async () => {
    const turns = turnsWith(10);
    assert.deepEqual(await turns.take('proven', AbortSignal.abort()), { is: 'gone' });
    assert.equal(turns.givenCount, 0);
  });

  test('when the gateway stops, all who wait are told, and no timer is left', async () => {
    const turns = turnsWith(10);
    const stopping = new AbortController();
    const waiting = Array.from({ length: 50 }, () => turns.take('known', stopping.signal));
    stopping.abort();
    const told = (await Promise.all(waiting)).map(({ is }) => is);
    assert.equal(told.filter((is) => is === 'go').length, 10);
    assert.equal(told.filter((is) => is === 'gone').length, 40);
    assert.equal(turns.waitingCount, 0);
    assert.equal(timers.size, 0);
  });
});

describe('T2-28: whoever would wait for too long', () => {
  test('is told at once, and when to come again', async () => {
    const turns = turnsWith(10, 5);
    const askers = askMany(turns, 100, 'proven');
    await rest();
    const counts = (is: string | undefined): number =>
      outcomes(askers).filter((it) => it === is).length;
    assert.equal(counts('go'), 10);
    // From 1.1 s on, each 110 ms, until 5 s.
    assert.equal(counts(undefined), 1 + Math.floor((5_000 - 1_100) / 110));
    assert(turns.waitingCount <= 10 * 5);
    assert.deepEqual(askers.at(-1)?.turn, { is: 'busy', afterSeconds: 6 });
    assert.deepEqual(turns.outlook('proven'), { is: 'busy', afterSeconds: 6 });
    // All who were not told so get their turn, and in time.
    await pass(6_000);
    assert.equal(counts(undefined), 0);
    assert.equal(counts('go'), 10 + 36);
    for (const { askedAtMs, atMs } of goers(askers)) assert(atMs - askedAtMs <= 5_000);
    assert.equal(turns.outlook('proven'), undefined);
  });

  test('a better rank has a look at its own and better ones only', async () => {
    const turns = turnsWith(10, 5);
    askMany(turns, 100, 'known');
    await rest();
    assert.equal(turns.outlook('newcomer')?.is, 'busy');
    assert.equal(turns.outlook('known')?.is, 'busy');
    assert.equal(turns.outlook('proven'), undefined);
  });

  test('of the worst rank the youngest is pushed out, when a better one takes its place', async () => {
    const turns = turnsWith(10, 5);
    const known = askMany(turns, 40, 'known');
    const newcomers = askMany(turns, 60, 'newcomer');
    await rest();
    const waiting = newcomers.filter(({ turn }) => turn === undefined);
    assert.equal(waiting.length, 6);
    const proven = askMany(turns, 4, 'proven');
    await rest();
    assert.deepEqual(outcomes(waiting), [undefined, undefined, 'busy', 'busy', 'busy', 'busy']);
    assert.deepEqual(waiting.at(-1)?.turn, { is: 'busy', afterSeconds: 6 });
    await pass(8_000, 10);
    assert.deepEqual(new Set(outcomes([...proven, ...known])), new Set(['go']));
  });

  test('a worse rank that is overtaken all the time is told when its time is up', async () => {
    const turns = turnsWith(10, 5);
    askMany(turns, 10, 'known');
    const newcomer = ask(turns, 'newcomer');
    for (let passedMs = 0; passedMs < 6_000; passedMs += 100) {
      ask(turns, 'proven');
      await pass(100, 10);
    }
    assert.equal(newcomer.turn?.is, 'busy');
    assert(newcomer.atMs <= 5_010, String(newcomer.atMs));
  });

  test('a rate of one in a second and a wait of one second still let everybody in, one by one', async () => {
    const turns = turnsWith(1, 1);
    let goneIn = 0;
    for (let passedMs = 0; passedMs < 22_000; passedMs += 100) {
      const { turn } = ask(turns, 'proven');
      assert.notEqual(turn?.is, 'gone');
      await pass(100, 10);
      goneIn = turns.givenCount;
    }
    assert.equal(goneIn, 21);
  });
});

describe('T2-28: what people are told', () => {
  test('once that chargers wait, and once that none does any more', async () => {
    const turns = turnsWith(10);
    askMany(turns, 100, 'proven');
    await pass(3_000, 10);
    askMany(turns, 20, 'newcomer');
    await pass(20_000, 10);
    assert.deepEqual(events, [
      { name: 'CsmsDialsWaiting', dialsPerSecond: 10 },
      { name: 'CsmsDialsCaughtUp', longestWaitSeconds: 10.9 },
    ]);
    askMany(turns, 11, 'proven');
    await pass(2_000, 10);
    assert.equal(events.length, 4);
  });

  test('nothing of waits that are shorter than a second', async () => {
    const turns = turnsWith(10);
    for (let count = 0; count < 50; count += 1) {
      ask(turns, 'proven');
      await pass(105, 5);
    }
    await pass(1_000, 5);
    assert.equal(turns.givenCount, 50);
    assert.deepEqual(events, []);
  });
});
