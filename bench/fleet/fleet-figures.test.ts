import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../src/lib/random.ts';
import { quantileOf, rateMax } from './arrivals.ts';
import { parseRetryAfter, waitSeconds } from './back-off.ts';
import { HandshakeTurns } from './handshake-turns.ts';
import { Latencies } from './latencies.ts';
import { chargersThatFit, describeMachine, fewerRemark } from './machine.ts';
import { parseMetrics } from './metrics-page.ts';
import { differenceOf, emptyTally, sumOf } from './tally.ts';

// Goal: the figures of the benchmarks of a fleet are what they are called.
// Method: each is computed from a few numbers whose figure can be seen.
describe('the largest rate within any span', () => {
  test('a burst across the border of two seconds is one burst', () => {
    assert.equal(rateMax([0, 900, 950, 1_050, 1_100, 2_500], 1_000), 4);
  });

  test('two moments that are a whole span apart are not in one', () => {
    assert.equal(rateMax([0, 1_000, 2_000], 1_000), 1);
    assert.equal(rateMax([], 1_000), 0);
  });
});

describe('when a share had arrived', () => {
  test('it is the time of the last of that share, and of all that were wanted', () => {
    const atMs = [10, 20, 30, 40];
    assert.equal(quantileOf(atMs, 0.5, 4), 20);
    assert.equal(quantileOf(atMs, 1, 4), 40);
    assert.equal(quantileOf(atMs, 0.99, 5), Number.NaN);
  });
});

describe('the wait of a charger before it connects again', () => {
  const waits = (failures: number, retryAfter?: number): readonly number[] => {
    const random = seededRandom(1);
    return Array.from({ length: 500 }, () => waitSeconds(failures, retryAfter, random));
  };
  const span = (numbers: readonly number[]): readonly number[] =>
    [Math.min(...numbers), Math.max(...numbers)].map((number) => Math.round(number * 10) / 10);

  test('the first is at most two seconds; the others double up to half a minute, with jitter', () => {
    assert.deepEqual(span(waits(0)), [0, 2]);
    assert.deepEqual(span(waits(1)), [1.5, 2.5]);
    assert.deepEqual(span(waits(2)), [3, 5]);
    assert.deepEqual(span(waits(40)), [22.5, 37.5]);
  });

  test('what the server asks for goes before that', () => {
    assert.deepEqual(span(waits(5, 3)), [3, 4]);
    assert.equal(parseRetryAfter('15'), 15);
    assert.equal(parseRetryAfter('999999999'), 3_600);
    assert.equal(parseRetryAfter('Thu, 26 Nov 2026 06:00:00 GMT'), undefined);
    assert.equal(parseRetryAfter(undefined), undefined);
  });
});

describe('latencies', () => {
  test('quantiles are at most 2 % too long, and never too short', () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 1_000; ms += 1) latencies.add(ms);
    for (const [part, exact] of [
      [0.5, 500],
      [0.99, 990],
    ] as const) {
      const found = latencies.quantile(part);
      assert.ok(found >= exact && found <= exact * 1.02, `${found} for ${exact}`);
    }
  });

  test('those of several processes are one', () => {
    const all = new Latencies();
    for (const ms of [1, 1, 1, 100]) {
      const one = new Latencies();
      one.add(ms);
      all.addAll(one.counts);
    }
    assert.ok(all.quantile(0.75) < 1.1);
    assert.ok(all.quantile(1) >= 100);
    assert.equal(new Latencies().quantile(0.5), Number.NaN);
  });
});

describe('tallies', () => {
  const one = { ...emptyTally(), online: 3, sent: 5, refused: { 503: 2 } };

  test('are added number by number, and name by name', () => {
    const sum = sumOf([one, { ...one, refused: { 503: 1, ECONNREFUSED: 4 } }]);
    assert.equal(sum.sent, 10);
    assert.deepEqual(sum.refused, { 503: 3, ECONNREFUSED: 4 });
  });

  test('what has happened since is the difference; who is online now is no difference', () => {
    const later = { ...one, online: 7, sent: 9, refused: { 503: 2, 429: 1 } };
    const difference = differenceOf(later, one);
    assert.equal(difference.sent, 4);
    assert.equal(difference.online, 7);
    assert.deepEqual(difference.refused, { 429: 1 });
    assert.deepEqual(later.refused, { 503: 2, 429: 1 });
  });
});

describe('the page of metrics', () => {
  test('samples are found by their whole name, and what is missing is no number', () => {
    const page =
      '# HELP gatewatt_sessions Chargers\ngatewatt_sessions 12\n' +
      'nodejs_heap_size_used_bytes_old{space="a"} 99\n' +
      'nodejs_eventloop_lag_seconds 5\nnodejs_eventloop_lag_p99_seconds 0.0125\n';
    const metrics = parseMetrics(page);
    assert.equal(metrics.sessions, 12);
    assert.equal(metrics.lag.p99Ms, 12.5);
    assert.equal(metrics.heapBytes, Number.NaN);
  });
});

describe('chargers that fit on a machine', () => {
  test('each takes two files of the gateway, and people are told when fewer fit', () => {
    const machine = { ...describeMachine(), openFilesMax: 20_000 };
    assert.equal(chargersThatFit(10_000, machine), 9_850);
    assert.equal(chargersThatFit(500, machine), 500);
    assert.equal(fewerRemark(500, 500, machine), undefined);
    assert.match(fewerRemark(10_000, 9_850, machine) ?? '', /ONLY 9850 CHARGERS INSTEAD OF 10000/);
  });
});

describe('turns at the handshake', () => {
  test('64 are under way at most, the others follow in their order, and all get through', () => {
    const turns = new HandshakeTurns();
    const begun: number[] = [];
    const underWay: (() => void)[] = [];
    for (let index = 0; index < 200; index += 1) {
      turns.take((done) => {
        begun.push(index);
        underWay.push(done);
      });
    }
    assert.equal(begun.length, 64);
    // One that says twice that it is through has had one turn only.
    underWay[0]?.();
    underWay[0]?.();
    assert.equal(begun.length, 65);
    for (const done of underWay) done();
    assert.deepEqual(
      begun,
      Array.from({ length: 200 }, (_, index) => index),
    );
    turns.take(() => begun.push(200));
    assert.equal(begun.length, 201);
  });
});
