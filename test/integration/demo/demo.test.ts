import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { type DemoResult, runDemo } from '../../../src/cmd/demo/demo.ts';
import type { PresetName } from '../../../src/rules/presets.ts';

// Goal: the demo plays its whole scene, and tells the truth about how it went.
// Method: the real demo on ports that the system chooses, with and without protection.
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

  test('all five attacks are stopped, and what is legitimate passes', async () => {
    const { allStopped, counts, isSceneOver, text } = await play('standard');
    assert.ok(isSceneOver);
    assert.ok(allStopped, text);
    assert.equal(text.match(/attack \d was stopped/g)?.length, 5);
    assert.equal(counts.flagged, 0, text);
    assert.ok(counts.passed > 0);
  });

  test('strict stops them as well', async () => {
    const { allStopped, text } = await play('strict');
    assert.ok(allStopped, text);
  });

  test('without protection it says that attacks got through', async () => {
    const { allStopped, text } = await play('monitor');
    assert.equal(allStopped, false);
    // The identity is claimed before any rule is asked, so that one is stopped all the same.
    assert.equal(text.match(/attack \d GOT THROUGH/g)?.length, 4, text);
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
