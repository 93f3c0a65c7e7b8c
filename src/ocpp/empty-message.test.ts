import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../lib/random.ts';
import { readEmptyMessage } from './empty-message.ts';
import { parseStrictJson } from './strict-json.ts';

// Goal: what is read in place is what JSON.parse reads, and nothing in it is ambiguous; everything
//   else is left to somebody else.
// Method: tables, and random changes to good texts, with the strict parser as the oracle.

function read(text: string): readonly unknown[] | undefined {
  return readEmptyMessage(Buffer.from(text, 'latin1'));
}

describe('messages with an empty payload', () => {
  for (const text of [
    '[2,"1","Heartbeat",{}]',
    '[2,"","Heartbeat",{}]',
    '[2,"1","",{}]',
    '[2,"a b,[]{}","ClearCache",{}]',
    '[3,"1",{}]',
    '[3,"0f8fad5b-d9cb-469f-a165-70867728950e",{}]',
    `[3,"${'1'.repeat(300)}",{}]`,
  ]) {
    test(`${text.slice(0, 60)} is read`, () => {
      assert.deepEqual(read(text), JSON.parse(text));
    });
  }
});

describe('left to somebody else', () => {
  for (const text of [
    '',
    '[3,"',
    '[2,"{}]',
    '[3,"1"{}]',
    '[3,"1","Heartbeat",{}]',
    '[3,"1",{"a":{}}]',
    '[3,"1",[{}]]',
    '[3,"1",{},{}]',
    '[2,"1",{}]',
    '[2,"1","Heartbeat"{}]',
    '[2,"1",Heartbeat",{}]',
    '[2,"1","Heartbeat","{}"]',
    '[2,"1","Heartbeat",{ }]',
    '[2, "1","Heartbeat",{}]',
    '[2,"1","Heartbeat",{}] ',
    '[2,"1","Heartbeat",{"a":1}]',
    '[2,"\\u0031","Heartbeat",{}]',
    '[2,"1","Heart\\"beat",{}]',
    '[2,"\n","Heartbeat",{}]',
    '[2,"\u00e9","Heartbeat",{}]',
    '[4,"1","GenericError","",{}]',
    '[6,"1","NotifyPeriodicEventStream",{}]',
    '(2,"1","Heartbeat",{}]',
  ]) {
    test(text.trim() === text ? text : JSON.stringify(text), () => {
      assert.equal(read(text), undefined);
    });
  }
});

test('whatever is changed in such texts, what is read is what the strict parser reads', () => {
  const random = seededRandom(8);
  const below = (count: number): number => random.integer(0, count - 1);
  const alphabet = '[]{}",:\\0123456 \n\u0000\u007f\u0080aé';
  let reads = 0;
  let others = 0;
  for (let round = 0; round < 50_000; round += 1) {
    let text = ['[2,"17","Heartbeat",{}]', '[3,"17",{}]'][below(2)] ?? '';
    for (let changes = below(3); changes >= 0; changes -= 1) {
      const at = below(text.length + 1);
      const inserted = alphabet.charAt(below(alphabet.length + 1));
      text = text.slice(0, at) + inserted + text.slice(at + below(2));
    }
    const found = read(text);
    if (found === undefined) {
      others += 1;
      continue;
    }
    reads += 1;
    const strict = parseStrictJson(text, { depthMax: 24 });
    assert.ok(strict.ok, text);
    assert.deepEqual(found, strict.value.value, text);
    assert.equal(strict.value.hazards.size, 0, text);
  }
  assert.ok(reads > 5000 && others > 5000, `${reads} read, ${others} left`);
});
