import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testConversation } from '../../test/support/conversation.ts';
import { acceptedContext } from '../../test/support/policy-context.ts';
import { samplePayload } from '../../test/support/sample-payload.ts';
import { actionsOf, isSendAction, senderOf } from '../ocpp/actions.ts';
import { type OcppVersion, ocppVersions, type Peer } from '../ocpp/version.ts';
import type { Frame } from '../rules/frame.ts';
import { type PresetName, presetNames } from '../rules/presets.ts';
import { bootState } from './boot-state.ts';
import type { PolicyContext } from './context.ts';

// Goal: before the CSMS has accepted a charger, nothing happens there but what the versions allow;
// and no honest charger is kept from working because the gateway has not seen it boot.
// Method: the rule for every action of every version and every state, then a few of them through the
// presets.

type Status = PolicyContext['bootStatus'];

const statuses = ['Accepted', 'Pending', 'Rejected', 'unaccepted', 'assumed', 'unknown'] as const;
const refusing: readonly Status[] = ['Pending', 'Rejected'];
const uncertain: readonly Status[] = ['unaccepted', 'unknown'];
const alwaysAllowed = ['BootNotification', 'SecurityEventNotification'];

function callOf(action: string, payload = {}): Frame {
  return { kind: 'call', id: '1', action, payload, bytes: new Uint8Array() } as Frame;
}

interface Circumstances {
  readonly version?: OcppVersion;
  readonly status: Status;
  readonly triggered?: string;
}

function severity(frame: Frame, from: Peer, { status, triggered, version }: Circumstances) {
  const context = acceptedContext(version ?? 'ocpp1.6', {
    bootStatus: status,
    wasTriggered: (action) => action === triggered,
  });
  const violation = bootState.check({
    context,
    frame,
    from,
    version: context.version,
    correlation: { is: 'new' },
  });
  if (violation === undefined) return undefined;
  assert.deepEqual(violation, {
    rule: 'boot-state',
    code: 'BOOT_NOT_ACCEPTED',
    severity: violation.severity,
    detail: `the registration is ${status}`,
  });
  return violation.severity;
}

const actionsFrom = (version: OcppVersion, from: Peer): readonly string[] =>
  actionsOf(version).filter((action) =>
    [from, 'either'].includes(String(senderOf(version, action))),
  );

for (const version of ocppVersions) {
  describe(`boot-state, ${version}`, () => {
    for (const status of statuses) {
      test(`T2-19: what a charger may send while it is ${status}`, () => {
        for (const action of actionsFrom(version, 'charger')) {
          const frame = callOf(action);
          const isFree = ['Accepted', 'assumed'].includes(status) || alwaysAllowed.includes(action);
          const isSoft = uncertain.includes(status) || action === 'StopTransaction';
          const expected = isFree ? undefined : isSoft ? 'soft' : 'hard';
          assert.equal(severity(frame, 'charger', { version, status }), expected, action);
          // What the CSMS has asked for may come at any time.
          const asked = { version, status, triggered: action };
          assert.equal(severity(frame, 'charger', asked), undefined, action);
        }
      });

      test(`T2-19: what a CSMS may send while the charger is ${status}`, () => {
        const starts = ['RemoteStartTransaction', 'RequestStartTransaction'];
        for (const action of actionsFrom(version, 'csms')) {
          const isRefused = starts.includes(action) && refusing.includes(status);
          const expected = isRefused ? 'hard' : undefined;
          assert.equal(severity(callOf(action), 'csms', { version, status }), expected, action);
        }
      });
    }
  });
}

