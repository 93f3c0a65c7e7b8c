import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Conversation } from './conversation.test.ts';
import type { TransactionRecord } from './transaction-record.ts';

// Goal: the memory knows which transactions are the charger's, how they began and how they ended.
// Method: starts and stops in each version, in the order of the book and in others.

const accepted = { status: 'Accepted' };

/** An OCPP 1.6 start that the CSMS answers with `transactionId`. */
function start(talk: Conversation, transactionId: unknown, changes: object = {}): void {
  const payload = { connectorId: 1, idTag: 'TAG', meterStart: 10, timestamp: 'T1', ...changes };
  const reply = { transactionId, idTagInfo: accepted };
  talk.exchange('charger', 'StartTransaction', payload, reply);
}

/** An OCPP 2.0.1 or 2.1 event of transaction `T`. */
function event(talk: Conversation, eventType: string, info: object = {}, changes: object = {}) {
  const transactionInfo = { transactionId: 'T', ...info };
  const payload = { eventType, timestamp: eventType, seqNo: 1, transactionInfo, ...changes };
  return talk.call('charger', 'TransactionEvent', payload).urgency;
}

function last(talk: Conversation): TransactionRecord | undefined {
  return talk.memory.view().transactions.at(-1);
}

describe('transactions of OCPP 1.6', () => {
  test('a transaction is known once the CSMS has given its id', () => {
    const talk = new Conversation('ocpp1.6');
    const payload = { connectorId: 2, idTag: 'TAG', meterStart: 10, timestamp: 'T1' };
    const { id, urgency } = talk.call('charger', 'StartTransaction', payload);
    assert.equal(urgency, 'none');
    assert.deepEqual(talk.memory.view().transactions, []);
    talk.nowMs += 5000;
    assert.equal(talk.answer('charger', id, { transactionId: 7, idTagInfo: accepted }), 'soon');
    assert.equal(talk.memory.ownsTransaction('7'), true);
    assert.equal(talk.memory.ownsTransaction('8'), false);
    const { status, connectorId, evseId, startedAtMs, chargerStartedAt, meterStart, startedBy } =
      last(talk) ?? {};
    assert.deepEqual([status, connectorId, evseId, meterStart], ['open', 2, undefined, 10]);
    assert.deepEqual([startedAtMs, chargerStartedAt], [1_000_000, 'T1']);
    assert.deepEqual(startedBy, { idToken: 'TAG', by: 'charger' });
  });

  for (const id of [0, -1, '0', '', null, 1.5, {}, undefined]) {
    test(`P12: the id ${JSON.stringify(id)} is none`, () => {
      const talk = new Conversation('ocpp1.6');
      start(talk, id);
      assert.deepEqual(talk.memory.view().transactions, []);
    });
  }

  test('P12: an id beyond the exact numbers is the same in each message', () => {
    const talk = new Conversation('ocpp1.6');
    start(talk, JSON.parse('9223372036854775807'));
    const stop = { transactionId: JSON.parse('9223372036854775807'), meterStop: 1 };
    talk.open('charger', 'StopTransaction', stop);
    assert.equal(last(talk)?.status, 'ended');
  });

  test('a refused idTag with an id is a transaction all the same: it is stopped under that id', () => {
    const talk = new Conversation('ocpp1.6');
    const reply = { transactionId: 5, idTagInfo: { status: 'Blocked' } };
    talk.exchange('charger', 'StartTransaction', { connectorId: 1 }, reply);
    assert.equal(talk.memory.ownsTransaction('5'), true);
  });

  test('a stop ends it, once, and it is remembered', () => {
    const talk = new Conversation('ocpp1.6');
    start(talk, 7);
    const stop = { transactionId: 7, idTag: 'X', meterStop: 99, timestamp: 'T2', reason: 'Local' };
    assert.equal(talk.call('charger', 'StopTransaction', stop).urgency, 'soon');
    assert.equal(
      talk.call('charger', 'StopTransaction', { ...stop, meterStop: 1 }).urgency,
      'none',
    );
    const { status, meterStop, stopReason, chargerEndedAt, endedAtMs, endedBy } = last(talk) ?? {};
    assert.deepEqual([status, meterStop, stopReason], ['ended', 99, 'Local']);
    assert.deepEqual([chargerEndedAt, endedAtMs], ['T2', 1_000_000]);
    assert.deepEqual(endedBy, { idToken: 'X', by: 'charger' });
    assert.equal(talk.memory.ownsTransaction('7'), true);
  });

  test('a stop of an unknown transaction does not make it the charger’s', () => {
    const talk = new Conversation('ocpp1.6');
    const stop = { transactionId: 8, meterStop: 1, timestamp: 'T' };
    assert.equal(talk.call('charger', 'StopTransaction', stop).urgency, 'none');
    assert.equal(talk.memory.ownsTransaction('8'), false);
  });

  const remote = (talk: Conversation, payload: object, reply: object = accepted) =>
    talk.exchange('csms', 'RemoteStartTransaction', { idTag: 'tag', ...payload }, reply);
  const starters: readonly (readonly [string, (talk: Conversation) => void, 'csms' | 'charger'])[] =
    [
      ['accepted, for any connector', (talk) => remote(talk, {}), 'csms'],
      ['accepted, for this connector', (talk) => remote(talk, { connectorId: 1 }), 'csms'],
      ['accepted, for another connector', (talk) => remote(talk, { connectorId: 2 }), 'charger'],
      ['accepted, for another idTag', (talk) => remote(talk, { idTag: 'no' }), 'charger'],
      ['rejected', (talk) => remote(talk, {}, { status: 'Rejected' }), 'charger'],
      [
        'accepted ten minutes ago',
        (talk) => {
          remote(talk, {});
          talk.nowMs += 600_000;
        },
        'csms',
      ],
      [
        'accepted longer ago',
        (talk) => {
          remote(talk, {});
          talk.nowMs += 600_001;
        },
        'charger',
      ],
      [
        'used by another transaction',
        (talk) => {
          remote(talk, {});
          start(talk, 6);
        },
        'charger',
      ],
    ];
  for (const [what, before, by] of starters) {
    test(`after a RemoteStartTransaction ${what}, it was started by the ${by}`, () => {
      const talk = new Conversation('ocpp1.6');
      before(talk);
      const restored = new Conversation('ocpp1.6', talk.memory.save());
      restored.nowMs = talk.nowMs;
      start(restored, 7);
      assert.deepEqual(last(restored)?.startedBy, { idToken: 'TAG', by });
    });
  }

  test('R10: a charger may start before it answers the request', () => {
    const talk = new Conversation('ocpp1.6');
    start(talk, 1, { connectorId: 2 });
    talk.nowMs += 1;
    const id = talk.open('csms', 'RemoteStartTransaction', { idTag: 'TAG' });
    start(talk, 2);
    talk.answer('csms', id, accepted);
    const by = talk.memory.view().transactions.map((one) => [one.transactionId, one.startedBy.by]);
    assert.deepEqual(by, [
      ['1', 'charger'],
      ['2', 'csms'],
    ]);
    start(talk, 3);
    assert.equal(last(talk)?.startedBy.by, 'charger', 'the request is used up');
  });

  test('P2: transaction data counts for the meter', () => {
    const talk = new Conversation('ocpp1.6');
    start(talk, 7, { connectorId: 3 });
    const sampledValue = [{ value: '5', context: 'Transaction.End' }];
    talk.open('charger', 'StopTransaction', {
      transactionId: 7,
      transactionData: [{ sampledValue }],
    });
    assert.equal(talk.memory.view().meterValues[0]?.place, 3);
    assert.equal(last(talk)?.meterStop, 5);
  });
});

