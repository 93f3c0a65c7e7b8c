import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actionsOf, isSendAction, senderOf } from '../../src/ocpp/actions.ts';
import { isJsonObject, type JsonObject } from '../../src/ocpp/message.ts';
import { type OcppVersion, ocppVersions, otherPeer, type Peer } from '../../src/ocpp/version.ts';
import { type PresetName, presetNames } from '../../src/rules/presets.ts';
import { makeAuthority, makeRequest } from '../support/certificates.ts';
import { type Passed, testConversation } from '../support/conversation.ts';
import { type PayloadSize, samplePayload } from '../support/sample-payload.ts';

// Goal: every action passes from the side that owns it, with every reply, and from no other; and
// each of them only in the kind of message and the version that it belongs to.
// Method: walk the direction tables of all versions through the message path.

const peers: readonly Peer[] = ['charger', 'csms'];

const request = await makeRequest({ commonName: 'CP-1' });
const authority = await makeAuthority();
const { certificatePem } = await authority.issue({
  commonName: 'CP-1',
  keyPem: request.keyPem,
  notBefore: new Date(0),
});

/** What the CSMS may answer with `certificatePem`. */
const context = { lastSigningRequest: { spkiSha256: request.spkiSha256, requestId: 7 } };

/** A valid message of `action`, that keeps what the other rules ask for. */
function messageOf(version: OcppVersion, action: string, size: PayloadSize): readonly unknown[] {
  const sample = samplePayload(version, action, 'request', size);
  const payload = { ...sample, ...required(version, action, sample) };
  return [isSendAction(version, action) ? 6 : 2, '1', action, payload];
}

/** What must be in a message of `action` beside what the schema asks for. */
function required(version: OcppVersion, action: string, sample: JsonObject): JsonObject {
  const inside = (key: string): JsonObject => {
    const value = sample[key];
    return isJsonObject(value) ? value : {};
  };
  switch (action) {
    case 'UpdateFirmware': {
      const signature = { signingCertificate: 'x', signature: 'x' };
      return version === 'ocpp1.6' ? {} : { firmware: { ...inside('firmware'), ...signature } };
    }
    case 'SetNetworkProfile': {
      const { basicAuthPassword: _, ...connection } = inside('connectionData');
      return { connectionData: { ...connection, securityProfile: 2 } };
    }
    case 'SignCertificate':
      return { csr: request.requestPem };
    case 'CertificateSigned':
      return {
        certificateChain: certificatePem,
        ...('requestId' in sample ? { requestId: 7 } : {}),
      };
    default:
      return {};
  }
}

function send(version: OcppVersion, preset: PresetName, from: Peer, elements: readonly unknown[]) {
  const text = JSON.stringify(elements);
  return { text, passed: testConversation(version, preset, [], { context }).pass(from, text) };
}

function assertPassedOn({ out, refused, flagged }: Passed, text: string, to: Peer): void {
  assert.deepEqual([refused, flagged], [undefined, []]);
  assert.deepEqual(out, [{ to, text, isOwn: false }]);
}

function assertRefused(passed: Passed, code: string, answer: string | undefined, from: Peer): void {
  assert.equal(passed.refused?.code, code);
  assert.equal(passed.out.filter(({ isOwn }) => !isOwn).length, 0, 'never forwarded');
  assert.equal(
    passed.effects.some((effect) => effect.do === 'enqueue'),
    false,
    'never queued',
  );
  const told = passed.out.map(({ to, text }) => [to, (JSON.parse(text) as unknown[])[2]]);
  assert.deepEqual(told, answer === undefined ? [] : [[from, answer]]);
}