describe('boot-state', () => {
  test('a SEND counts as a call, and replies do not count', () => {
    const parts = { id: '1', action: 'NotifyPeriodicEventStream', payload: {} };
    const send = { ...parts, kind: 'send', bytes: new Uint8Array() } as Frame;
    const result = { kind: 'call-result', id: '1', payload: {}, bytes: new Uint8Array() } as Frame;
    for (const status of refusing) {
      assert.equal(severity(send, 'charger', { status }), 'hard');
      assert.equal(severity(result, 'charger', { status }), undefined);
    }
  });

  test('P2: what must never be lost is soft: the end of a transaction, and a fault', () => {
    for (const [action, payload, expected] of [
      ['TransactionEvent', { eventType: 'Ended' }, 'soft'],
      ['TransactionEvent', { eventType: 'Started' }, 'hard'],
      ['TransactionEvent', { eventType: 'Updated' }, 'hard'],
      ['StatusNotification', { status: 'Faulted' }, 'soft'],
      ['StatusNotification', { connectorStatus: 'Faulted' }, 'soft'],
      ['StatusNotification', { status: 'Charging' }, 'hard'],
      ['StopTransaction', {}, 'soft'],
      ['StartTransaction', {}, 'hard'],
    ] as const) {
      for (const status of refusing) {
        assert.equal(severity(callOf(action, payload), 'charger', { status }), expected, action);
      }
    }
  });

  test('what was asked for is asked for by its own name', () => {
    const status = 'Pending';
    assert.equal(
      severity(callOf('Heartbeat'), 'charger', { status, triggered: 'heartbeat' }),
      'hard',
    );
    assert.equal(
      severity(callOf('MeterValues'), 'charger', { status, triggered: 'Heartbeat' }),
      'hard',
    );
    // And it is the charger that was asked.
    const triggered = 'RemoteStartTransaction';
    assert.equal(severity(callOf(triggered), 'csms', { status, triggered }), 'hard');
  });
});

/** What becomes of a sample message: `pass`, `flagged`, or the penalty. */
function outcome(
  version: OcppVersion,
  preset: PresetName,
  from: Peer,
  action: string,
  bootStatus: Status,
): string {
  const conversation = testConversation(version, preset, [], { context: { bootStatus } });
  const typeId = isSendAction(version, action) ? 6 : 2;
  const payload = samplePayload(version, action, 'request', 'minimal');
  const { flagged, out, refused } = conversation.passMessage(from, typeId, '1', action, payload);
  assert.equal(out.filter(({ isOwn }) => !isOwn).length, refused === undefined ? 1 : 0);
  if (refused !== undefined) return `${refused.penalty} ${refused.code}`;
  return flagged.length === 0 ? 'pass' : `flagged ${flagged.join(' ')}`;
}

describe('boot-state in the presets', () => {
  const refused = 'call-error BOOT_NOT_ACCEPTED';
  const flagged = 'flagged BOOT_NOT_ACCEPTED';
  for (const version of ocppVersions) {
    const start = version === 'ocpp1.6' ? 'RemoteStartTransaction' : 'RequestStartTransaction';
    const stop = version === 'ocpp1.6' ? 'RemoteStopTransaction' : 'RequestStopTransaction';
    for (const preset of presetNames) {
      test(`T2-19, C20: ${version}, ${preset}: each state, both ways`, () => {
        const hard = preset === 'monitor' ? flagged : refused;
        const soft = preset === 'strict' ? refused : flagged;
        const of = (from: Peer, action: string, status: Status) =>
          outcome(version, preset, from, action, status);
        for (const status of statuses) {
          const isOpen = status === 'Accepted' || status === 'assumed';
          const expected = isOpen ? 'pass' : uncertain.includes(status) ? soft : hard;
          assert.equal(of('charger', 'Heartbeat', status), expected, status);
          assert.equal(of('charger', 'MeterValues', status), expected, status);
          assert.equal(of('charger', 'BootNotification', status), 'pass', status);
          assert.equal(of('charger', 'SecurityEventNotification', status), 'pass', status);
          assert.equal(
            of('csms', start, status),
            refusing.includes(status) ? hard : 'pass',
            status,
          );
          for (const action of [stop, 'TriggerMessage', 'Reset', 'UnlockConnector']) {
            assert.equal(of('csms', action, status), 'pass', `${status} ${action}`);
          }
          if (version !== 'ocpp1.6') continue;
          assert.equal(of('charger', 'StopTransaction', status), isOpen ? 'pass' : soft, status);
        }
      });
    }
  }

  test('T2-19: a SEND before acceptance is dropped, since nobody waits for an answer', () => {
    const of = (preset: PresetName) =>
      outcome('ocpp2.1', preset, 'charger', 'NotifyPeriodicEventStream', 'Pending');
    assert.equal(of('strict'), 'drop BOOT_NOT_ACCEPTED');
    assert.equal(of('standard'), 'drop BOOT_NOT_ACCEPTED');
    assert.equal(of('monitor'), flagged);
  });
});
