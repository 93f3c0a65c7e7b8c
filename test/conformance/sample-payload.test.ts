import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actionsOf, isSendAction } from '../../src/ocpp/actions.ts';
import { type PayloadSide, schemaErrors } from '../../src/ocpp/schemas.ts';
import { ocppVersions } from '../../src/ocpp/version.ts';
import { type PayloadSize, samplePayload } from '../support/sample-payload.ts';

// Goal: what other tests take for a valid payload is valid, and every validator says yes to something.
// Method: make both sizes of both sides of every action of every version, and ask the schema.
describe('sample payloads keep the official schemas', () => {
  for (const version of ocppVersions) {
    for (const action of actionsOf(version)) {
      const sides: PayloadSide[] = isSendAction(version, action)
        ? ['request']
        : ['request', 'response'];
      for (const side of sides) {
        test(`${version} ${action} ${side}`, () => {
          for (const size of ['minimal', 'full'] satisfies PayloadSize[]) {
            const payload = samplePayload(version, action, side, size);
            assert.deepEqual(schemaErrors(version, action, side, payload), [], size);
          }
        });
      }
    }
  }

  test('a full sample has more than a minimal one', () => {
    const minimal = samplePayload('ocpp1.6', 'BootNotification', 'request', 'minimal');
    const full = samplePayload('ocpp1.6', 'BootNotification', 'request', 'full');
    assert.deepEqual(Object.keys(minimal).sort(), ['chargePointModel', 'chargePointVendor']);
    assert.equal(Object.keys(full).length, 9);
  });
});
