import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { handOutAtTurnEnd, sendAtTurnEnd } from './turn-end.ts';

// Goal: what has arrived is looked at together, and what comes of it is sent in the same turn.
// Method: things that note when they are called.

test('all that has arrived is handed out before anything is sent', async () => {
  const done: string[] = [];
  const handOut = (name: string, then: () => void = () => {}): void =>
    handOutAtTurnEnd({
      handOut: () => {
        done.push(name);
        then();
      },
    });
  const send = (name: string, then: () => void = () => {}): void =>
    sendAtTurnEnd({
      send: () => {
        done.push(name);
        then();
      },
    });
  send('send 1', () => send('send 3'));
  handOut('take 1', () => send('send 2'));
  handOut('take 2', () => handOut('take 3'));
  assert.deepEqual(done, [], 'not at once');
  await turn();
  assert.deepEqual(done, ['take 1', 'take 2', 'send 1', 'send 2']);
  await turn();
  assert.deepEqual(done.slice(4), ['take 3', 'send 3'], 'what came later, in the next turn');
});
