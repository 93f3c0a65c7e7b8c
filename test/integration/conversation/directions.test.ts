import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actionsOf, isSendAction, senderOf } from '../../../src/ocpp/actions.ts';
import { type OcppVersion, ocppVersions, otherPeer, type Peer } from '../../../src/ocpp/version.ts';
import { samplePayload } from '../../support/sample-payload.ts';
import {
  assertNothingElseToCharger,
  assertNothingElseToCsms,
  assertRefused,
  type LiveConversation,
  startConversation,
} from './live-conversation.ts';

// Goal: no side can send what only the other side may send, whatever the payload.
// Method: walk the table of directions; each action goes out from its forbidden side, and a
// sentinel that arrives after all of them shows that none was passed on.

/** Actions that only the other side of `from` may send. */
function forbiddenTo(version: OcppVersion, from: Peer): readonly string[] {
  return actionsOf(version).filter((action) => senderOf(version, action) === otherPeer(from));
}

/** A call of `action`, once with an empty payload and once with one that keeps the schema. */
function textsOf(version: OcppVersion, action: string): readonly (readonly [string, string])[] {
  const typeId = isSendAction(version, action) ? 6 : 2;
  return [{}, samplePayload(version, action, 'request', 'minimal')].map((payload, index) => {
    const id = `${action.slice(0, 30)}-${index}`;
    return [id, JSON.stringify([typeId, id, action, payload])];
  });
}

async function sendForbidden(conversation: LiveConversation, from: Peer): Promise<number> {
  const { version } = conversation;
  const sender = conversation[from];
  let sent = 0;
  for (const action of forbiddenTo(version, from)) {
    for (const [id, text] of textsOf(version, action)) {
      sender.send(text);
      sent += 1;
      // A SEND is never answered.
      if (isSendAction(version, action)) continue;
      await assertRefused(sender, version, id, 'DIRECTION_WRONG_SENDER');
    }
  }
  return sent;
}

function findings(
  { gateway }: LiveConversation,
  name: 'FrameRefused' | 'FrameFlagged',
  from: Peer,
): readonly string[] {
  return gateway.events.flatMap((event) =>
    event.name === name && event.from === from && event.rule === 'direction'
      ? [`${event.code} ${event.action}`]
      : [],
  );
}

test('T2-17: the table holds 191 cases', () => {
  const cases = ocppVersions.flatMap((version) => [
    ...forbiddenTo(version, 'charger'),
    ...forbiddenTo(version, 'csms'),
  ]);
  assert.equal(cases.length, 191);
});

for (const preset of ['standard', 'strict'] as const) {
  describe(`T2-17: wrong direction, ${preset}`, { timeout: 60_000 }, () => {
    for (const version of ocppVersions) {
      test(`rule 2: ${version} actions of the CSMS are refused to a charger`, async () => {
        await using conversation = await startConversation({
          version,
          changes: { rules: { preset } },
        });
        const sent = await sendForbidden(conversation, 'charger');
        await assertNothingElseToCsms(conversation);
        assert.equal(conversation.csms.received.length, 1);
        assert.equal(findings(conversation, 'FrameRefused', 'charger').length, sent);
      });

      test(`rule 2: ${version} actions of the charger are refused to a CSMS`, async () => {
        await using conversation = await startConversation({
          version,
          changes: { rules: { preset } },
        });
        const sent = await sendForbidden(conversation, 'csms');
        await assertNothingElseToCharger(conversation);
        assert.equal(conversation.charger.received.length, 1);
        assert.equal(findings(conversation, 'FrameRefused', 'csms').length, sent);
      });
    }
  });
}

describe('T2-17: wrong direction, monitor', { timeout: 60_000 }, () => {
  for (const version of ocppVersions) {
    for (const from of ['charger', 'csms'] as const) {
      test(`rule 2: ${version} actions forbidden to the ${from} pass and are recorded`, async () => {
        await using conversation = await startConversation({
          version,
          changes: { rules: { preset: 'monitor' } },
        });
        const sender = conversation[from];
        const receiver = conversation[otherPeer(from)];
        const expected: string[] = [];
        for (const action of forbiddenTo(version, from)) {
          for (const [id, text] of textsOf(version, action)) {
            sender.send(text);
            assert.equal(await receiver.next(), text);
            expected.push(`DIRECTION_WRONG_SENDER ${action}`);
            if (isSendAction(version, action)) continue;
            const answer = JSON.stringify([4, id, 'NotSupported', '', {}]);
            receiver.send(answer);
            assert.equal(await sender.next(), answer);
          }
        }
        assert.deepEqual(findings(conversation, 'FrameFlagged', from), expected);
        assert.equal(findings(conversation, 'FrameRefused', from).length, 0);
      });
    }
  }
});

describe('rule 2: what the table does not forbid', { timeout: 20_000 }, () => {
  for (const version of ocppVersions) {
    test(`${version} DataTransfer passes from either side`, async () => {
      await using conversation = await startConversation({
        version,
        changes: { rules: { preset: 'strict' } },
      });
      for (const from of ['charger', 'csms'] as const) {
        const sender = conversation[from];
        const receiver = conversation[otherPeer(from)];
        const call = JSON.stringify([2, `d-${from}`, 'DataTransfer', { vendorId: 'v' }]);
        sender.send(call);
        assert.equal(await receiver.next(), call);
        const answer = JSON.stringify([3, `d-${from}`, { status: 'Accepted' }]);
        receiver.send(answer);
        assert.equal(await sender.next(), answer);
      }
    });

    test(`rule 2: ${version} an action that no version has is answered NotImplemented`, async () => {
      await using conversation = await startConversation({ version });
      const { charger, csms } = conversation;
      for (const [peer, action] of [
        [charger, 'heartbeat'],
        [charger, 'toString'],
        [csms, 'Explode'],
        [csms, '__proto__'],
      ] as const) {
        peer.sendMessage(2, action, action, {});
        await assertRefused(peer, version, action, 'DIRECTION_UNKNOWN_ACTION');
      }
      await assertNothingElseToCsms(conversation);
      await assertNothingElseToCharger(conversation);
    });
  }
});
