import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../src/lib/random.ts';
import { ocppVersions } from '../../src/ocpp/version.ts';
import { presetNames } from '../../src/rules/presets.ts';
import { hasDuplicateKeys } from './duplicate-keys.ts';
import { FuzzedConversation } from './fuzzed-conversation.ts';
import { describeFailure, play } from './play.ts';

// Goal: whatever a peer sends, the message path does not throw, passes nothing that was refused,
// changes no byte, and keeps the conversation in order; and that the memory of the charger bears all
// that passes, stays small, and is the same when it was saved and read.
// Method: whole conversations from a seed: sample messages of every action, mutated, replayed,
// reordered and left to expire, judged by a model of its own. GATEWATT_FUZZ_SEED chooses the first
// seed and a failure prints its own; `npm run fuzz` does the same for minutes.

const asked = Number(process.env['GATEWATT_FUZZ_SEED']);
const firstSeed = Number.isSafeInteger(asked) && asked !== 0 ? asked : 20_261_120;
/** Conversations of the mutator, 30 messages each on average; and texts from fast-check. */
const conversations = 3000;
const texts = 4000;

describe('fuzz', { timeout: 100_000 }, () => {
  test(`T2-26: mutated conversations from seed ${firstSeed} on break no property`, () => {
    let frames = 0;
    for (let seed = firstSeed; seed < firstSeed + conversations; seed += 1) {
      const outcome = play(seed);
      if (typeof outcome !== 'number') assert.fail(describeFailure(outcome));
      frames += outcome;
    }
    assert.ok(frames > conversations);
  });

  test('T2-26: arbitrary texts and JSON values break no property', () => {
    const element = fc.oneof(
      fc.constantFrom(2, 3, 4, 5, 6, '1', 'Heartbeat', 'Reset', 'DataTransfer', {}, null),
      fc.jsonValue({ maxDepth: 4 }),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.json(),
      fc.array(element, { maxLength: 6 }).map((elements) => JSON.stringify(elements)),
    );
    const peer = fc.constantFrom('charger' as const, 'csms' as const);
    fc.assert(
      fc.property(
        fc.constantFrom(...ocppVersions),
        fc.constantFrom(...presetNames),
        fc.array(fc.tuple(peer, text), { minLength: 1, maxLength: 8 }),
        (version, preset, messages) => {
          const conversation = new FuzzedConversation(version, preset, seededRandom(firstSeed));
          for (const [from, message] of messages) conversation.feed(from, message.toWellFormed());
        },
      ),
      { seed: firstSeed, numRuns: texts },
    );
  });

  test('the independent reader sees duplicate keys, and only those', () => {
    for (const text of ['{"a":1,"a":2}', '[{"b":{"A":[],"\\u0061":{}}}]', '{ "x" :1, "X" :2 }']) {
      assert.equal(hasDuplicateKeys(text), true, text);
    }
    for (const text of ['{"a":"a","b":["a","a",{"a":1}]}', '[]', '1.5e3', '{"a":{"a":{}}}', '{}']) {
      assert.equal(hasDuplicateKeys(text), false, text);
    }
  });
});
