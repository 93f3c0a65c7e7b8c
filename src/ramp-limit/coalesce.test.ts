import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { LoadClass } from '../ocpp/load-actions.ts';
import type { JsonObject } from '../ocpp/message.ts';
import { type CoalesceSubject, cancelledOutBy, coalesceKeys } from './coalesce.ts';

// Goal: a command makes void what it replaces or undoes, and nothing else.
// Method: commands that differ in one thing, beside the one that they might replace.

const subject = (
  action: string,
  payload: JsonObject,
  rest: Partial<CoalesceSubject> = {},
): CoalesceSubject => ({
  loadClass: 'limit',
  action,
  payload,
  place: undefined,
  stoppedIdToken: undefined,
  ...rest,
});

const profile16 = (connectorId: number, changes: JsonObject = {}): CoalesceSubject =>
  subject('SetChargingProfile', {
    connectorId,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: 'TxDefaultProfile',
      ...changes,
    },
  });
const profile2 = (evseId: number, changes: JsonObject = {}): CoalesceSubject =>
  subject('SetChargingProfile', {
    evseId,
    chargingProfile: {
      id: 1,
      stackLevel: 0,
      chargingProfilePurpose: 'TxDefaultProfile',
      ...changes,
    },
  });

const replaces = (newer: CoalesceSubject, older: CoalesceSubject): boolean =>
  coalesceKeys(newer).some((key) => coalesceKeys(older).includes(key));

describe('a charging profile', () => {
  for (const [version, profile, id] of [
    ['OCPP 1.6', profile16, 'chargingProfileId'],
    ['OCPP 2.x', profile2, 'id'],
  ] as const) {
    const older = profile(1);
    const cases: readonly (readonly [string, CoalesceSubject, boolean])[] = [
      ['the same once more', profile(1), true],
      ['the same id in another slot', profile(1, { stackLevel: 3 }), true],
      ['another id in the same slot', profile(1, { [id]: 2 }), true],
      ['another id at another level', profile(1, { [id]: 2, stackLevel: 3 }), false],
      [
        'another id for another purpose',
        profile(1, { [id]: 2, chargingProfilePurpose: 'TxProfile' }),
        false,
      ],
      ['the same at another place', profile(2), false],
      ['the same for the whole charger', profile(0), false],
    ];
    for (const [what, newer, expected] of cases) {
      test(`${version}: ${what} ${expected ? 'replaces' : 'does not replace'} one that waits`, () => {
        assert.equal(replaces(newer, older), expected);
        assert.equal(replaces(older, newer), expected);
      });
    }
  }

  test('is not replaced by one that is cleared, nor by a dynamic update', () => {
    const clear = subject('ClearChargingProfile', { id: 1 });
    assert.deepEqual(coalesceKeys(clear), []);
    assert.ok(!replaces(subject('UpdateDynamicSchedule', { chargingProfileId: 1 }), profile2(1)));
  });

  test('OCPP 2.1: a dynamic update replaces one of the same profile', () => {
    const update = (chargingProfileId: number): CoalesceSubject =>
      subject('UpdateDynamicSchedule', { chargingProfileId });
    assert.ok(replaces(update(1), update(1)));
    assert.ok(!replaces(update(1), update(2)));
  });
});

describe('a start', () => {
  const stop = (place: number | undefined, stoppedIdToken: string | undefined): CoalesceSubject =>
    subject(
      'RemoteStopTransaction',
      { transactionId: 1 },
      { loadClass: 'stop', place, stoppedIdToken },
    );
  const start = (place: number | undefined, idTag: unknown): CoalesceSubject =>
    subject('RemoteStartTransaction', { idTag }, { loadClass: 'start', place });
  const undoes = (newer: CoalesceSubject, older: CoalesceSubject): boolean => {
    const key = cancelledOutBy(newer);
    return key !== undefined && coalesceKeys(older).includes(key);
  };

  test('undoes a stop of the same token at the same place, and no other', () => {
    assert.ok(undoes(start(1, 'TAG'), stop(1, 'TAG')));
    // Tokens are case-insensitive in OCPP 1.6 (CiString20Type) and 2.x (identifierString).
    assert.ok(undoes(start(1, 'tag'), stop(1, 'TAG')));
    assert.ok(!undoes(start(2, 'TAG'), stop(1, 'TAG')));
    assert.ok(!undoes(start(1, 'OTHER'), stop(1, 'TAG')));
  });

  test('undoes nothing while a place or a token is not known', () => {
    assert.ok(!undoes(start(undefined, 'TAG'), stop(undefined, 'TAG')));
    assert.ok(!undoes(start(1, undefined), stop(1, undefined)));
    assert.equal(cancelledOutBy(start(undefined, 'TAG')), undefined);
    assert.equal(cancelledOutBy(start(1, 7)), undefined);
  });

  test('has the token of OCPP 2.x in a type of its own', () => {
    const idToken = { idToken: 'TAG', type: 'ISO14443' };
    const newer = subject('RequestStartTransaction', { idToken }, { loadClass: 'start', place: 1 });
    assert.ok(undoes(newer, stop(1, 'TAG')));
    const broken = { ...newer, payload: { idToken: 'TAG' } };
    assert.equal(cancelledOutBy(broken), undefined);
  });

  test('is the only one that undoes anything', () => {
    const classes: readonly LoadClass[] = ['stop', 'limit', 'reset', 'availability', 'unlock'];
    for (const loadClass of classes) {
      assert.equal(cancelledOutBy({ ...start(1, 'TAG'), loadClass }), undefined);
    }
    assert.deepEqual(coalesceKeys(start(1, 'TAG')), []);
  });
});

test('keys stay short and whole, whatever a payload holds', () => {
  const hostile = fc.jsonValue();
  const token = fc.oneof(fc.string(), fc.string({ minLength: 290, maxLength: 320 }));
  fc.assert(
    fc.property(hostile, hostile, hostile, token, (at, profile, other, idTag) => {
      const payloads: readonly JsonObject[] = [
        { connectorId: at, csChargingProfiles: profile, idTag },
        { evseId: at, chargingProfile: { id: profile, stackLevel: other }, idToken: profile },
        { chargingProfileId: other, idToken: { idToken: idTag } },
      ];
      for (const action of ['SetChargingProfile', 'UpdateDynamicSchedule', 'RemoteStart']) {
        for (const payload of payloads) {
          const rest = { loadClass: 'stop', place: 1, stoppedIdToken: idTag } as const;
          const keys = coalesceKeys(subject(action, payload, rest));
          const undone = cancelledOutBy(subject(action, payload, { ...rest, loadClass: 'start' }));
          for (const key of [...keys, undone ?? '']) assert.ok(key.length <= 300);
          // However long the token is, a start finds the stop that has it.
          if (undone !== undefined && keys[0]?.startsWith('stop') === true) {
            assert.equal(keys[0], undone);
          }
        }
      }
    }),
  );
});
