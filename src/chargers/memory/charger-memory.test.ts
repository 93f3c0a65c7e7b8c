import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../ocpp/version.ts';
import { ChargerMemory } from './charger-memory.ts';
import { Conversation } from './conversation.test.ts';
import type { SavedMemory } from './saved-memory.ts';

// Goal: the memory knows the registration of the charger, counts, and survives a restart.
// Method: short conversations in each version.

describe('registration', () => {
  for (const version of ocppVersions) {
    for (const status of ['Accepted', 'Pending', 'Rejected'] as const) {
      test(`${version}: a BootNotification that is answered ${status} says so`, () => {
        const talk = new Conversation(version);
        const { id, urgency } = talk.call('charger', 'BootNotification', {});
        assert.equal(urgency, 'none');
        assert.equal(talk.memory.boot.status, 'unknown', 'not before it is answered');
        assert.equal(talk.answer('charger', id, { status, interval: 30 }), 'soon');
        assert.deepEqual(talk.memory.boot, { status, sinceMs: 1_000_000, intervalSeconds: 30 });
      });
    }

    test(`${version}: an answer without a known status changes nothing`, () => {
      const talk = new Conversation(version);
      talk.exchange('charger', 'BootNotification', {}, { status: 'Accepted' });
      for (const reply of [{ status: 'accepted' }, { status: 7 }, {}, null, []]) {
        assert.equal(talk.exchange('charger', 'BootNotification', {}, reply), 'none');
      }
      talk.refuse('charger', talk.open('charger', 'BootNotification', {}), 'SecurityError');
      assert.deepEqual(talk.memory.boot, { status: 'Accepted', sinceMs: 1_000_000 });
    });

    test(`${version}: before any boot an answered call means assumed, SecurityError unaccepted`, () => {
      const talk = new Conversation(version);
      talk.refuse('charger', talk.open('charger', 'Heartbeat', {}), 'InternalError');
      assert.equal(talk.memory.boot.status, 'unknown');
      assert.equal(talk.exchange('charger', 'Heartbeat', {}, {}), 'soon');
      assert.equal(talk.memory.boot.status, 'assumed');
      assert.equal(talk.exchange('charger', 'Heartbeat', {}, {}), 'none');
      const id = talk.open('charger', 'Heartbeat', {});
      assert.equal(talk.refuse('charger', id, 'SecurityError'), 'soon');
      assert.equal(talk.memory.boot.status, 'unaccepted');
      talk.exchange('charger', 'Heartbeat', {}, {});
      assert.equal(talk.memory.boot.status, 'assumed');
    });

    test(`${version}: what the charger answers says nothing of its registration`, () => {
      const talk = new Conversation(version);
      talk.exchange('csms', 'Reset', {}, {});
      talk.refuse('csms', talk.open('csms', 'Reset', {}), 'SecurityError');
      talk.exchange('csms', 'BootNotification', {}, { status: 'Accepted' });
      assert.equal(talk.memory.boot.status, 'unknown');
    });

    test(`${version}: a refused BootNotification is no evidence that the charger is unaccepted`, () => {
      const talk = new Conversation(version);
      talk.refuse('charger', talk.open('charger', 'BootNotification', {}), 'SecurityError');
      talk.exchange('charger', 'BootNotification', {}, { status: 'Nonsense' });
      assert.equal(talk.memory.boot.status, 'unknown');
    });
  }

  test('once a boot was answered, other answers change nothing', () => {
    const talk = new Conversation('ocpp1.6');
    talk.exchange('charger', 'BootNotification', {}, { status: 'Pending' });
    talk.exchange('charger', 'Heartbeat', {}, {});
    talk.refuse('charger', talk.open('charger', 'Heartbeat', {}), 'SecurityError');
    assert.equal(talk.memory.boot.status, 'Pending');
  });

  test('the charger is known by what it said of itself, and firmware of old is forgotten', () => {
    const old = new Conversation('ocpp1.6');
    const names = { chargePointVendor: 'V', chargePointModel: 'M', chargePointSerialNumber: 'S' };
    const boot = { ...names, firmwareVersion: '1' };
    old.exchange('charger', 'BootNotification', boot, { status: 'Accepted' });
    const expected = { vendor: 'V', model: 'M', serialNumber: 'S', firmwareVersion: '1' };
    assert.deepEqual(old.memory.identification, expected);
    const chargingStation = {
      vendorName: 'V',
      model: 'M',
      serialNumber: 'S',
      firmwareVersion: '2',
    };
    const now = new Conversation('ocpp2.1', old.memory.save());
    now.exchange('charger', 'BootNotification', { chargingStation }, { status: 'Accepted' });
    assert.deepEqual(now.memory.view().identification, { ...expected, firmwareVersion: '2' });
  });
});

