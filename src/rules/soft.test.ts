import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode } from './decode.ts';
import type { Frame } from './frame.ts';
import { payloadSchema } from './payload.ts';
import { describedBy, isNeverLost } from './soft.ts';

// Goal: what must not be lost is known, and what a charger says of itself is read within bounds.
// Method: calls of every kind on both sides. (Which departures are soft: payload.test.ts.)

const version = 'ocpp1.6';
const boot = { chargePointVendor: 'V', chargePointModel: 'M' };

function frameOf(elements: readonly unknown[]): Frame {
  const { frame } = decode(Buffer.from(JSON.stringify(elements)), 'charger', version);
  assert(frame.kind !== 'unreadable');
  return frame;
}

describe('P2: what is never lost', () => {
  const cases: readonly (readonly [string, object, boolean])[] = [
    ['StopTransaction', {}, true],
    ['TransactionEvent', { eventType: 'Ended' }, true],
    ['TransactionEvent', { eventType: 'Started' }, false],
    ['TransactionEvent', { eventType: 'Updated' }, false],
    ['StatusNotification', { status: 'Faulted' }, true],
    ['StatusNotification', { connectorStatus: 'Faulted' }, true],
    ['StatusNotification', { status: 'Available' }, false],
    ['StartTransaction', {}, false],
    ['Heartbeat', { status: 'Faulted' }, false],
  ];
  for (const [action, payload, expected] of cases) {
    test(`${action} ${JSON.stringify(payload)}: ${expected}`, () => {
      assert.equal(isNeverLost(frameOf([2, '1', action, payload])), expected);
    });
  }

  test('a reply is not', () => {
    assert.equal(isNeverLost(frameOf([3, '1', { status: 'Faulted' }])), false);
  });
});

describe('what a charger says of itself', () => {
  test('is read from BootNotification of every version', () => {
    const in16 = { ...boot, firmwareVersion: 'F' };
    assert.deepEqual(describedBy(frameOf([2, '1', 'BootNotification', in16])), {
      vendor: 'V',
      model: 'M',
      firmware: 'F',
    });
    const station = { chargingStation: { vendorName: 'V', model: 'M' }, reason: 'PowerUp' };
    assert.deepEqual(describedBy(frameOf([2, '1', 'BootNotification', station])), {
      vendor: 'V',
      model: 'M',
      firmware: undefined,
    });
  });

  test('is bounded, and may be nonsense', () => {
    const nonsense = { chargePointVendor: 5, chargePointModel: 'x'.repeat(10_000) };
    const description = describedBy(frameOf([2, '1', 'BootNotification', nonsense]));
    assert.equal(description?.vendor, undefined);
    assert.equal(description?.model?.length, 128);
  });

  test('holds nothing that a terminal obeys', () => {
    const vendor = 'a\u009b31m\u202eb\u001b';
    const boot = JSON.stringify([
      2,
      '1',
      'BootNotification',
      { chargePointVendor: vendor, chargePointModel: 'm' },
    ]);
    const { frame } = decode(Buffer.from(boot), 'charger', 'ocpp1.6');
    assert(frame.kind !== 'unreadable');
    assert.equal(describedBy(frame)?.vendor, 'a\ufffd31m\ufffdb\ufffd');
  });

  test('comes with nothing else', () => {
    assert.equal(describedBy(frameOf([2, '1', 'Heartbeat', boot])), undefined);
    assert.equal(describedBy(frameOf([3, '1', boot])), undefined);
  });
});

describe('details', () => {
  test('name the place by the schema and never repeat the peer', () => {
    const payload = { chargePointVendor: 'SECRET'.repeat(200), SECRET: 'SECRET' };
    const frame = frameOf([2, '1', 'BootNotification', payload]);
    const violation = payloadSchema.check({
      frame,
      from: 'charger',
      version,
      correlation: { is: 'new' },
    });
    assert.match(violation?.detail ?? '', /^BootNotification request \//);
    assert.doesNotMatch(violation?.detail ?? '', /SECRET/);
  });
});
