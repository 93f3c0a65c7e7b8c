import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  down,
  dwellMs,
  feederOptions,
  intervalMs,
  Line,
  nowMs,
  power,
  up,
  whole,
} from '../../test/support/ramp-line.ts';
import { noChange } from './load-change.ts';
import { calm } from './oscillation.ts';

// Goal: what is urgent goes first, what has just fallen rests before it rises, and what is larger than
// a budget pays for it; each within its limits.
// Method: lines of commands, as in `plan.test.ts`.

describe('an emergency', () => {
  test('goes first, with the reserve beyond the budget', () => {
    const line = new Line();
    for (const id of ['e', 'f']) line.add(id, whole, { lane: 'emergency' });
    for (const id of ['a', 'b', 'c']) line.add(id, whole);
    line.entries.set('unassigned', [{ ...whole, commandsMilli: 2000, atMs: nowMs - 5000 }]);
    assert.deepEqual(line.passAll(), { 0: 'e', 5: 'f', 10: 'a', 15: 'b', 20: 'c' });
  });

  test('overtakes those of its own charger', () => {
    const line = new Line();
    line.add('e', whole, { lane: 'emergency', chargerKey: 'cp' });
    line.add('first', whole, { chargerKey: 'cp', notBeforeMs: nowMs + 1 });
    assert.deepEqual(line.pass(), ['e']);
  });

  test('waits for neither jitter nor dwell time', () => {
    const line = new Line();
    line.fell('cp', nowMs - 1);
    const rest = { chargerKey: 'cp', swing: 'up', notBeforeMs: nowMs + 1 } as const;
    line.add('e', whole, { ...rest, lane: 'emergency' });
    assert.deepEqual(line.pass(), ['e']);
  });

  test('takes from those that come after it', () => {
    const line = new Line();
    line.add('e', { ...whole, commandsMilli: 3000 }, { lane: 'emergency' });
    line.add('a', whole);
    assert.deepEqual(line.passAll(), { 0: 'e', 10: 'a' });
  });

  test('stays below the ceiling', () => {
    const ceiling = { commandsMilli: 2500, upW: undefined, downW: undefined };
    const line = new Line(feederOptions('site', { ceiling }));
    for (const id of ['e', 'f', 'g']) line.add(id, whole, { at: 'site', lane: 'emergency' });
    assert.deepEqual(line.passAll(), { 0: 'e f', 10: 'g' });
  });

  test('is not slowed down with its feeder', () => {
    const line = new Line();
    line.state('unassigned', { oscillation: { ...calm, slowedUntilMs: nowMs + 60_000 } });
    for (const id of ['e', 'f', 'g']) line.add(id, whole, { lane: 'emergency' });
    for (const id of ['a', 'b']) line.add(id, whole);
    assert.deepEqual(line.passAll(), { 0: 'e f g', 10: 'a', 20: 'b' });
  });
});

describe('what an operator has released', () => {
  test('has no reserve, and waits for no jitter', () => {
    const line = new Line();
    for (const id of ['r', 's', 't']) {
      line.add(id, whole, { lane: 'released', notBeforeMs: nowMs + 60_000 });
    }
    line.add('a', whole, { notBeforeMs: nowMs + 60_000 });
    assert.deepEqual(line.passAll(), { 0: 'r s', 10: 't', 60: 'a' });
  });

  test('waits for the dwell time', () => {
    const line = new Line();
    line.fell('cp', nowMs - 1000);
    line.add('r', whole, { lane: 'released', chargerKey: 'cp', swing: 'up' });
    assert.deepEqual(line.passAll(), { [dwellMs / 1000 - 1]: 'r' });
  });
});

describe('T1-03: a place that has just fallen', () => {
  const cp = { chargerKey: 'cp', place: 1 };

  test('rests before it rises, while the others pass', () => {
    const line = new Line();
    line.fell('cp', nowMs - 20_000, 1);
    line.add('rise', whole, { ...cp, swing: 'up' });
    line.add('other', whole);
    assert.deepEqual(line.reasonOf('rise'), { is: 'dwell', untilMs: nowMs - 20_000 + dwellMs });
    assert.deepEqual(line.passAll(), { 0: 'other', 40: 'rise' });
  });

  test('may fall further, and may move a little', () => {
    for (const swing of ['down', 'none'] as const) {
      const line = new Line();
      line.fell('cp', nowMs, 1);
      line.add('again', whole, { ...cp, swing });
      assert.deepEqual(line.pass(), ['again']);
    }
  });

  test('keeps what comes after it on its charger waiting, and nobody else', () => {
    const line = new Line();
    line.fell('cp', nowMs, 1);
    line.add('rise', whole, { ...cp, swing: 'up' });
    line.add('stop', whole, { ...cp, swing: 'down' });
    line.add('other', whole);
    assert.deepEqual(line.pass(), ['other']);
    assert.deepEqual(line.reasonOf('stop'), { is: 'order' });
  });

  test('takes no budget while it rests', () => {
    const line = new Line(feederOptions('site', { budget: power(1000) }));
    line.fell('cp', nowMs, 1);
    line.add('rise', up(1000), { ...cp, at: 'site', swing: 'up' });
    line.add('other', up(1000), { at: 'site' });
    assert.deepEqual(line.pass(), ['other']);
  });
});

