import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  down,
  feederOptions,
  intervalMs,
  Line,
  nowMs,
  power,
  up,
  whole,
} from '../../test/support/ramp-line.ts';
import { noChange } from './load-change.ts';
import { othersMayTakeMs } from './plan.ts';

// Goal: what waits is let through in order, as much as the budgets bear and not less, and nothing
// waits for ever behind something else.
// Method: a line of commands at one moment, and at the moments after it; each rule with the command
// that it holds back beside the one that it lets pass. `plan-lanes.test.ts` and
// `plan-random.test.ts` have the rest.

describe('a line', () => {
  test('goes in order of arrival, as fast as the budget allows, and asks to be looked at then', () => {
    const line = new Line();
    for (const id of ['a', 'b', 'c', 'd', 'e']) line.add(id, whole);
    const { releases, waits, wakeAtMs } = line.planAt(nowMs);
    assert.deepEqual(
      releases.map(({ command }) => command.id),
      ['a', 'b'],
    );
    assert.deepEqual(waits.get('c'), {
      is: 'budget',
      feeder: 'unassigned',
      dimension: 'commandsMilli',
      untilMs: nowMs + intervalMs,
    });
    assert.deepEqual([waits.get('d'), waits.get('e')], [{ is: 'order' }, { is: 'order' }]);
    assert.equal(wakeAtMs, nowMs + intervalMs);
    assert.deepEqual(line.passAll(), { 0: 'a b', 10: 'c d', 20: 'e' });
  });

  test('that is empty asks for nothing', () => {
    const { releases, waits, wakeAtMs } = new Line().planAt(nowMs);
    assert.deepEqual([releases, waits.size, wakeAtMs], [[], 0, Infinity]);
  });

  test('fills a budget with parts of commands to the last thousandth', () => {
    const line = new Line();
    for (const milli of [700, 700, 600, 1]) {
      line.add(`${milli}-${line.waiting.length}`, { ...noChange, commandsMilli: milli });
    }
    assert.deepEqual(line.passAll(), { 0: '700-0 700-1 600-2', 10: '1-3' });
  });

  test('lets what moves nothing pass, though the budgets are full', () => {
    const line = new Line();
    for (const id of ['a', 'b', 'c']) line.add(id, whole);
    line.add('nothing', noChange);
    assert.deepEqual(line.pass(), ['a', 'b', 'nothing']);
  });
});

describe('commands of one charger', () => {
  const both = { chargerKey: 'cp' };

  test('never overtake each other, whatever the first waits for', () => {
    for (const held of [
      { presence: 'away' },
      { presence: 'busy' },
      { notBeforeMs: nowMs + 1 },
    ] as const) {
      const line = new Line();
      line.add('first', whole, { ...both, ...held });
      line.add('second', whole, both);
      line.add('other', whole);
      assert.deepEqual(line.pass(), ['other']);
      assert.deepEqual(line.reasonOf('second'), { is: 'order' });
    }
  });

  test('do not even where the second needs another budget', () => {
    const line = new Line(feederOptions('site', { budget: power(1000) }));
    line.entries.set('site', [{ ...up(1000), atMs: nowMs - 1 }]);
    line.add('start', up(1000), { ...both, at: 'site' });
    line.add('stop', down(1000), { ...both, at: 'site' });
    line.add('other', down(1000), { at: 'site' });
    assert.deepEqual(line.pass(), ['other']);
    assert.deepEqual(line.pass(nowMs + intervalMs), ['start']);
    assert.deepEqual(line.pass(nowMs + intervalMs), ['stop']);
  });

  test('go one after the other, though there is room for all: it takes one at a time', () => {
    const line = new Line();
    line.add('first', whole, both);
    line.add('second', whole, both);
    line.add('other', whole);
    assert.deepEqual(line.reasonOf('second'), { is: 'busy' });
    assert.deepEqual(line.pass(), ['first', 'other']);
    assert.deepEqual(line.pass(nowMs + intervalMs), ['second']);
  });

  test('do not overtake each other in the emergency lane either', () => {
    const line = new Line(feederOptions('site', { budget: power(1000) }));
    line.entries.set('site', [{ ...up(1000), atMs: nowMs - 1 }]);
    line.add('start', up(1000), { ...both, at: 'site', lane: 'emergency' });
    line.add('stop', down(1000), { ...both, at: 'site', lane: 'emergency' });
    assert.deepEqual(line.pass(), []);
    assert.deepEqual(line.pass(nowMs + intervalMs), ['start']);
    assert.deepEqual(line.pass(nowMs + intervalMs), ['stop']);
  });
});

