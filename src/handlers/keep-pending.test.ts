import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admittedResult } from '../../test/support/conversation.ts';
import { samplePayload } from '../../test/support/sample-payload.ts';
import { schemaErrors } from '../ocpp/schemas.ts';
import { ocppVersions } from '../ocpp/version.ts';
import type { Restriction } from './handler.ts';
import { keepPending } from './keep-pending.ts';

// Goal: a charger with an expired certificate is never told that it is accepted, and every other
// charger hears what the CSMS says.
// Method: replies with each status under each restriction.

for (const version of ocppVersions) {
  const handled = (payload: object, restriction: Restriction | undefined) => {
    const reply = admittedResult(3, '7', payload);
    return keepPending.handle({ reply, action: 'BootNotification', version, restriction });
  };
  const reply = (status: string) => ({
    ...samplePayload(version, 'BootNotification', 'response', 'full'),
    status,
  });

  describe(`keep-pending, ${version}`, () => {
    test('Accepted becomes Pending while the certificate has expired, and nothing else changes', () => {
      assert.deepEqual(handled(reply('Accepted'), 'expired-certificate'), {
        do: 'rewrite',
        message: { kind: 'call-result', id: '7', payload: reply('Pending') },
      });
      assert.equal(handled(reply('Accepted'), 'default-password').do, 'rewrite');
      const errors = schemaErrors(version, 'BootNotification', 'response', reply('Pending'));
      assert.deepEqual(errors, []);
    });

    test('other replies are forwarded as they came, and so are those to other chargers', () => {
      for (const status of ['Pending', 'Rejected', 'accepted', '']) {
        assert.deepEqual(handled(reply(status), 'expired-certificate'), { do: 'forward' });
      }
      assert.deepEqual(handled({}, 'expired-certificate'), { do: 'forward' });
      assert.deepEqual(handled(reply('Accepted'), undefined), { do: 'forward' });
    });
  });
}
