import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../ocpp/message.ts';
import { movesOf, TestCharger } from './test-charger.test.ts';

// Goal: what leaves it to others how much a car takes counts as the most that can come of it.
// Method: a charger of OCPP 2.1 with a car and a limit, and each command.

describe('signals of OCPP 2.1', () => {
  const charging = () =>
    new TestCharger('ocpp2.1', ['Available', 'Available']).begin(1).wait(60).set({ limits: 6000 });
  const priority = (charger: TestCharger, payload: JsonObject) =>
    charger.moves('UsePriorityCharging', payload);

  test('T1-07: priority lifts the limit, or brings it back', () => {
    assert.deepEqual(
      priority(charging(), { transactionId: '1', activate: true }),
      [16_000, 0, 1000],
    );
    assert.deepEqual(
      priority(charging(), { transactionId: '1', activate: false }),
      [0, 16_000, 1000],
    );
  });

  test('T1-07: priority with a limit of its own may be a fall as well', () => {
    const charger = charging().set({ id: 2, limits: 0, purpose: 'PriorityCharging' });
    assert.deepEqual(
      priority(charger, { transactionId: '1', activate: true }),
      [22_000, 6000, 1000],
    );
  });

  test('priority of an unknown transaction, or in other words, may be anything', () => {
    for (const payload of [{ transactionId: '9', activate: true }, { transactionId: '1' }, {}]) {
      assert.deepEqual(priority(charging(), payload), [22_000, 22_000, 1000]);
    }
  });

  test('T1-07: a signal of the grid may be anything', () => {
    assert.deepEqual(charging().moves('AFRRSignal', { signal: 1 }), [44_000, 44_000, 1000]);
  });

  const allow = (charger: TestCharger, allowedEnergyTransfer: unknown, transactionId = '1') =>
    charger.ask('NotifyAllowedEnergyTransfer', { transactionId, allowedEnergyTransfer });

  test('T1-07: to allow feeding in is refused, unless it is to count', () => {
    for (const modes of [['DC', 'DC_BPT'], ['AC_BPT_DER'], 'ac_bpt']) {
      const said = allow(charging(), modes);
      assert.equal('code' in said && said.code, 'RAMP_DISCHARGE');
      const counting = charging();
      counting.options = { ...counting.options, discharge: 'count' };
      const counted = allow(counting, modes);
      assert.ok('now' in counted);
      assert.deepEqual([...movesOf(counted), counted.place], [44_000, 44_000, 1000, 1]);
    }
  });

  test('other ways to charge may change what the car takes', () => {
    for (const modes of [['DC', 'AC_three_phase'], [], undefined, [7]]) {
      const said = allow(charging().wait(1).measure(1, 5000), modes);
      assert.ok('now' in said);
      assert.deepEqual(movesOf(said), [17_000, 5000, 1000]);
      const unknown = allow(charging(), modes, 'other');
      assert.ok('now' in unknown);
      assert.deepEqual(movesOf(unknown), [22_000, 22_000, 1000]);
    }
  });

  test('T1-08: controls of voltage and frequency are refused, unless they are to count', () => {
    for (const action of ['SetDERControl', 'ClearDERControl']) {
      const charger = charging();
      const said = charger.ask(action, { controlType: 'HVMustTrip' });
      assert.equal('code' in said && said.code, 'RAMP_DER_CONTROL');
      charger.options = { ...charger.options, derControls: 'count' };
      assert.deepEqual(charger.moves(action, {}), [44_000, 44_000, 1000]);
    }
  });
});
