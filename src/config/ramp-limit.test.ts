import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfig } from './load.ts';

// Goal: what an operator says of feeders has one meaning, and what contradicts itself is refused with
// its place and with what to change.
// Method: the `rampLimit` section as an operator would write it, on both sides of each relation.

function mistakesIn(rampLimit: string, csms = 'url: "ws://c/"'): readonly string[] {
  const listener = '{ name: f, address: "a:1", securityProfile: 1 }';
  const text = `listeners: [${listener}]\ncsms: { ${csms} }\nrampLimit: { ${rampLimit} }\n`;
  const parsed = parseConfig(text);
  return parsed.ok
    ? []
    : parsed.error.map(({ path, message }) => `${path.replace('rampLimit.', '')}: ${message}`);
}

const feeders = (...entries: readonly string[]): string =>
  `feeders: [${entries.map((entry) => `{ ${entry} }`).join(', ')}]`;

/** Feeders that are parts of each other, the first one within the second and so on. */
function levels(count: number): string {
  const entries = Array.from({ length: count }, (_, index) =>
    index === count - 1 ? `name: f${index}` : `name: f${index}, within: f${index + 1}`,
  );
  return feeders(...entries);
}

describe('the rampLimit section', () => {
  test('yesterday’s configuration has it, with the safe defaults', () => {
    const parsed = parseConfig(
      'listeners: [{ name: f, address: "a:1", securityProfile: 1 }]\ncsms: { url: "ws://c/" }\n',
    );
    assert(parsed.ok);
    const { rampLimit } = parsed.value;
    assert.deepEqual(rampLimit, {
      mode: 'auto',
      reply: 'auto',
      onLongWait: { starts: 'answer', stops: 'answer', limits: 'refuse', others: 'refuse' },
      holdSecondsMax: 900,
      heldCommandsMax: 1000,
      heldCommandsPerChargerMax: 8,
      dwellSeconds: 60,
      jitterSeconds: 3,
      oscillation: { windowSeconds: 300, reversalsMax: 4 },
      assumedRatedKw: 150,
      measuredSecondsMax: 300,
      lineVolts: 230,
      futureSteps: 'shift',
      shiftSecondsMax: 900,
      oversized: 'alone',
      discharge: 'refuse',
      derControls: 'refuse',
      unassigned: {
        intervalSeconds: 10,
        emergencyKwPerInterval: 0,
        emergencyCommandsPerInterval: 1,
      },
      feeders: [],
    });
  });

  test('the example of PNNL-35706, and one with kW', () => {
    const pnnl = feeders('name: all, chargers: ["*"], commandsPerInterval: 2, intervalSeconds: 10');
    assert.deepEqual(mistakesIn(`reply: immediate, ${pnnl}`), []);
    const kw = 'maxUpKwPerInterval: 150, maxDownKwPerInterval: 150, emergencyKwPerInterval: 50';
    assert.deepEqual(mistakesIn(feeders(`name: north, chargers: [CP-1, "DEPOT-N-*"], ${kw}`)), []);
  });

  test('unknown keys are mistakes on every level', () => {
    assert.deepEqual(
      mistakesIn(
        'replies: auto, onLongWait: { rises: answer }, oscillation: { seconds: 9 }, ' +
          `unassigned: { name: x }, ${feeders('name: f, kw: 1')}`,
      ).map((mistake) => mistake.split(': ')[0]),
      ['onLongWait.rises', 'oscillation.seconds', 'unassigned.name', 'feeders[0].kw', 'replies'],
    );
  });

  test('a call must not be kept open for as long as the CSMS waits', () => {
    const open = (seconds: number, timeout: string): readonly string[] =>
      mistakesIn(`openSecondsMax: ${seconds}`, `url: "ws://c/"${timeout}`);
    assert.deepEqual(open(29, ''), []);
    assert.deepEqual(open(30, ''), [
      'openSecondsMax: must be below csms.callTimeoutSeconds (30), when the CSMS gives up: lower ' +
        'it, or raise csms.callTimeoutSeconds',
    ]);
    assert.deepEqual(open(30, ', callTimeoutSeconds: 31'), []);
    assert.equal(open(1, ', callTimeoutSeconds: 1').length, 1);
    assert.deepEqual(mistakesIn('', 'url: "ws://c/", callTimeoutSeconds: 1'), []);
  });
});