describe('a charger', () => {
  for (const presence of ['away', 'busy'] as const) {
    test(`that is ${presence} lets the others pass, and takes nothing`, () => {
      const line = new Line();
      line.add('first', whole, { presence });
      for (const id of ['a', 'b', 'c']) line.add(id, whole);
      assert.deepEqual(line.pass(), ['a', 'b']);
      assert.deepEqual(line.reasonOf('first'), { is: presence });
      line.waiting = line.waiting.map((it) => ({ ...it, presence: 'ready' }));
      assert.deepEqual(line.pass(nowMs + intervalMs), ['first', 'c']);
    });
  }

  test('of another gateway is counted, and left to that one', () => {
    const line = new Line();
    line.add('mine', whole);
    line.add('theirs', whole, { presence: 'elsewhere' });
    line.add('next', whole);
    const { releases, waits } = line.planAt(nowMs);
    assert.deepEqual(
      releases.map(({ command }) => command.id),
      ['mine'],
    );
    // Nobody here waits for it; but what it will take is gone.
    assert.equal(waits.has('theirs'), false);
    assert.equal(waits.get('next')?.is, 'budget');
    assert.deepEqual(line.pass(), ['mine']);
    assert.deepEqual(
      line.waiting.map(({ id }) => id),
      ['theirs', 'next'],
    );
  });
});

describe('a command of another gateway', () => {
  const laterMs = nowMs + othersMayTakeMs;

  test('that could have gone for a while lets the others pass: its charger is busy, or hangs', () => {
    const line = new Line();
    for (const id of ['one', 'two']) line.add(id, whole, { presence: 'elsewhere' });
    line.add('mine', whole);
    assert.deepEqual(line.pass(laterMs - 1), []);
    assert.deepEqual(line.pass(laterMs), ['mine']);
    assert.deepEqual(line.reasonOf('one', laterMs), { is: 'busy' });
  });

  test('keeps what there is room for only now', () => {
    const line = new Line();
    line.entries.set('unassigned', [{ ...whole, commandsMilli: 2000, atMs: nowMs }]);
    for (const id of ['one', 'two']) line.add(id, whole, { presence: 'elsewhere' });
    line.add('mine', whole);
    const roomMs = nowMs + intervalMs;
    assert.deepEqual(line.pass(roomMs), []);
    assert.deepEqual(line.pass(roomMs + othersMayTakeMs - 1), []);
    assert.deepEqual(line.pass(roomMs + othersMayTakeMs), ['mine']);
  });

  test('that had to wait for something else is not late before it may go', () => {
    const line = new Line();
    for (const id of ['one', 'two']) {
      line.add(id, whole, { presence: 'elsewhere', notBeforeMs: laterMs });
    }
    line.add('mine', whole);
    line.add('last', whole);
    assert.deepEqual(line.pass(laterMs), []);
    assert.deepEqual(line.pass(laterMs + othersMayTakeMs), ['mine', 'last']);
  });

  test('holds back what is behind it of its own charger, however late it is', () => {
    const line = new Line();
    line.add('first', whole, { chargerKey: 'cp', presence: 'elsewhere' });
    line.add('second', whole, { chargerKey: 'cp', presence: 'elsewhere' });
    assert.deepEqual(line.reasonOf('second', laterMs), { is: 'order' });
  });
});