describe('a command that is larger than a budget', () => {
  const site = feederOptions('site', { budget: power(10_000), reserve: noChange });
  const at = { at: 'site' };

  test('goes alone, and says which budget it exceeds', () => {
    const line = new Line(site, feederOptions('street'));
    line.add('small', up(1), at);
    line.add('large', up(10_001), at);
    const [release] = line.planAt(nowMs).releases;
    assert.equal(release?.exceeds, undefined);
    assert.deepEqual(line.pass(), ['small']);
    const [large] = line.planAt(nowMs + intervalMs).releases;
    assert.deepEqual(large?.exceeds, { feeder: 'site', dimension: 'upW' });
    assert.deepEqual(line.pass(nowMs + intervalMs), ['large']);
  });

  for (const [watts, firstSecond] of [
    [10_000, 10],
    [10_001, 10],
    [20_000, 20],
    [35_000, 30],
    [100_000, 100],
  ] as const) {
    test(`pays for ${watts / 1000} kW of ten each ten seconds: the next one goes after ${firstSecond} s`, () => {
      const line = new Line(site);
      line.add('large', up(watts), at);
      line.add('small', up(5000), at);
      const { taken } = line.planAt(nowMs).releases[0] ?? { taken: [] };
      assert.equal(
        taken.reduce((sum, { upW }) => sum + upW, 0),
        watts + Math.max(0, watts - 10_000),
      );
      assert.deepEqual(line.passAll(), { 0: 'large', [firstSecond]: 'small' });
    });
  }

  test('leaves of its last window what it has not used', () => {
    const line = new Line(site);
    line.add('large', up(35_000), at);
    line.add('half', up(5000), at);
    line.add('more', up(1), at);
    // Three windows and a half are gone. The half may go in the fourth, and the rest after that.
    assert.deepEqual(line.passAll(), { 0: 'large', 30: 'half', 40: 'more' });
  });

  test('owes nothing in the other direction', () => {
    const line = new Line(site);
    line.add('large', up(35_000), at);
    line.add('fall', down(10_000), at);
    assert.deepEqual(line.pass(), ['large', 'fall']);
  });

  test('owes at each feeder by its own budget', () => {
    const line = new Line(
      { ...site, within: 'street' },
      feederOptions('street', { budget: power(20_000), reserve: noChange, intervalMs: 60_000 }),
    );
    line.add('large', up(30_000), at);
    line.add('small', up(1), at);
    const [release] = line.planAt(nowMs).releases;
    // It exceeds both; the nearest is named.
    assert.deepEqual(release?.exceeds, { feeder: 'site', dimension: 'upW' });
    const debts = release?.taken.filter(({ kind }) => kind === 'debt') ?? [];
    assert.deepEqual(
      debts.map(({ atMs, feeder, upW }) => [feeder, (atMs - nowMs) / 1000, upW]),
      [
        ['site', 10, 10_000],
        ['site', 20, 10_000],
        ['street', 60, 10_000],
      ],
    );
    assert.deepEqual(line.passAll(), { 0: 'large', 60: 'small' });
  });

  test('does not keep a feeder from everything for longer than 64 of its windows', () => {
    const line = new Line(site);
    line.add('huge', up(1e9), at);
    line.add('small', up(1), at);
    assert.deepEqual(line.passAll(nowMs + 700_000), { 0: 'huge', 640: 'small' });
  });

  test('never goes when the operator refuses it, nor above the ceiling', () => {
    const refusing = new Line(site);
    refusing.oversized = 'refuse';
    refusing.add('large', up(10_001), at);
    assert.deepEqual(refusing.passAll(), {});
    const ceiling = { ...power(15_000), commandsMilli: undefined };
    const bounded = new Line({ ...site, ceiling });
    bounded.add('allowed', up(15_000), at);
    bounded.add('never', up(15_001), at);
    assert.deepEqual(bounded.passAll(), { 0: 'allowed' });
  });

  test('goes alone while its feeder is slowed down, if it is larger than what is left', () => {
    const line = new Line(site);
    line.state('site', { oscillation: { ...calm, slowedUntilMs: nowMs + 600_000 } });
    line.add('large', up(8000), at);
    line.add('small', up(5000), at);
    // Of five in ten seconds it has used up one window, and three of the next.
    assert.deepEqual(line.passAll(), { 0: 'large', 20: 'small' });
  });
});