describe('ceilings', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['ceilingUpKwPerInterval: 99', undefined],
    ['ceilingUpKwPerInterval: 100, maxUpKwPerInterval: 100', undefined],
    ['ceilingUpKwPerInterval: 99, maxUpKwPerInterval: 100', 'maxUpKwPerInterval (100)'],
    ['ceilingDownKwPerInterval: 100, maxDownKwPerInterval: 100', undefined],
    ['ceilingDownKwPerInterval: 99, maxDownKwPerInterval: 100', 'maxDownKwPerInterval (100)'],
    ['ceilingDownKwPerInterval: 99, maxUpKwPerInterval: 100', undefined],
    ['ceilingCommandsPerInterval: 5, commandsPerInterval: 5', undefined],
    ['ceilingCommandsPerInterval: 4, commandsPerInterval: 5', 'commandsPerInterval (5)'],
    // Nobody wrote a number, and there is one all the same.
    ['ceilingCommandsPerInterval: 1, maxUpKwPerInterval: 9', 'commandsPerInterval'],
    ['ceilingCommandsPerInterval: 1, maxUpKwPerInterval: 9, maxDownKwPerInterval: 9', undefined],
  ];
  for (const [budgets, beside] of cases) {
    test(`${budgets} is ${beside === undefined ? 'fine' : 'a mistake'}`, () => {
      for (const [place, section] of [
        ['feeders[0]', feeders(`name: f, ${budgets}`)],
        ['unassigned', `unassigned: { ${budgets} }`],
      ] as const) {
        const mistakes = mistakesIn(section);
        assert.equal(mistakes.length, beside === undefined ? 0 : 1, mistakes.join());
        if (beside === undefined) continue;
        assert.ok(mistakes[0]?.startsWith(`${place}.ceiling`), mistakes[0]);
        assert.ok(mistakes[0]?.includes(`must not be below ${beside}`), mistakes[0]);
      }
    });
  }

  test('of commands are compared with what holds when nobody says a number', () => {
    const feeder = (ceiling: number) => feeders(`name: f, ceilingCommandsPerInterval: ${ceiling}`);
    const rest = (ceiling: number) => `unassigned: { ceilingCommandsPerInterval: ${ceiling} }`;
    assert.deepEqual(mistakesIn(feeder(2)), []);
    assert.equal(mistakesIn(feeder(1)).length, 1);
    assert.deepEqual(mistakesIn(rest(10)), []);
    assert.equal(mistakesIn(rest(9)).length, 1);
    assert.deepEqual(mistakesIn(`reply: immediate, ${rest(2)}`), []);
    assert.equal(mistakesIn(`reply: immediate, ${rest(1)}`).length, 1);
  });
});

describe('the names of feeders', () => {
  test('are 1 to 64 characters that can be printed, in any script', () => {
    for (const name of ['a', 'Süd 7', '变电站', '0'.repeat(64), '*']) {
      assert.deepEqual(mistakesIn(feeders(`name: "${name}"`)), [], name);
    }
    for (const name of ['', '0'.repeat(65), 'a\\nb', '\\e[31m', '\\u202e']) {
      assert.equal(mistakesIn(feeders(`name: "${name}"`)).length > 0, true, name);
    }
  });

  test('are there once, and one is reserved', () => {
    assert.deepEqual(mistakesIn(feeders('name: a', 'name: b', 'name: a')), [
      'feeders[2].name: another feeder has this name',
    ]);
    assert.deepEqual(mistakesIn(feeders('name: a', 'name: A')), []);
    assert.deepEqual(mistakesIn(feeders('name: unassigned')), [
      'feeders[0].name: "unassigned" is what the rest is called',
    ]);
  });
});

describe('feeders within feeders', () => {
  test('may stand in any order', () => {
    assert.deepEqual(mistakesIn(feeders('name: a, within: b', 'name: b')), []);
    assert.deepEqual(
      mistakesIn(feeders('name: b', 'name: a, within: b', 'name: c, within: b')),
      [],
    );
  });

  test('need one that is there', () => {
    for (const within of ['c', 'A', 'unassigned', '__proto__']) {
      assert.deepEqual(mistakesIn(feeders('name: a', `name: b, within: ${within}`)), [
        'feeders[1].within: there is no feeder of this name',
      ]);
    }
  });

  test('make no circle; what hangs on a circle is not blamed for it', () => {
    const itself = 'the feeder would be a part of itself';
    assert.deepEqual(mistakesIn(feeders('name: a, within: a')), [`feeders[0].within: ${itself}`]);
    assert.deepEqual(
      mistakesIn(
        feeders('name: a, within: b', 'name: b, within: c', 'name: c, within: b', 'name: d'),
      ),
      [`feeders[1].within: ${itself}`, `feeders[2].within: ${itself}`],
    );
  });

  test('have 8 levels at most', () => {
    assert.deepEqual(mistakesIn(levels(8)), []);
    assert.deepEqual(mistakesIn(levels(9)), [
      'feeders[0].within: there are 9 levels of feeders; 8 are possible',
    ]);
  });

  test('a thousand of them are checked in no time', () => {
    const startedAt = performance.now();
    assert.equal(mistakesIn(levels(1000)).length, 992);
    assert.equal(mistakesIn(levels(1001)).length > 0, true);
    assert(performance.now() - startedAt < 5000);
  });
});

describe('the chargers of feeders', () => {
  test('an identity that is named in two feeders is a mistake; case does not matter', () => {
    const text = feeders('name: a, chargers: [CP-1, CP-2, cp-1]', 'name: b, chargers: [X, cp-2]');
    assert.deepEqual(mistakesIn(text), ['feeders[1].chargers[1]: is a charger of a as well']);
  });

  test('patterns may overlap with each other and with identities', () => {
    const text = feeders(
      'name: a, chargers: ["CP-*", "*"]',
      'name: b, chargers: [CP-1, "CP-*"]',
      'name: c, within: b, chargers: [CP-2]',
    );
    assert.deepEqual(mistakesIn(text), []);
  });

  test('are identities or patterns', () => {
    for (const bad of ['a/b', 'Größe', '']) {
      assert.equal(mistakesIn(feeders(`name: a, chargers: ["${bad}"]`)).length, 1, bad);
    }
  });
});
