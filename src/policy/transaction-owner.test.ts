import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type TestCircumstances, testConversation } from '../../test/support/conversation.ts';
import { acceptedContext } from '../../test/support/policy-context.ts';
import { type OcppVersion, ocppVersions, type Peer } from '../ocpp/version.ts';
import type { Frame } from '../rules/frame.ts';
import { type PresetName, presetNames } from '../rules/presets.ts';
import type { PolicyContext } from './context.ts';
import { transactionOwner, transactionToLookUp } from './transaction-owner.ts';

// Goal: no charger ends or reports a transaction of another; and none is kept from ending its own,
// whatever the gateway has not seen of it.
// Method: the rule and its question for every kind of id, owner and version, then both through the
// presets.

const uuid = '6f9619ff-8b86-d011-b42d-00cf4fc964ff';

function callOf(action: string, payload: object): Frame {
  return { kind: 'call', id: '1', action, payload, bytes: new Uint8Array() } as Frame;
}

const stop = (transactionId: unknown): Frame => callOf('StopTransaction', { transactionId });
const event = (transactionId: unknown, eventType = 'Ended'): Frame =>
  callOf('TransactionEvent', { eventType, transactionInfo: { transactionId } });

interface Known {
  readonly version?: OcppVersion;
  readonly own?: readonly string[];
  readonly others?: ReturnType<PolicyContext['otherOwnersOf']>;
}

const contextOf = ({ others, own = [], version = 'ocpp1.6' }: Known): PolicyContext =>
  acceptedContext(version, {
    ownsTransaction: (transactionId) => own.includes(transactionId),
    otherOwnersOf: () => others,
  });

/** Code and severity, or `pass`. */
function judge(frame: Frame, known: Known, from: Peer = 'charger'): string {
  const context = contextOf(known);
  const violation = transactionOwner.check({
    context,
    frame,
    from,
    version: context.version,
    correlation: { is: 'new' },
  });
  if (violation === undefined) return 'pass';
  assert.equal(violation.rule, 'transaction-owner');
  return `${violation.code} ${violation.severity}`;
}

const foreign = 'TRANSACTION_FOREIGN hard';
const shared = 'TRANSACTION_FOREIGN soft';

describe('transaction-owner', () => {
  test('T2-20: in 1.6, a transaction of one other charger is foreign; of several it proves nothing', () => {
    assert.equal(judge(stop(7), { others: 0 }), 'pass');
    assert.equal(judge(stop(7), { others: 1 }), foreign);
    assert.equal(judge(stop(7), { others: 2 }), shared);
    assert.equal(judge(stop(7), { others: 1, own: ['7'] }), 'pass');
    assert.equal(judge(stop(7), { others: 1, own: ['8'] }), foreign);
    assert.equal(judge(stop(7), {}), 'pass', 'nobody has been asked');
  });

  test('T2-20: in 2.x, a long id of another is foreign, and a short one proves nothing', () => {
    for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
      for (const eventType of ['Started', 'Updated', 'Ended']) {
        const of = (id: string, known: Known) => judge(event(id, eventType), { version, ...known });
        assert.equal(of(uuid, { others: 0 }), 'pass');
        assert.equal(of(uuid, { others: 1 }), foreign);
        assert.equal(of(uuid, { others: 2 }), foreign);
        assert.equal(of(uuid, { others: 1, own: [uuid] }), 'pass');
        assert.equal(of('1', { others: 1 }), shared);
        assert.equal(of('1', { others: 2 }), shared);
        assert.equal(of('x'.repeat(15), { others: 1 }), shared);
        assert.equal(of('x'.repeat(16), { others: 1 }), foreign);
      }
    }
  });

  test('while the store is away nobody knows', () => {
    const unchecked = 'TRANSACTION_UNCHECKED soft';
    assert.equal(judge(stop(7), { others: 'unknown' }), unchecked);
    assert.equal(judge(event(uuid), { version: 'ocpp2.1', others: 'unknown' }), unchecked);
    assert.equal(judge(stop(7), { others: 'unknown', own: ['7'] }), 'pass');
    assert.equal(judge(stop(0), { others: 'unknown' }), 'pass');
  });

  test('P12: 0 and -1 say that there is none', () => {
    for (const id of [0, -1, -7, -0, 0.5, '0', '-1', '']) {
      assert.equal(judge(stop(id), { others: 1 }), 'pass', String(id));
    }
    for (const id of ['', ' ']) assert.equal(judge(event(id), { others: 1 }), 'pass');
  });

  test('T2-20: an id is the same id in each spelling that a CSMS may take for it', () => {
    for (const id of [7, 7.5, '7', ' 7', '+7', '007', '7.0', '7 or 1=1']) {
      const context = contextOf({});
      assert.equal(transactionToLookUp(stop(id), context), '7', String(id));
      assert.equal(judge(stop(id), { others: 1 }), foreign, String(id));
      assert.equal(judge(stop(id), { others: 1, own: ['7'] }), 'pass', String(id));
    }
    for (const id of [uuid, uuid.toUpperCase(), ` ${uuid} `]) {
      const context = contextOf({ version: 'ocpp2.0.1' });
      assert.equal(transactionToLookUp(event(id), context), uuid);
    }
    assert.equal(transactionToLookUp(event(7), contextOf({ version: 'ocpp2.1' })), '7');
  });

  test('T2-20: an id that can be read in several ways is refused, whoever owns what', () => {
    const texts = ['0x7', '1e1', '0b111', '7_0', '+0x7', ' 0X7'].map(stop);
    const structures = [[7], ['7'], [[7]], [], {}].flatMap((id) => [stop(id), event(id)]);
    for (const frame of [...texts, ...structures]) {
      const told = JSON.stringify('payload' in frame && frame.payload);
      assert.equal(transactionToLookUp(frame, contextOf({})), undefined, told);
      const verdict = judge(frame, { others: 0, own: ['7', '10', '0'] });
      assert.equal(verdict, 'TRANSACTION_AMBIGUOUS hard', told);
    }
    assert.equal(judge(stop(10), { others: 0, own: ['7', '10'] }), 'pass');
  });

  test('what is no id, no report, or not from a charger is asked of nobody', () => {
    for (const frame of [
      ...[null, undefined, true, 'x', Number.NaN].map(stop),
      ...[null, undefined, true, 'x'.repeat(65)].map((id) => event(id)),
      callOf('TransactionEvent', {}),
      callOf('TransactionEvent', { transactionInfo: null }),
      callOf('MeterValues', { transactionId: 7 }),
      callOf('StartTransaction', { transactionId: 7 }),
      callOf('RemoteStopTransaction', { transactionId: 7 }),
      { kind: 'call-result', id: '1', payload: { transactionId: 7 }, bytes: new Uint8Array() },
    ] as Frame[]) {
      assert.equal(transactionToLookUp(frame, contextOf({})), undefined);
      assert.equal(judge(frame, { others: 1 }), 'pass');
    }
    assert.equal(judge(stop(7), { others: 1 }, 'csms'), 'pass');
    assert.equal(transactionToLookUp(event('x'.repeat(64)), contextOf({})), 'x'.repeat(64));
  });

  test('the store is asked once for each message, and never for what is known', () => {
    assert.equal(transactionToLookUp(stop(7), contextOf({})), '7');
    assert.equal(transactionToLookUp(stop(7), contextOf({ own: ['7'] })), undefined);
    for (const others of [0, 1, 2, 'unknown'] as const) {
      assert.equal(transactionToLookUp(stop(7), contextOf({ others })), undefined);
    }
  });
});