describe('what the CSMS asks for', () => {
  const cases = [
    ['TriggerMessage', { requestedMessage: 'StatusNotification' }, 'StatusNotification'],
    [
      'ExtendedTriggerMessage',
      { requestedMessage: 'SignChargePointCertificate' },
      'SignCertificate',
    ],
    ['TriggerMessage', { requestedMessage: 'SignV2GCertificate' }, 'SignCertificate'],
    ['GetBaseReport', {}, 'NotifyReport'],
    ['GetReport', {}, 'NotifyReport'],
    ['GetLog', {}, 'LogStatusNotification'],
    ['GetDiagnostics', {}, 'DiagnosticsStatusNotification'],
    ['GetMonitoringReport', {}, 'NotifyMonitoringReport'],
    ['UpdateFirmware', {}, 'FirmwareStatusNotification'],
    ['SignedUpdateFirmware', {}, 'SignedFirmwareStatusNotification'],
    ['CustomerInformation', {}, 'NotifyCustomerInformation'],
    ['GetChargingProfiles', {}, 'ReportChargingProfiles'],
    ['GetDisplayMessages', {}, 'NotifyDisplayMessages'],
  ] as const;

  for (const [action, payload, asked] of cases) {
    test(`${action} ${JSON.stringify(payload)} asks for ${asked}, until the charger is accepted`, () => {
      const talk = new Conversation('ocpp1.6');
      assert.equal(talk.call('charger', action, payload).urgency, 'none');
      assert.equal(talk.memory.wasTriggered(asked), false, 'only the CSMS can ask');
      assert.equal(talk.call('csms', action, payload).urgency, 'eventually');
      talk.exchange('charger', 'BootNotification', {}, { status: 'Pending' });
      assert.equal(talk.memory.wasTriggered(asked), true);
      talk.exchange('charger', 'BootNotification', {}, { status: 'Accepted' });
      assert.equal(talk.memory.wasTriggered(asked), false);
    });
  }

  test('what is no action of a charger cannot be asked for', () => {
    const talk = new Conversation('ocpp2.1');
    for (const requestedMessage of [
      'Reset',
      'CustomTrigger',
      '__proto__',
      'constructor',
      7,
      null,
    ]) {
      assert.equal(talk.call('csms', 'TriggerMessage', { requestedMessage }).urgency, 'none');
    }
    assert.deepEqual(talk.memory.view().asked, []);
  });
});

describe('counts, and calls on their way', () => {
  test('messages are counted by side, and refused ones apart; that alone is never urgent', () => {
    const talk = new Conversation('ocpp1.6');
    talk.exchange('charger', 'BootNotification', {}, { status: 'Accepted' });
    assert.equal(talk.call('charger', 'Heartbeat', {}).urgency, 'none');
    talk.memory.countRefused();
    const expected = { fromCharger: 2, fromCsms: 1, refused: 1 };
    assert.deepEqual(talk.memory.view().counts, expected);
    assert.deepEqual(new ChargerMemory(talk.memory.save()).view().counts, expected);
  });

  test('a reply teaches once, and only when it comes from the other side', () => {
    const talk = new Conversation('ocpp1.6');
    const id = talk.open('charger', 'BootNotification', {});
    talk.answer('csms', id, { status: 'Rejected' });
    assert.equal(talk.memory.boot.status, 'unknown');
    talk.answer('charger', id, { status: 'Pending' });
    talk.answer('charger', id, { status: 'Accepted' });
    assert.equal(talk.memory.boot.status, 'Pending');
  });

  test('nothing is expected of a call that is over', () => {
    const talk = new Conversation('ocpp1.6');
    const id = talk.open('csms', 'ChangeAvailability', { connectorId: 1, type: 'Operative' });
    talk.memory.onCallOver('charger', id);
    talk.memory.onCallOver('csms', id);
    assert.equal(talk.answer('csms', id, { status: 'Accepted' }), 'none');
    assert.deepEqual(talk.memory.view().connectors, []);
  });

  test('of two calls with one id, the reply belongs to the last', () => {
    const { memory } = new Conversation('ocpp1.6');
    const call = { from: 'csms', version: 'ocpp1.6', id: 'same', atMs: 1 } as const;
    const payload = { connectorId: 1, type: 'Operative' };
    memory.onCall({ ...call, action: 'ChangeAvailability', payload });
    memory.onCall({ ...call, action: 'Reset', payload: {} });
    const result = { payload: { status: 'Accepted' } };
    memory.onReply({ from: 'charger', callId: 'same', result, atMs: 2 });
    assert.deepEqual(memory.view().connectors, []);
  });

  test('of more calls than a side may leave unanswered, the oldest is given up', () => {
    const talk = new Conversation('ocpp1.6');
    const boot = talk.open('charger', 'BootNotification', {});
    const open = (connectorId: number) =>
      talk.open('csms', 'ChangeAvailability', { connectorId, type: 'Operative' });
    const ids = Array.from({ length: 65 }, (_, index) => open(index));
    for (const id of ids) talk.answer('csms', id, { status: 'Accepted' });
    assert.equal(talk.memory.view().connectors.length, 64);
    assert.equal(
      talk.memory.view().connectors.some(({ connectorId }) => connectorId === 0),
      false,
    );
    talk.answer('charger', boot, { status: 'Accepted' });
    assert.equal(talk.memory.boot.status, 'Accepted', 'the other side has its own room');
  });

  test('the outstanding calls are those that the session named, also after a restart', () => {
    const memory = new ChargerMemory();
    const call = { from: 'csms', id: 'a', action: 'Reset', sentAtMs: 5 } as const;
    memory.setOutstanding([call]);
    assert.deepEqual(memory.outstanding, [call]);
    const restored = new ChargerMemory(memory.save());
    assert.deepEqual(restored.outstanding, [call]);
    restored.setOutstanding([]);
    assert.deepEqual(restored.view().outstanding, []);
    restored.setOutstanding(Array.from({ length: 100 }, () => ({ ...call, id: 'x'.repeat(999) })));
    assert.equal(restored.outstanding.length, 8);
    assert.equal(restored.outstanding[0]?.id.length, 256);
  });
});