describe('every action of every version', () => {
  for (const version of ocppVersions) {
    for (const action of actionsOf(version)) {
      const sender = senderOf(version, action);
      const isUnsignedByNature = version === 'ocpp1.6' && action === 'UpdateFirmware';
      for (const from of peers) {
        const isAllowed = sender === from || sender === 'either';

        if (isAllowed && !isUnsignedByNature) {
          test(`${version} ${action} from the ${from} passes, and so does its reply`, () => {
            for (const preset of presetNames) {
              for (const size of ['minimal', 'full'] satisfies PayloadSize[]) {
                const conversation = testConversation(version, preset, [], { context });
                const text = JSON.stringify(messageOf(version, action, size));
                assertPassedOn(conversation.pass(from, text), text, otherPeer(from));
                if (isSendAction(version, action)) continue;
                const reply = samplePayload(version, action, 'response', size);
                const answer = JSON.stringify([3, '1', reply]);
                assertPassedOn(conversation.pass(otherPeer(from), answer), answer, from);
                assert.equal(conversation.lanes[from].hasOpenCall, false);
              }
            }
          });
        }

        if (!isAllowed) {
          test(`T2-17: ${version} ${action} from the ${from} is refused`, () => {
            const isSend = isSendAction(version, action);
            for (const preset of ['standard', 'strict'] satisfies PresetName[]) {
              const elements = messageOf(version, action, 'full');
              const { passed } = send(version, preset, from, elements);
              const answer = isSend ? undefined : 'NotSupported';
              assertRefused(passed, 'DIRECTION_WRONG_SENDER', answer, from);
            }
          });
        }

        test(`T2-18: ${version} ${action} in the other kind of message, from the ${from}`, () => {
          const [typeId, ...rest] = messageOf(version, action, 'minimal');
          for (const preset of ['standard', 'strict'] satisfies PresetName[]) {
            const { passed } = send(version, preset, from, [typeId === 2 ? 6 : 2, ...rest]);
            assert.match(passed.refused?.code ?? '', /^(?:DIRECTION|FORMAT_MESSAGE_TYPE)/);
            assert.equal(passed.out.filter(({ isOwn }) => !isOwn).length, 0);
            if (typeId === 2) assert.deepEqual(passed.out, [], 'a SEND is never answered');
          }
        });
      }
    }

    test(`${version}: every action that only other versions have is unknown, from both sides`, () => {
      const foreign = new Set(ocppVersions.flatMap((other) => actionsOf(other)));
      for (const action of actionsOf(version)) foreign.delete(action);
      assert.notEqual(foreign.size, 0);
      for (const action of foreign) {
        for (const from of peers) {
          const { passed } = send(version, 'standard', from, [2, '1', action, {}]);
          assertRefused(passed, 'DIRECTION_UNKNOWN_ACTION', 'NotImplemented', from);
        }
      }
    });

    test(`${version}: names that objects inherit are unknown actions`, () => {
      const names = Object.getOwnPropertyNames(Object.prototype);
      assert(names.includes('__proto__'));
      for (const action of [...names, 'Selfdestruct', 'prototype', 'Heartbeat ', 'HEARTBEAT']) {
        for (const from of peers) {
          const { passed } = send(version, 'strict', from, [2, '1', action, {}]);
          assertRefused(passed, 'DIRECTION_UNKNOWN_ACTION', 'NotImplemented', from);
        }
      }
    });
  }

  test('T2-17: there are 191 calls and SENDs from a forbidden side', () => {
    const forbidden = ocppVersions.flatMap((version) =>
      actionsOf(version).filter((action) => senderOf(version, action) !== 'either'),
    );
    assert.equal(forbidden.length, 39 + 64 + 91 - 3);
  });
});

describe('the reply of one action is not the reply of another', () => {
  for (const version of ocppVersions) {
    test(`${version}: a reply with an unknown property is noted, and passes`, () => {
      for (const action of actionsOf(version)) {
        const sender = senderOf(version, action);
        if (sender === 'csms' || isSendAction(version, action)) continue;
        const conversation = testConversation(version, 'standard', [], { context });
        conversation.passMessage('charger', ...messageOf(version, action, 'minimal'));
        const reply = { ...samplePayload(version, action, 'response', 'minimal'), surprise: 1 };
        const { flagged, out, refused } = conversation.passMessage('csms', 3, '1', reply);
        assert.equal(refused, undefined, action);
        assert.deepEqual(flagged, ['PAYLOAD_EXTRA'], action);
        assert.deepEqual(
          out.map(({ isOwn, to }) => [isOwn, to]),
          [[false, 'charger']],
          action,
        );
      }
    });
  }
});
