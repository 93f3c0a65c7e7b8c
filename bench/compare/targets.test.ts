import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ContestantName } from './contestants/contestant.ts';
import { cpuAt, figuresOf, latencyAt, type Values } from './figures.ts';
import { type Round, summarize, withAddedLatency } from './summary.ts';
import { judgeTargets, type Target } from './targets.ts';

// Goal: a target is met or missed by what was measured, and nothing is concluded from noise, from too
//   few rounds, or from rounds that do not belong together.
// Method: rounds with invented numbers.

type Numbers = Readonly<Partial<Record<ContestantName, Values>>>;

/** Rounds on one transport. */
function rounds(measured: readonly Numbers[], transport: Round['transport'] = 'plain') {
  return measured.flatMap((of, index) =>
    Object.entries(of).map(
      ([contestant, values]): Round => ({
        round: index + 1,
        transport,
        contestant: contestant as ContestantName,
        ratePerSecond: 1000,
        values,
      }),
    ),
  );
}

function judged(of: readonly Round[]): readonly Target[] {
  const all = withAddedLatency(of);
  return judgeTargets(all, summarize(all, figuresOf([1000, 100, 1])));
}

function verdict(of: readonly Round[], title: string): string {
  const target = judged(of).find((it) => it.title.startsWith(title));
  assert.ok(target !== undefined, title);
  return `${target.verdict} ${target.value?.toFixed(2) ?? '-'}`;
}

const cpuOf = (microseconds: number): Values => ({ [cpuAt(100)]: microseconds });

/** Three rounds of a machine that is half as fast in the second one. */
function cpuRounds(gatewatt: number, others: Numbers = {}, transport?: Round['transport']) {
  return rounds(
    [1, 2, 1.05].map((slowness) => ({
      gatewatt: cpuOf(gatewatt * slowness),
      'pass-through': cpuOf(20 * slowness),
      ...others,
    })),
    transport,
  );
}

describe('CPU beside the pass-through', () => {
  for (const [microseconds, expected] of [
    [24, 'met 1.20'],
    [24.1, 'missed 1.21'],
  ] as const) {
    test(`${microseconds} µs to 20: ${expected}, however fast the machine is`, () => {
      assert.equal(
        verdict(cpuRounds(microseconds), 'CPU at 100 chargers, plain: times that'),
        expected,
      );
    });
  }

  test('under TLS it has its own limit, and its own rounds', () => {
    const both = [...cpuRounds(30), ...cpuRounds(23, {}, 'tls')];
    assert.equal(verdict(both, 'CPU at 100 chargers, tls'), 'met 1.15');
    const more = cpuRounds(23.2, {}, 'tls');
    assert.equal(verdict(more, 'CPU at 100 chargers, tls'), 'missed 1.16');
    assert.equal(verdict(both, 'CPU at 100 chargers, plain: times that'), 'missed 1.50');
  });

  test('is the median of the ratios within each round, and not the ratio of the medians', () => {
    const mixed = rounds(
      [
        [20, 20],
        [22, 20],
        [30, 21],
      ].map(([own = 0, other = 0]) => ({ gatewatt: cpuOf(own), 'pass-through': cpuOf(other) })),
    );
    assert.equal(verdict(mixed, 'CPU at 100 chargers, plain: times that'), 'met 1.10');
  });

  test('two rounds, or rounds that differ too much, conclude nothing', () => {
    const title = 'CPU at 100 chargers, plain: times that';
    const two = rounds([1, 2].map(() => ({ gatewatt: cpuOf(21), 'pass-through': cpuOf(20) })));
    assert.equal(verdict(two, title), 'not concluded 1.05');
    const wild = rounds(
      [15, 21, 30].map((own) => ({ gatewatt: cpuOf(own), 'pass-through': cpuOf(20) })),
    );
    assert.equal(verdict(wild, title), 'not concluded 1.05');
  });

  test('nor do rounds of which each had another machine, although their ratios agree', () => {
    const restless = rounds(
      [1, 1.3, 2].map((slowness) => ({
        gatewatt: cpuOf(20 * slowness),
        'pass-through': cpuOf(20 * slowness),
      })),
    );
    assert.equal(verdict(restless, 'CPU at 100 chargers, plain: times that'), 'not concluded 1.00');
  });

  test('without the pass-through there is nothing to say', () => {
    const alone = rounds([1, 2, 3].map(() => ({ gatewatt: cpuOf(20) })));
    assert.equal(verdict(alone, 'CPU at 100 chargers, plain: times that'), 'not measured -');
  });
});

describe('CPU beside ocpp-rpc', () => {
  for (const [other, expected] of [
    [80, 'met 4.00'],
    [79, 'missed 3.95'],
  ] as const) {
    test(`${other} µs to 20: ${expected}`, () => {
      const measured = rounds(
        [1, 2, 3].map(() => ({ gatewatt: cpuOf(20), 'ocpp-rpc': cpuOf(other) })),
      );
      assert.equal(verdict(measured, 'CPU at 100 chargers, plain: times cheaper'), expected);
    });
  }
});

describe('latency that is added', () => {
  const p99Of = (ms: number): Values => ({ [latencyAt('p99')]: ms });

  for (const [own, expected] of [
    [2.9, 'met 1.90'],
    [3, 'missed 2.00'],
  ] as const) {
    test(`${own} ms to 1 ms without a proxy: ${expected}`, () => {
      const measured = rounds([1, 2, 3].map(() => ({ gatewatt: p99Of(own), none: p99Of(1) })));
      assert.equal(verdict(measured, 'latency added at p99, plain'), expected);
    });
  }

  test('is that of the same round', () => {
    const measured = rounds(
      [0, 10, 20].map((ms) => ({ gatewatt: p99Of(ms + 1.5), none: p99Of(ms + 1) })),
    );
    assert.equal(verdict(measured, 'latency added at p99, plain'), 'met 0.50');
  });

  test('next to nothing is no noise; what differs by a part of the target is', () => {
    const small = rounds([1.05, 1.1, 1.2].map((ms) => ({ gatewatt: p99Of(ms), none: p99Of(1) })));
    assert.equal(verdict(small, 'latency added at p99, plain'), 'met 0.10');
    const wild = rounds([1.1, 2, 3.2].map((ms) => ({ gatewatt: p99Of(ms), none: p99Of(1) })));
    assert.equal(verdict(wild, 'latency added at p99, plain'), 'not concluded 1.00');
  });

  test('without none of them there is nothing to take it from', () => {
    const alone = rounds([1, 2, 3].map(() => ({ gatewatt: p99Of(1) })));
    assert.equal(verdict(alone, 'latency added at p99, plain'), 'not measured -');
  });
});

describe('memory for an idle charger', () => {
  for (const [bytes, expected] of [
    [45_000, 'met 1.50'],
    [45_400, 'missed 1.51'],
  ] as const) {
    test(`${bytes} to 30000: ${expected}`, () => {
      const measured = rounds(
        [1, 2, 3].map(() => ({
          gatewatt: { idleBytes: bytes },
          'pass-through': { idleBytes: 30_000 },
        })),
      );
      assert.equal(verdict(measured, 'memory per idle charger, plain'), expected);
    });
  }
});