describe('transaction-owner in the presets', () => {
  const at = '2026-01-01T00:00:00Z';
  const call = (version: OcppVersion, transactionId: string | number, type = 'Ended'): string =>
    JSON.stringify(
      version === 'ocpp1.6'
        ? [2, '1', 'StopTransaction', { transactionId, meterStop: 1, timestamp: at }]
        : [
            2,
            '1',
            'TransactionEvent',
            {
              eventType: type,
              timestamp: at,
              triggerReason: 'Trigger',
              seqNo: 1,
              transactionInfo: { transactionId },
            },
          ],
    );

  function outcome(
    version: OcppVersion,
    preset: PresetName,
    text: string,
    context: TestCircumstances['context'] = {},
  ): string {
    const conversation = testConversation(version, preset, [], { context });
    const { flagged, out, refused } = conversation.pass('charger', text);
    assert.equal(out.filter(({ isOwn }) => !isOwn).length, refused === undefined ? 1 : 0);
    if (refused !== undefined) return `${refused.penalty} ${refused.code}`;
    return flagged.length === 0 ? 'pass' : `flagged ${flagged.join(' ')}`;
  }

  for (const version of ocppVersions) {
    const id = version === 'ocpp1.6' ? 7 : uuid;
    for (const preset of presetNames) {
      test(`T2-20: ${version}, ${preset}: each owner`, () => {
        const of = (context: TestCircumstances['context']) =>
          outcome(version, preset, call(version, id), context);
        const monitored = preset === 'monitor';
        assert.equal(of({ otherOwnersOf: () => 0 }), 'pass');
        // Though the end of a transaction is never lost: this is not the end of one of its own.
        assert.equal(
          of({ otherOwnersOf: () => 1 }),
          `${monitored ? 'flagged' : 'call-error'} TRANSACTION_FOREIGN`,
        );
        assert.equal(of({ otherOwnersOf: () => 1, ownsTransaction: () => true }), 'pass');
        assert.equal(
          of({ otherOwnersOf: () => 'unknown' }),
          `${preset === 'strict' ? 'call-error' : 'flagged'} TRANSACTION_UNCHECKED`,
        );
        const ambiguous = call(version, version === 'ocpp1.6' ? 7 : '7');
        assert.equal(
          outcome(version, preset, ambiguous, { otherOwnersOf: () => 2 }),
          `${preset === 'strict' ? 'call-error' : 'flagged'} TRANSACTION_FOREIGN`,
        );
      });
    }
  }

  test('T2-20: in 1.6, an id of the wrong type passes as little as the right one', () => {
    for (const id of ['7', 7.5, '7 ']) {
      const text = call('ocpp1.6', id);
      const mine = outcome('ocpp1.6', 'standard', text);
      assert.equal(mine, 'flagged PAYLOAD_TYPE', 'its own ends in spite of it');
      const others = outcome('ocpp1.6', 'standard', text, { otherOwnersOf: () => 1 });
      assert.equal(others, 'call-error TRANSACTION_FOREIGN', String(id));
    }
  });

  test('a message whose owner is not known yet causes a question, and nothing else', () => {
    const conversation = testConversation('ocpp1.6', 'standard', [], {
      context: { otherOwnersOf: () => undefined },
    });
    const { effects } = conversation.pass('charger', call('ocpp1.6', 7));
    const question = { about: 'transaction', transactionId: '7' };
    assert.deepEqual(effects, [{ do: 'look-up', question }]);
    assert.equal(conversation.lanes.charger.hasOpenCall, false);
    // The CSMS is asked by nobody for what it says itself.
    const down = conversation.pass('csms', '[2,"1","RemoteStopTransaction",{"transactionId":7}]');
    assert.equal(down.out.length, 1);
  });
});