describe('who ended a transaction', () => {
  for (const version of ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'] as const) {
    const is16 = version === 'ocpp1.6';
    const begin = (talk: Conversation) => (is16 ? start(talk, 7) : event(talk, 'Started'));
    const transactionId = is16 ? 7 : 'T';
    const end = (talk: Conversation, reason: string) =>
      is16
        ? talk.open('charger', 'StopTransaction', { transactionId, meterStop: 1, reason })
        : event(talk, 'Ended', { stoppedReason: reason });
    const action = is16 ? 'RemoteStopTransaction' : 'RequestStopTransaction';

    for (const [status, reason, by] of [
      ['Accepted', 'Local', 'csms'],
      ['Rejected', 'Local', 'charger'],
      ['Rejected', 'Remote', 'csms'],
    ] as const) {
      test(`${version}: ${action} ${status}, then ${reason}: the ${by}`, () => {
        const talk = new Conversation(version);
        begin(talk);
        talk.exchange('csms', action, { transactionId }, { status });
        end(talk, reason);
        assert.equal(last(talk)?.endedBy?.by, by);
        assert.equal(last(talk)?.stopReason, reason);
      });
    }

    test(`${version}: R10: a charger may stop before it answers the request, but not before it came`, () => {
      for (const [delayMs, by] of [
        [0, 'csms'],
        [1, 'charger'],
      ] as const) {
        const talk = new Conversation(version);
        begin(talk);
        const early = delayMs === 0 ? talk.open('csms', action, { transactionId }) : undefined;
        end(talk, 'Local');
        talk.nowMs += delayMs;
        talk.answer('csms', early ?? talk.open('csms', action, { transactionId }), accepted);
        assert.equal(last(talk)?.endedBy?.by, by);
      }
    });
  }
});

