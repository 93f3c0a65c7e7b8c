import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { before, describe, test } from 'node:test';
import { type DemoResult, runDemo } from '../../../src/cmd/demo/demo.ts';
import type { PresetName } from '../../../src/rules/presets.ts';

// Goal: the demo plays its whole scene, and tells the truth about how it went.
// Method: the real demo on ports that the system chooses, with and without protection. Three
// chargers of 11 kW: the last attempt needs two intervals.
describe('the demo', () => {
  interface Played extends DemoResult {
    readonly text: string;
  }

  const play = async (preset: PresetName, gatewayPort = 0): Promise<Played> => {
    let text = '';
    const over = Promise.withResolvers<void>();
    const result = await runDemo({
      chargerCount: 3,
      gatewayPort,
      csmsPort: 0,
      adminPort: 0,
      paceSeconds: 0,
      preset,
      isPlain: true,
      output: {
        write: (chunk) => {
          text += chunk;
          if (text.includes('that was all')) over.resolve();
        },
      },
      ended: over.promise,
    });
    return { ...result, text };
  };

  /** What the feeder saw, in the words of the demo. */
  const feederIn = (text: string): { worstKw: number; budgetKw: number } => {
    const found = /The feeder lost (?:at most )?(\S+) kW in 2 s \(budget (\d+) kW\)/.exec(text);
    return { worstKw: Number(found?.[1]), budgetKw: Number(found?.[2]) };
  };

  let standard: Played;
  let strict: Played;
  let monitor: Played;
  before(async () => {
    [standard, strict, monitor] = await Promise.all([
      play('standard'),
      play('strict'),
      play('monitor'),
    ]);
  });

  test('all five attacks are stopped, and what is legitimate passes', () => {
    const { allStopped, counts, isSceneOver, text } = standard;
    assert.ok(isSceneOver);
    assert.ok(allStopped, text);
    assert.equal(text.match(/attack \d was stopped/g)?.length, 5);
    assert.equal(counts.flagged, 0, text);
    assert.ok(counts.passed > 0);
  });

  test('the sixth stops every car, and the feeder never loses more than its budget', () => {
    const { counts, text } = standard;
    const { budgetKw, worstKw } = feederIn(text);
    assert.match(text, /attack 6 was paced/);
    // All that falls, falls at the chargers: three of 11 kW, on a feeder for a third of them.
    assert.match(text, /without: 33 kW\./);
    assert.match(text, /3 of 3 cars stopped in/);
    assert.equal(budgetKw, 20, text);
    assert.ok(worstKw > 0 && worstKw <= budgetKw, text);
    assert.equal(counts.held, 2, text);
    // The chart goes down in steps.
    assert.match(text, / 33 kW ▇+▅+▃+▁+ 0 kW {3}budget 20 kW in 2 s/);
  });

  test('strict does the same', () => {
    const { allStopped, text } = strict;
    assert.ok(allStopped, text);
    assert.match(text, /attack 6 was paced/);
  });

  test('without protection it says that attacks got through', () => {
    const { allStopped, counts, text } = monitor;
    assert.equal(allStopped, false);
    // The identity is claimed before any rule is asked, so that one is stopped all the same.
    assert.equal(text.match(/attack \d GOT THROUGH/g)?.length, 5, text);
    assert.match(text, /attack 6 GOT THROUGH/);
    assert.match(text, /3 of 3 cars stopped in/);
    assert.deepEqual(feederIn(text), { worstKw: 33, budgetKw: 20 });
    // A reading may fall between the first stop and the last.
    assert.match(text, / 33 kW ▇+[▃▅]?▁+ 0 kW/);
    assert.equal(counts.held, 0);
  });

  test('it ends at once when it is told to, while the scene is waiting', {
    timeout: 8_000,
  }, async () => {
    const told = Promise.withResolvers<void>();
    const { isSceneOver } = await runDemo({
      chargerCount: 3,
      gatewayPort: 0,
      csmsPort: 0,
      adminPort: 0,
      paceSeconds: 60,
      preset: 'standard',
      isPlain: true,
      output: {
        write: (chunk) => {
          // Well into the minute before the first attack.
          if (chunk.includes('DEMO-01 connected')) setTimeout(told.resolve, 1000);
        },
      },
      ended: told.promise,
    });
    assert.equal(isSceneOver, false);
  });

  test('a taken port ends it before anything is left running', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    assert.ok(typeof address === 'object' && address !== null);
    await assert.rejects(play('standard', address.port), { code: 'EADDRINUSE' });
    await new Promise((resolve) => other.close(resolve));
  });
});