describe('a command that waits for a budget', () => {
  const site = feederOptions('site', {
    budget: { commandsMilli: 5000, upW: 10_000, downW: 10_000 },
  });

  test('keeps that budget from those behind it, and no other', () => {
    const line = new Line(site);
    line.entries.set('site', [{ ...up(5000), atMs: nowMs - 4000 }]);
    const at = { at: 'site' };
    line.add('large', up(6000), at);
    line.add('small', up(1), at);
    line.add('stop', down(9000), at);
    assert.deepEqual(line.pass(), ['stop']);
    assert.deepEqual(line.reasonOf('small'), { is: 'order' });
    assert.deepEqual(line.pass(nowMs + 6000), ['large', 'small']);
  });

  test('keeps it from those that need it only by now as well', () => {
    const line = new Line(site);
    line.entries.set('site', [{ ...up(5000), atMs: nowMs - 4000 }]);
    line.add('large', up(6000), { at: 'site' });
    const refreshed = () => ({ now: up(1), swing: 'up', place: 1 }) as const;
    line.add('small', noChange, { at: 'site', refreshed });
    line.add('nothing', noChange, { at: 'site' });
    assert.deepEqual(line.pass(), ['nothing']);
    assert.deepEqual(line.pass(nowMs + 6000), ['large', 'small']);
  });

  test('is counted as what it does by now', () => {
    const line = new Line(site);
    const refreshed = () => ({ now: up(2000), swing: 'up', place: 1 }) as const;
    for (const id of ['a', 'b', 'c', 'd', 'e']) line.add(id, up(9000), { at: 'site', refreshed });
    line.add('f', up(2000), { at: 'site' });
    assert.deepEqual(line.passAll(), { 0: 'a b c d e', 10: 'f' });
  });

  test('gets its turn, though small ones never cease', () => {
    const line = new Line(site);
    line.add('large', up(10_000), { at: 'site', arrivedAtMs: nowMs - 1 });
    line.entries.set('site', [{ ...up(1000), atMs: nowMs - 1 }]);
    for (let second = 0; second < 60; second += 1) {
      const atMs = nowMs + second * 1000;
      line.add(`small-${second}`, up(1000), { at: 'site', arrivedAtMs: atMs });
      if (line.pass(atMs).includes('large')) {
        // The window of what passed before it is over.
        assert.equal(second, 10);
        return;
      }
    }
    assert.fail('it starves');
  });

  test('that is short of two budgets in turn is not starved by two kinds of others', () => {
    // Whatever is free, somebody else wants it: those who want one of the two take turns.
    const line = new Line(site);
    const both = { commandsMilli: 5000, upW: 10_000, downW: 0 };
    line.add('both', both, { at: 'site' });
    line.entries.set('site', [
      { ...up(10_000), atMs: nowMs - 1 },
      { ...noChange, commandsMilli: 5000, atMs: nowMs - 5000 },
    ]);
    for (let tick = 0; tick < 200; tick += 1) {
      const atMs = nowMs + tick * 500;
      line.add(`power-${tick}`, up(10_000), { at: 'site', arrivedAtMs: atMs });
      line.add(
        `count-${tick}`,
        { ...noChange, commandsMilli: 5000 },
        { at: 'site', arrivedAtMs: atMs },
      );
      if (line.pass(atMs).includes('both')) {
        // Three intervals of patience, and one more until the windows are empty.
        assert.ok(tick * 500 <= 4 * intervalMs, `after ${tick * 500} ms`);
        return;
      }
    }
    assert.fail('it starves');
  });

  test('that fits nowhere keeps nothing from the others', () => {
    const ceiling = { commandsMilli: undefined, upW: 20_000, downW: undefined };
    const line = new Line({ ...site, ceiling });
    line.add('never', up(20_001), { at: 'site' });
    line.add('other', up(10_000), { at: 'site' });
    const { waits, wakeAtMs } = line.planAt(nowMs);
    assert.deepEqual(waits.get('never'), {
      is: 'budget',
      feeder: 'site',
      dimension: 'upW',
      untilMs: Infinity,
    });
    assert.equal(wakeAtMs, Infinity);
    assert.deepEqual(line.pass(), ['other']);
  });
});

describe('feeders that are parts of one', () => {
  const site = (name: string) => feederOptions(name, { within: 'street' });
  const street = feederOptions('street', {
    intervalMs: 60_000,
    budget: { commandsMilli: 3000, upW: undefined, downW: undefined },
  });

  test('all bear what a command moves', () => {
    const line = new Line(site('one'), site('two'), street);
    for (const id of ['a', 'b', 'c']) line.add(`1${id}`, whole, { at: 'one' });
    for (const id of ['a', 'b']) line.add(`2${id}`, whole, { at: 'two' });
    // Two for each site in ten seconds, and three for the street in a minute.
    assert.deepEqual(line.passAll(), { 0: '1a 1b 2a', 60: '1c 2b' });
  });

  test('tell the one that is short for the longest time', () => {
    const line = new Line(site('one'), street);
    line.entries.set('one', [{ ...whole, commandsMilli: 2000, atMs: nowMs }]);
    line.entries.set('street', [{ ...whole, commandsMilli: 3000, atMs: nowMs }]);
    line.add('a', whole, { at: 'one' });
    assert.deepEqual(line.reasonOf('a'), {
      is: 'budget',
      feeder: 'street',
      dimension: 'commandsMilli',
      untilMs: nowMs + 60_000,
    });
  });

  test('do not wait for each other where they have nothing in common', () => {
    const line = new Line(site('one'), street, feederOptions('elsewhere'));
    line.entries.set('one', [{ ...whole, commandsMilli: 2000, atMs: nowMs }]);
    line.add('a', whole, { at: 'one' });
    line.add('b', whole, { at: 'elsewhere' });
    line.add('c', whole, { at: 'street' });
    assert.deepEqual(line.pass(), ['b', 'c']);
  });
});