for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
  describe(`transactions of ${version}`, () => {
    test('events begin, continue and end a transaction', () => {
      const talk = new Conversation(version);
      const begin = [
        {
          sampledValue: [
            { value: 1.5, context: 'Transaction.Begin', unitOfMeasure: { unit: 'kWh' } },
          ],
        },
      ];
      const finish = [
        {
          sampledValue: [
            { value: 3, context: 'Transaction.End', unitOfMeasure: { multiplier: 3 } },
          ],
        },
      ];
      const evse = { id: 2, connectorId: 1 };
      assert.equal(event(talk, 'Started', {}, { seqNo: 0, evse, meterValue: begin }), 'soon');
      const idToken = { idToken: 'TOKEN' };
      const update = { chargingState: 'Charging' };
      assert.equal(
        event(talk, 'Updated', update, { seqNo: 2, idToken, offline: true }),
        'eventually',
      );
      assert.equal(
        event(talk, 'Updated', {}, { seqNo: 1, idToken: { idToken: 'later' } }),
        'eventually',
      );
      const closing = { seqNo: 3, idToken: { idToken: 'OTHER' }, meterValue: finish };
      assert.equal(event(talk, 'Ended', { stoppedReason: 'Local' }, closing), 'soon');
      const expected = {
        transactionId: 'T',
        version,
        status: 'ended',
        evseId: 2,
        connectorId: 1,
        startedAtMs: 1_000_000,
        chargerStartedAt: 'Started',
        startedBy: { idToken: 'TOKEN', by: 'charger' },
        remoteStartId: undefined,
        meterStart: 1500,
        sequenceNumber: 3,
        chargingState: 'Charging',
        isOffline: true,
        stopAcceptedAtMs: undefined,
        endedAtMs: 1_000_000,
        chargerEndedAt: 'Ended',
        endedBy: { idToken: 'OTHER', by: 'charger' },
        stopReason: 'Local',
        meterStop: 3000,
      };
      assert.deepEqual(last(talk), expected);
    });

    test('an update of an unknown transaction opens it: the gateway may have come later', () => {
      const talk = new Conversation(version);
      assert.equal(event(talk, 'Updated', { remoteStartId: 4 }), 'soon');
      assert.equal(talk.memory.ownsTransaction('T'), true);
      const { status, chargerStartedAt, startedBy } = last(talk) ?? {};
      assert.deepEqual([status, chargerStartedAt, startedBy?.by], ['open', undefined, 'csms']);
    });

    test('late events of an ended transaction do not open it again', () => {
      const talk = new Conversation(version);
      event(talk, 'Ended', {}, { seqNo: 9, idToken: { idToken: 'END' } });
      assert.deepEqual(last(talk)?.startedBy, { idToken: undefined, by: 'charger' });
      event(talk, 'Started', {}, { seqNo: 0 });
      assert.equal(event(talk, 'Ended', { stoppedReason: 'Other' }, { seqNo: 9 }), 'eventually');
      const { status, sequenceNumber, stopReason } = last(talk) ?? {};
      assert.deepEqual([status, sequenceNumber, stopReason], ['ended', 9, undefined]);
      assert.equal(talk.memory.view().transactions.length, 1);
    });

    test('an event without a usable id or type is nothing', () => {
      const talk = new Conversation(version);
      for (const transactionId of ['', 'x'.repeat(109), 'a\u0000b', {}, null]) {
        assert.equal(event(talk, 'Started', { transactionId }), 'none');
      }
      assert.equal(event(talk, 'started'), 'none');
      assert.deepEqual(talk.memory.view().transactions, []);
    });
  });
}

describe('what is remembered of transactions', () => {
  test('the last 16 that ended', () => {
    const talk = new Conversation('ocpp1.6');
    for (let id = 1; id <= 17; id += 1) {
      start(talk, id);
      talk.open('charger', 'StopTransaction', { transactionId: id, meterStop: 1 });
    }
    assert.equal(talk.memory.ownsTransaction('1'), false);
    assert.equal(talk.memory.ownsTransaction('2'), true);
  });

  test('those that changed are taken once, in their last version', () => {
    const talk = new Conversation('ocpp2.1');
    event(talk, 'Started', {}, { seqNo: 0 });
    event(talk, 'Updated', {}, { seqNo: 1 });
    assert.deepEqual(
      talk.memory.takeTransactions().map((one) => one.sequenceNumber),
      [1],
    );
    assert.deepEqual(talk.memory.takeTransactions(), []);
  });

  test('those that could not be written come again, unless a newer version has come', () => {
    const talk = new Conversation('ocpp2.1');
    event(talk, 'Started', { transactionId: 'A' });
    event(talk, 'Started', { transactionId: 'B' });
    const taken = talk.memory.takeTransactions();
    event(talk, 'Ended', { transactionId: 'B' });
    talk.memory.putBackTransactions(taken);
    const again = talk.memory.takeTransactions().map((one) => [one.transactionId, one.status]);
    assert.deepEqual(again, [
      ['A', 'open'],
      ['B', 'ended'],
    ]);
  });

  test('those that nobody took survive a restart; at most 64, the oldest go first', () => {
    const talk = new Conversation('ocpp2.1');
    for (let id = 1; id <= 65; id += 1) event(talk, 'Started', { transactionId: String(id) });
    const restored = new Conversation('ocpp2.1', talk.memory.save());
    const taken = restored.memory.takeTransactions();
    assert.deepEqual([taken.length, taken[0]?.transactionId], [64, '2']);
    assert.deepEqual(taken, talk.memory.takeTransactions());
    assert.deepEqual(new Conversation('ocpp2.1', talk.memory.save()).memory.takeTransactions(), []);
  });
});
