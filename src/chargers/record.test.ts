import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RegisteredCharger } from './charger-entry.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import { type ChargerRecord, canonicalIdentity, mergeRecord, recordsFromList } from './record.ts';

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

describe('the registry and the configuration file together', () => {
  const entry = (overrides: Partial<RegisteredCharger> = {}): RegisteredCharger => ({
    identity: id('CP-1'),
    origin: 'operator',
    settings: {},
    reported: {
      vendor: 'said by the charger',
      model: undefined,
      serialNumber: undefined,
      firmware: undefined,
    },
    createdAtMs: 1,
    firstSeenAtMs: undefined,
    lastSeenAtMs: undefined,
    ...overrides,
  });
  const pattern: ChargerRecord = {
    id: 'CP-*',
    vendor: 'file',
    model: 'file',
    pingSeconds: 30,
    ratedKw: 150,
  };

  test('a charger that neither admits has no record', () => {
    assert.equal(mergeRecord(undefined, undefined), undefined);
    assert.equal(mergeRecord(entry({ origin: 'configured' }), undefined), undefined);
  });

  for (const origin of ['operator', 'enrolled'] as const) {
    test(`an entry of the origin ${origin} admits by itself`, () => {
      assert.deepEqual(mergeRecord(entry({ origin }), undefined), { id: 'CP-1' });
    });
  }

  test('without an entry the configuration file has its say', () => {
    assert.equal(mergeRecord(undefined, pattern), pattern);
  });

  test('what the registry sets wins, member by member; a zero and a false are set', () => {
    const settings = {
      vendor: 'registry',
      pingSeconds: 0,
      recordsMessages: false,
      requiredSecurityProfile: 2,
      feeder: 'north',
      ratedKw: 22,
      notes: 'N',
      ruleModes: [{ rule: 'payload', mode: 'off' }],
    } as const;
    for (const origin of ['operator', 'enrolled', 'configured'] as const) {
      assert.deepEqual(mergeRecord(entry({ origin, settings }), pattern), {
        ...settings,
        id: 'CP-1',
        model: 'file',
      });
    }
  });

  test('the registry spells the identity', () => {
    assert.equal(mergeRecord(entry(), { id: 'cp-1' })?.id, 'CP-1');
    assert.equal(mergeRecord(entry({ origin: 'configured' }), pattern)?.id, 'CP-1');
  });

  test('but how a charger came once does not spell better than the configuration file', () => {
    const came = entry({ identity: id('cp-1'), origin: 'configured' });
    assert.equal(mergeRecord(came, { id: 'CP-1' })?.id, 'CP-1');
  });
});
