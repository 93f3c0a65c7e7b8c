import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ChargerId, identityKey } from './charger-id.ts';
import { canonicalIdentity, recordsFromList } from './record.ts';

// Goal: a charger gets the record that its operator meant.
// Method: a list with exact identities, patterns and twins, asked for identities on both sides.

const id = (text: string): ChargerId => text as ChargerId;

const records = recordsFromList([
  { id: 'DEPOT-*', vendor: 'pattern' },
  { id: 'DEPOT-7', vendor: 'exact' },
  { id: 'depot-7', vendor: 'exact twin' },
  { id: 'DEPOT-N-*', vendor: 'later pattern' },
  { id: 'Caf-*-x', vendor: 'middle' },
]);

describe('charger records', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['DEPOT-7', 'exact'],
    ['depot-7', 'exact'],
    ['DEPOT-8', 'pattern'],
    ['depot-8', 'pattern'],
    ['DEPOT-N-1', 'pattern'],
    ['cAF-1-X', 'middle'],
    ['XDEPOT-7', undefined],
    ['DEPOT', undefined],
    ['__proto__', undefined],
  ];
  for (const [identity, vendor] of cases) {
    test(`${identity} has ${vendor === undefined ? 'no record' : `the record "${vendor}"`}`, () => {
      assert.equal(records.find(id(identity))?.vendor, vendor);
    });
  }

  test('exact identities go before patterns, wherever they stand', () => {
    const later = recordsFromList([{ id: '*' }, { id: 'CP-1', vendor: 'exact' }]);
    assert.equal(later.find(id('CP-1'))?.vendor, 'exact');
  });
});

describe('C8: the case of an identity', () => {
  test('two spellings are one charger', () => {
    assert.equal(identityKey(id('CP-1')), identityKey(id('cp-1')));
    assert.notEqual(identityKey(id('CP-1')), identityKey(id('CP-2')));
  });

  test('the operator spells an identity that a record names', () => {
    assert.equal(canonicalIdentity(id('cp-1'), { id: 'CP-1' }), 'CP-1');
  });

  test('without a record, or with a pattern, it stays as it came', () => {
    assert.equal(canonicalIdentity(id('cp-1'), undefined), 'cp-1');
    assert.equal(canonicalIdentity(id('cp-1'), { id: 'CP-*' }), 'cp-1');
  });
});
