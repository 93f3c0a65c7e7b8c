import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auditHash, genesisHash } from './audit-hash.ts';

// Goal: the hash is the one that is documented, and no two records have the same.
// Method: values that another program (Python's hashlib) has computed from the documentation; then
// one record and everything that differs from it in one place.

const record = {
  chain: 'gw-1',
  sequence: 1,
  at_ms: 1_767_225_600_000,
  event: 'SessionOpened',
  charger: 'CP-1',
  document: '{"remoteAddress":"192.0.2.1"}',
} as const;

describe('the hash of an audit record', () => {
  test('is the documented one', () => {
    const first = 'ee21fc9eb28198aa4c9ed4ab25736b2c38d1e0fff9dfbae99ef25e64a87a5e65';
    assert.equal(auditHash(genesisHash, record), first);
    const second = {
      ...record,
      sequence: 2,
      at_ms: 1_767_225_600_001,
      event: 'GatewayStopping',
      charger: null,
      document: '{"note":"ä€😀"}',
    };
    assert.equal(
      auditHash(first, second),
      'ee246a67bfcb815b866246812af83fd0237a8d94c08e43623e6571112bd48054',
    );
  });

  test('is the same for a number and its text, as a database writes it', () => {
    const asTexts = { ...record, sequence: '1', at_ms: '1767225600000' };
    assert.equal(auditHash(genesisHash, asTexts), auditHash(genesisHash, record));
  });

  const others = [
    { ...record, chain: 'gw-2' },
    { ...record, sequence: 2 },
    { ...record, at_ms: record.at_ms + 1 },
    { ...record, event: 'SessionClosed' },
    { ...record, charger: 'cp-1' },
    { ...record, charger: '' },
    { ...record, charger: null },
    { ...record, document: `${record.document} ` },
    // The same characters, divided in another way.
    { ...record, sequence: 11, at_ms: 767_225_600_000 },
    { ...record, event: 'SessionOpenedC', charger: 'P-1' },
    { ...record, charger: `CP-1${record.document}`, document: '' },
    // What separates the fields, inside of one.
    { ...record, event: 'SessionOpened,7:charger,4:CP-1', charger: '' },
  ];
  for (const [index, other] of others.entries()) {
    test(`differs for another record (${index})`, () => {
      assert.notEqual(auditHash(genesisHash, other), auditHash(genesisHash, record));
    });
  }

  test('differs after another record', () => {
    assert.notEqual(auditHash('1'.repeat(64), record), auditHash(genesisHash, record));
  });
});
