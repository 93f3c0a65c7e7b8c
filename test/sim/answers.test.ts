/**
 * Goal: whatever a simulator sends, in whatever version, conforms to the official schemas.
 * Method: every action of the CSMS goes to a charger, and every action of a charger to the CSMS,
 * over loopback, in its smallest and in a full form; a judge reads all frames, also those that
 * follow from an action (reports, status sequences).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionsOf, isSendAction, senderOf } from '../../src/ocpp/actions.ts';
import { schemaErrors } from '../../src/ocpp/schemas.ts';
import { ocppVersions } from '../../src/ocpp/version.ts';
import { until, withPair } from './pair.ts';
import { type SampleSize, samplePayload } from './sample-payload.ts';

const sizes: readonly SampleSize[] = ['smallest', 'full'];

for (const version of ocppVersions) {
  for (const size of sizes) {
    test(`${version}: the charger answers every action of the CSMS (${size} samples)`, async () => {
      await withPair(version, async ({ charger, csms, judge }) => {
        await charger.startTransaction(1);
        const actions = actionsOf(version).filter((action) => {
          const sender = senderOf(version, action);
          // A reset cuts the conversation, so it comes last.
          return (sender === 'csms' || sender === 'either') && action !== 'Reset';
        });
        for (const action of [...actions, 'Reset']) {
          const sample = samplePayload(version, action, size);
          // With an EVSE, 2.x would not restart the station.
          const { evseId: _evseId, ...withoutEvse } = sample;
          const payload = action === 'Reset' ? withoutEvse : sample;
          assert.deepEqual(schemaErrors(version, action, 'request', payload), [], action);
          const reply = await csms.call('CP-1', action, payload);
          assert.deepEqual(schemaErrors(version, action, 'response', reply), [], action);
        }
        await until(() => charger.state().connection === 'disconnected', 'the charger resets');
        await until(() => charger.state().connection === 'accepted', 'the charger has rebooted');
        assert.deepEqual(judge.departures, []);
      });
    });

    test(`${version}: the CSMS answers every action of the charger (${size} samples)`, async () => {
      await withPair(version, async ({ charger, judge }) => {
        for (const action of actionsOf(version)) {
          const sender = senderOf(version, action);
          if (sender === 'csms') continue;
          const payload = samplePayload(version, action, size);
          const reply = await charger.call(action, payload);
          if (isSendAction(version, action)) continue;
          assert.deepEqual(schemaErrors(version, action, 'response', reply), [], action);
        }
        assert.deepEqual(judge.departures, []);
      });
    });
  }

  test(`${version}: an unknown action and a wrong direction are refused`, async () => {
    await withPair(version, async ({ charger, csms }) => {
      const unknown = csms.call('CP-1', 'NoSuchAction', {});
      await assert.rejects(unknown, { name: 'CallRefused', code: 'NotImplemented' });
      const wrongWay = csms.call('CP-1', 'Heartbeat', {});
      await assert.rejects(wrongWay, { name: 'CallRefused', code: 'NotSupported' });
      const upwards = charger.call('Reset', {});
      await assert.rejects(upwards, { name: 'CallRefused', code: 'NotSupported' });
    });
  });
}
