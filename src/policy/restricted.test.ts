import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testConversation } from '../../test/support/conversation.ts';
import { acceptedContext } from '../../test/support/policy-context.ts';
import { samplePayload } from '../../test/support/sample-payload.ts';
import { actionsOf, isSendAction, senderOf } from '../ocpp/actions.ts';
import { type OcppVersion, ocppVersions, type Peer } from '../ocpp/version.ts';
import type { Frame } from '../rules/frame.ts';
import { type PresetName, presetNames } from '../rules/presets.ts';
import type { Restriction } from './context.ts';
import { restricted } from './restricted.ts';

// Goal: with a default password or an expired certificate, a charger gets a better credential, and
// nobody does anything else in its name.
// Method: the rule for every action of every version, both ways and under both restrictions, against
// lists written out here; then a few messages through the presets.

const restrictions: readonly Restriction[] = ['default-password', 'expired-certificate'];

const passes: Readonly<Record<Restriction, Readonly<Record<Peer, readonly string[]>>>> = {
  'default-password': {
    charger: ['BootNotification', 'Heartbeat', 'SecurityEventNotification'],
    csms: [],
  },
  'expired-certificate': {
    charger: ['BootNotification', 'Heartbeat', 'SecurityEventNotification', 'SignCertificate'],
    csms: [
      'CertificateSigned',
      'ExtendedTriggerMessage',
      'GetInstalledCertificateIds',
      'InstallCertificate',
      'RemoteStopTransaction',
      'RequestStopTransaction',
      'Reset',
      'TriggerMessage',
      'UnlockConnector',
    ],
  },
};

function frameOf(kind: string, action: string, payload = {}): Frame {
  return { kind, id: '1', action, payload, bytes: new Uint8Array() } as Frame;
}

function severity(frame: Frame, from: Peer, restriction: Restriction | undefined) {
  const context = acceptedContext('ocpp2.1', { restriction });
  const { version } = context;
  const found = restricted.check({
    context,
    frame,
    from,
    version,
    correlation: { is: 'new' },
  });
  assert(found === undefined || (found.rule === 'restricted' && found.code === 'RESTRICTED'));
  return found?.severity;
}

for (const version of ocppVersions) {
  describe(`restricted, ${version}`, () => {
    for (const restriction of restrictions) {
      for (const from of ['charger', 'csms'] satisfies Peer[]) {
        test(`${restriction}: what the ${from} may send`, () => {
          for (const action of actionsOf(version)) {
            if (![from, 'either'].includes(String(senderOf(version, action)))) continue;
            const isFree = passes[restriction][from].includes(action);
            const expected = isFree
              ? undefined
              : from === 'charger' && action === 'StopTransaction'
                ? 'soft'
                : 'hard';
            assert.equal(severity(frameOf('call', action), from, restriction), expected, action);
            assert.equal(severity(frameOf('call', action), from, undefined), undefined, action);
          }
        });
      }
    }
  });
}

describe('restricted', () => {
  test('replies pass, and a SEND counts as a call', () => {
    for (const restriction of restrictions) {
      for (const from of ['charger', 'csms'] satisfies Peer[]) {
        assert.equal(severity(frameOf('call-result', ''), from, restriction), undefined);
        assert.equal(severity(frameOf('call-error', ''), from, restriction), undefined);
      }
      const send = frameOf('send', 'NotifyPeriodicEventStream');
      assert.equal(severity(send, 'charger', restriction), 'hard');
    }
  });

  test('P2: what must never be lost is soft: the end of a transaction, and a fault', () => {
    for (const restriction of restrictions) {
      for (const [action, payload, expected] of [
        ['StopTransaction', {}, 'soft'],
        ['TransactionEvent', { eventType: 'Ended' }, 'soft'],
        ['TransactionEvent', { eventType: 'Started' }, 'hard'],
        ['StatusNotification', { status: 'Faulted' }, 'soft'],
        ['StatusNotification', { status: 'Charging' }, 'hard'],
      ] as const) {
        assert.equal(severity(frameOf('call', action, payload), 'charger', restriction), expected);
      }
      // A CSMS reports nothing, so the name alone excuses nothing.
      assert.equal(severity(frameOf('call', 'StopTransaction'), 'csms', restriction), 'hard');
    }
  });
});

function outcome(
  version: OcppVersion,
  preset: PresetName,
  restriction: Restriction,
  from: Peer,
  action: string,
): string {
  const context = { restriction, securityProfile: 3, usedProfile: 3 };
  const conversation = testConversation(version, preset, [], { context });
  const typeId = isSendAction(version, action) ? 6 : 2;
  const payload = samplePayload(version, action, 'request', 'minimal');
  const { flagged, refused } = conversation.passMessage(from, typeId, '1', action, payload);
  if (refused !== undefined) return `${refused.penalty} ${refused.code}`;
  return flagged.length === 0 ? 'pass' : `flagged ${flagged.join(' ')}`;
}

describe('restricted in the presets', () => {
  for (const version of ocppVersions) {
    const is16 = version === 'ocpp1.6';
    for (const preset of presetNames) {
      test(`${version}, ${preset}: both restrictions, both ways`, () => {
        const hard = preset === 'monitor' ? 'flagged RESTRICTED' : 'call-error RESTRICTED';
        const soft = preset === 'strict' ? 'call-error RESTRICTED' : 'flagged RESTRICTED';
        for (const restriction of restrictions) {
          const of = (from: Peer, action: string) =>
            outcome(version, preset, restriction, from, action);
          assert.equal(of('charger', 'BootNotification'), 'pass');
          assert.equal(of('charger', 'SecurityEventNotification'), 'pass');
          assert.equal(of('charger', 'MeterValues'), hard);
          assert.equal(of('charger', 'DataTransfer'), hard);
          assert.equal(of('csms', 'DataTransfer'), hard);
          assert.equal(of('csms', 'ClearCache'), hard);
          if (is16) assert.equal(of('charger', 'StopTransaction'), soft);
        }
        const ofExpired = (from: Peer, action: string) =>
          outcome(version, preset, 'expired-certificate', from, action);
        const start = is16 ? 'RemoteStartTransaction' : 'RequestStartTransaction';
        const stop = is16 ? 'RemoteStopTransaction' : 'RequestStopTransaction';
        assert.equal(ofExpired('csms', start), hard);
        assert.equal(ofExpired('csms', stop), 'pass');
        assert.equal(ofExpired('csms', 'TriggerMessage'), 'pass');
        assert.equal(ofExpired('csms', 'Reset'), 'pass');
        assert.equal(ofExpired('csms', 'UnlockConnector'), 'pass');
      });
    }
  }
});