describe('the view of the load', () => {
  test('it has the connectors, the open transactions, and the limits, and when they changed', () => {
    const talk = new Conversation('ocpp1.6');
    talk.open('charger', 'StatusNotification', { connectorId: 1, status: 'Charging' });
    for (const transactionId of [1, 2]) {
      const start = { connectorId: transactionId, idTag: 'TAG' };
      talk.exchange('charger', 'StartTransaction', start, { transactionId });
    }
    talk.open('charger', 'StopTransaction', { transactionId: 1 });
    const view = talk.memory.view();
    const load = talk.memory.loadView();
    assert.deepEqual(load.connectors, view.connectors);
    assert.deepEqual(
      load.transactions.map((record) => record.transactionId),
      ['2'],
    );
    assert.deepEqual(load.limits, view.limits);
    assert.equal(load.limitsChangedAtMs, 0);
    talk.nowMs += 5;
    talk.exchange('csms', 'ClearChargingProfile', { id: 7 }, { status: 'Unknown' });
    assert.equal(talk.memory.loadView().limitsChangedAtMs, 0, 'nothing was cleared');
    talk.exchange('csms', 'ClearChargingProfile', {}, { status: 'Accepted' });
    assert.equal(talk.memory.loadView().limitsChangedAtMs, 1_000_005);
    const restored = new ChargerMemory(talk.memory.save());
    assert.equal(restored.loadView().limitsChangedAtMs, 0, 'it is not saved');
  });
});

describe('the saved form', () => {
  const damaged: readonly (readonly [string, SavedMemory])[] = [
    ['no JSON', { document: '{"v":1,', variables: '[[' }],
    ['empty texts', { document: '', variables: '' }],
    ['other JSON', { document: '[1]', variables: '{"a":1}' }],
    ['another format', { document: '{"v":2,"boot":{"status":"Accepted"}}', variables: '[]' }],
    [
      'wrong types',
      {
        document:
          '{"v":1,"boot":7,"asked":{},"connectors":[null,3],"transactions":[],"limits":"x",' +
          '"meterValues":[{"place":1,"readings":[{}]}],"counts":null,"outstanding":[{"from":"x"}]}',
        variables: '[null,7,"a",[],[""],[{}]]',
      },
    ],
  ];
  for (const [what, saved] of damaged) {
    test(`${what} means a fresh memory`, () => {
      const view = new ChargerMemory(saved).view();
      const fresh = new ChargerMemory().view();
      const places = view.meterValues.filter(({ readings }) => readings.length > 0);
      assert.deepEqual({ ...view, meterValues: places }, fresh);
    });
  }

  test('it names its format', () => {
    assert.equal(JSON.parse(new ChargerMemory().save().document).v, 1);
  });
});
