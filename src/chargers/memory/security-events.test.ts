import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../ocpp/version.ts';
import { ChargerMemory } from './charger-memory.ts';
import { Conversation } from './conversation.test.ts';

// Goal: the memory has the last security events of a charger and how many there were, whatever the
// charger writes into them.
// Method: events in the words of each version, floods and odd texts, saved and read again.

const eventsOf = (talk: Conversation) => talk.memory.view().securityEvents;

function tell(talk: Conversation, payload: object) {
  return talk.call('charger', 'SecurityEventNotification', payload).urgency;
}

describe('security events', () => {
  for (const version of ocppVersions) {
    test(`${version}: what is told is known, and what is critical is urgent`, () => {
      const talk = new Conversation(version);
      const timestamp = '2026-01-01T00:00:00Z';
      const type = 'FailedToAuthenticateAtCsms';
      assert.equal(tell(talk, { type, timestamp, techInfo: 'no route' }), 'eventually');
      talk.nowMs += 5;
      assert.equal(tell(talk, { type: 'FirmwareUpdated', timestamp }), 'soon');
      assert.deepEqual(eventsOf(talk), {
        count: 2,
        criticalCount: 1,
        last: [
          {
            type,
            name: type,
            isCritical: false,
            techInfo: 'no route',
            chargerAt: timestamp,
            atMs: talk.nowMs - 5,
          },
          {
            type: 'FirmwareUpdated',
            name: 'FirmwareUpdated',
            isCritical: true,
            techInfo: undefined,
            chargerAt: timestamp,
            atMs: talk.nowMs,
          },
        ],
      });
    });
  }

  test('names of other versions are the same events, and made-up ones are shown as they are', () => {
    const talk = new Conversation('ocpp1.6');
    tell(talk, { type: 'InvalidCentralSystemCertificate' });
    tell(talk, { type: 'InvalidCsmsCertificate' });
    tell(talk, { type: 'Vendor.Smoke' });
    assert.deepEqual(
      eventsOf(talk).last.map(({ type, name }) => [type, name]),
      [
        ['InvalidCentralSystemCertificate', 'InvalidCsmsCertificate'],
        ['InvalidCsmsCertificate', 'InvalidCsmsCertificate'],
        ['Vendor.Smoke', undefined],
      ],
    );
  });

  test('T4-03: of a flood the last twenty are kept, and all are counted', () => {
    const talk = new Conversation('ocpp2.1');
    for (let number = 0; number < 5000; number += 1) tell(talk, { type: `Made.Up.${number}` });
    const { count, criticalCount, last } = eventsOf(talk);
    assert.deepEqual([count, criticalCount, last.length], [5000, 0, 20]);
    assert.deepEqual([last[0]?.type, last[19]?.type], ['Made.Up.4980', 'Made.Up.4999']);
    const size = talk.memory.save().document.length;
    for (let number = 0; number < 40; number += 1) {
      tell(talk, { type: '"'.repeat(9999), techInfo: '"'.repeat(9999), timestamp: '"'.repeat(99) });
    }
    // Twice the texts, for the escapes, and what is around them.
    assert(talk.memory.save().document.length < size + 20 * (2 * (50 + 255) + 100));
  });

  test('what is kept can be stored and shown, and holds no secret', () => {
    const talk = new Conversation('ocpp2.0.1');
    const secret = 'Pa55w0rd-never-logged';
    tell(talk, { type: 'a\u0000\ud800', techInfo: `Basic ${secret}`, timestamp: 'yesterday' });
    tell(talk, { type: 7, techInfo: null, timestamp: {} });
    const { document } = talk.memory.save();
    assert(!document.includes(secret) && !document.includes('\\u0000'));
    const [first, second] = eventsOf(talk).last;
    assert.deepEqual([first?.type, first?.chargerAt], ['a??', undefined]);
    assert.deepEqual([second?.type, second?.techInfo], ['', undefined]);
  });

  test('it is saved and read again, and damage is survived', () => {
    const talk = new Conversation('ocpp1.6');
    tell(talk, { type: 'InvalidTLSVersion', techInfo: 'x', timestamp: '2026-01-01T00:00:00Z' });
    const saved = talk.memory.save();
    const restored = new ChargerMemory(saved);
    assert.deepEqual(restored.save(), saved);
    assert.deepEqual(restored.view().securityEvents, eventsOf(talk));
    // In OCPP 1.6 it was not critical, and what came later does not change that.
    assert.equal(restored.view().securityEvents.last[0]?.isCritical, false);
    for (const securityEvents of [
      7,
      { last: 7, count: -1, criticalCount: 'x' },
      { last: [null, {}, { version: 'ocpp9', type: 'a' }, { version: 'ocpp1.6', type: 7 }] },
    ]) {
      const document = JSON.stringify({ v: 1, securityEvents });
      const damaged = new ChargerMemory({ document, variables: '[]' });
      const expected = { count: 0, criticalCount: 0, last: [] };
      assert.deepEqual(damaged.view().securityEvents, expected);
    }
  });

  test('the CSMS cannot tell of events in the name of the charger', () => {
    const talk = new Conversation('ocpp1.6');
    talk.call('csms', 'SecurityEventNotification', { type: 'FirmwareUpdated' });
    assert.equal(eventsOf(talk).count, 0);
  });
});
