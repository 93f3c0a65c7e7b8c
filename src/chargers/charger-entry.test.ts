import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ChargerSettings,
  changedSettings,
  chargerFromRow,
  decodeSettings,
} from './charger-entry.ts';

// Goal: whatever stands in the store is read without harm, and nothing in it is lost by a change.
// Method: whole documents, then each member with values that do not belong there.

const all: ChargerSettings = {
  assumeSubprotocol: 'ocpp1.6',
  spellErrorsAs: 'ocpp2.0.1',
  pingSeconds: 0,
  vendor: 'V',
  model: 'M',
  firmware: 'F',
  serialNumber: 'S',
  basicUser: 'U',
  requiredSecurityProfile: 0,
  feeder: 'north',
  ratedKw: 150,
  signedMessages: 'keep',
  notes: 'a\nb',
  recordsMessages: false,
  ruleModes: [
    { rule: 'payload', mode: 'off' },
    { rule: 'format', mode: 'monitor', from: 'csms' },
  ],
};

describe('settings', () => {
  test('are read as they were written', () => {
    assert.deepEqual(decodeSettings(changedSettings('{}', all)), all);
    assert.deepEqual(decodeSettings('{}'), {});
  });

  for (const document of ['', 'null', '[]', '"x"', '7', '{', '{"vendor":']) {
    test(`a document that holds ${JSON.stringify(document)} demands the strictest profile`, () => {
      assert.deepEqual(decodeSettings(document), { requiredSecurityProfile: 3 });
    });
  }

  const texts = ['vendor', 'model', 'firmware', 'serialNumber', 'basicUser', 'feeder', 'notes'];
  const wrong = [null, 17, -1, 1.5, 1e9, '', 'x'.repeat(2000), 'future', {}, [], [null], true];
  for (const key of Object.keys(all) as (keyof ChargerSettings)[]) {
    test(`${key} that this release does not understand is not set`, () => {
      for (const value of wrong) {
        const isFine =
          (key === 'recordsMessages' && value === true) ||
          (texts.includes(key) && value === 'future') ||
          (['pingSeconds', 'ratedKw'].includes(key) && value === 17);
        const settings = decodeSettings(JSON.stringify({ [key]: value }));
        const expected =
          // Whoever cannot read the bar must not lower it.
          key === 'requiredSecurityProfile'
            ? 3
            : key === 'ruleModes' && Array.isArray(value)
              ? []
              : isFine
                ? value
                : undefined;
        assert.deepEqual(settings[key], expected, JSON.stringify(value));
      }
    });
  }

  test('a rating is a whole number of kW from 1 to 10000', () => {
    const read = (ratedKw: unknown) => decodeSettings(JSON.stringify({ ratedKw })).ratedKw;
    assert.deepEqual([0, 1, 10_000, 10_001, 7.4, '22'].map(read), [
      ...[undefined, 1, 10_000, undefined, undefined, undefined],
    ]);
  });

  test('modes of rules are read one by one, and no more than 32 of them', () => {
    const good = { rule: 'payload', mode: 'off' };
    const bad = [
      { rule: 'payload', mode: 'warn' },
      { rule: '', mode: 'off' },
      { mode: 'off' },
      { rule: 'payload', mode: 'off', from: 'both' },
      'payload',
    ];
    const read = (ruleModes: unknown) => decodeSettings(JSON.stringify({ ruleModes })).ruleModes;
    assert.deepEqual(read([...bad, good]), [good]);
    assert.equal(read(Array.from({ length: 100 }, () => good))?.length, 32);
  });

  test('members of a prototype are not settings', () => {
    assert.deepEqual(decodeSettings('{"__proto__":{"vendor":"V"}}'), {});
  });

  test('a change clears with null, leaves what is undefined, and keeps what it does not know', () => {
    const before = '{"vendor":"V","model":"M","future":[1],"pingSeconds":"soon"}';
    const after = changedSettings(before, { vendor: null, model: undefined, feeder: 'F' });
    assert.deepEqual(JSON.parse(after), {
      model: 'M',
      future: [1],
      pingSeconds: 'soon',
      feeder: 'F',
    });
  });

  test('a change of what cannot be read does not lower the bar by itself', () => {
    assert.deepEqual(decodeSettings(changedSettings('damaged', { vendor: 'V' })), {
      requiredSecurityProfile: 3,
      vendor: 'V',
    });
    const cleared = changedSettings('damaged', { requiredSecurityProfile: null });
    assert.deepEqual(decodeSettings(cleared), {});
  });
});

test('an entry with an origin that nobody knows is one that admits nobody', () => {
  const row = {
    identity_key: 'cp-1',
    identity: 'CP-1',
    origin: 'future',
    settings: '{}',
    reported_vendor: null,
    reported_model: null,
    reported_serial: null,
    reported_firmware: null,
    created_ms: 1,
    first_seen_ms: null,
    last_seen_ms: null,
  };
  assert.equal(chargerFromRow(row).origin, 'configured');
});
