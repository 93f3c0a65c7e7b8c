import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RareMap } from './rare-map.ts';

// Goal: it does what a Map does.
// Method: both are told the same, at random.

const steps = fc.array(
  fc.record({
    do: fc.constantFrom('set', 'set', 'set', 'delete', 'clear'),
    key: fc.integer({ min: 0, max: 3 }),
    value: fc.integer(),
  }),
);

test('a rare map is a map', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const map = new Map<number, number>();
      const rare = new RareMap<number, number>();
      for (const { do: what, key, value } of all) {
        if (what === 'set') {
          map.set(key, value);
          rare.set(key, value);
        } else if (what === 'delete') {
          map.delete(key);
          rare.delete(key);
        } else {
          map.clear();
          rare.clear();
        }
        assert.equal(rare.size, map.size);
        assert.deepEqual(rare.keys(), [...map.keys()]);
        assert.deepEqual(rare.entries(), [...map]);
        for (const other of [0, 1, 2, 3]) {
          assert.equal(rare.get(other), map.get(other));
          assert.equal(rare.has(other), map.has(other));
        }
      }
    }),
  );
});
