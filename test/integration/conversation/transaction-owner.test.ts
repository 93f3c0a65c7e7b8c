import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OcppVersion, ocppVersions } from '../../../src/ocpp/version.ts';
import { connectCharger, type TextPeer } from '../../support/text-peer.ts';
import {
  assertNothingElseToCsms,
  assertRefused,
  type LiveConversation,
  startConversation,
} from './live-conversation.ts';

// Goal: no charger ends or reports the transaction of another, whether that one is connected or
// not; each reports its own; and asking whose it is changes the order of nothing.
// Method: two hand-driven chargers at a real gateway. One starts a transaction, the other one speaks
// of it (CVE-2026-28230: SteVe let any charger end any transaction).

const at = '2026-01-01T00:00:00Z';
const uuid = '6f9619ff-8b86-d011-b42d-00cf4fc964ff';

/** A charger and its connection to the CSMS. */
interface Pair {
  readonly charger: TextPeer;
  readonly csms: TextPeer;
}

async function connectAnother(conversation: LiveConversation, identity: string): Promise<Pair> {
  const { gateway, server, version } = conversation;
  const charger = await connectCharger(gateway.url(identity), [version]);
  return { charger, csms: await server.nextConnection() };
}

/** The charger sends a call, and the CSMS answers with `payload`. */
async function passes({ charger, csms }: Pair, call: string, payload: object): Promise<void> {
  charger.send(call);
  assert.equal(await csms.next(), call);
  const [, id]: readonly unknown[] = JSON.parse(call);
  const answer = JSON.stringify([3, id, payload]);
  csms.send(answer);
  assert.equal(await charger.next(), answer);
}

const stop = (id: string, transactionId: unknown): string =>
  JSON.stringify([2, id, 'StopTransaction', { transactionId, meterStop: 1, timestamp: at }]);

function event(id: string, eventType: string, transactionId: string): string {
  const transactionInfo = { transactionId };
  const rest = { timestamp: at, triggerReason: 'Trigger', seqNo: 1, transactionInfo };
  return JSON.stringify([2, id, 'TransactionEvent', { eventType, ...rest }]);
}

const meterValues = (id: string, transactionId: number): string =>
  JSON.stringify([
    2,
    id,
    'MeterValues',
    {
      connectorId: 1,
      transactionId,
      meterValue: [{ timestamp: at, sampledValue: [{ value: '1' }] }],
    },
  ]);

/** The charger starts the transaction, of the id 7 or `uuid`. */
async function startTransaction(pair: Pair, version: OcppVersion): Promise<void> {
  if (version !== 'ocpp1.6') {
    await passes(pair, event('start', 'Started', uuid), {});
    return;
  }
  const payload = { connectorId: 1, idTag: 'A', meterStart: 0, timestamp: at };
  const call = JSON.stringify([2, 'start', 'StartTransaction', payload]);
  await passes(pair, call, { transactionId: 7, idTagInfo: { status: 'Accepted' } });
}

const reportOf = (version: OcppVersion, id: string): string =>
  version === 'ocpp1.6' ? stop(id, 7) : event(id, 'Ended', uuid);
const answerOf = {
  'ocpp1.6': { idTagInfo: { status: 'Accepted' } },
  'ocpp2.0.1': {},
  'ocpp2.1': {},
};

function refusals({ gateway }: LiveConversation): readonly string[] {
  return gateway.events.flatMap((it) =>
    it.name === 'FrameRefused' ? [`${it.charger} ${it.code} ${it.penalty}`] : [],
  );
}

describe('transactions of other chargers', { timeout: 40_000 }, () => {
  for (const version of ocppVersions) {
    test(`T2-20: ${version}: CVE-2026-28230: a charger cannot end the transaction of another`, async () => {
      await using conversation = await startConversation({ version });
      const { gateway } = conversation;
      await startTransaction(conversation, version);
      const attacker = await connectAnother(conversation, 'CP-2');
      attacker.charger.send(reportOf(version, 'attack'));
      await assertRefused(attacker.charger, version, 'attack', 'TRANSACTION_FOREIGN');

      // The benign twin: its own ends, also when it comes back for that.
      conversation.charger.socket.terminate();
      await gateway.event('SessionClosed');
      attacker.charger.send(reportOf(version, 'attack-2'));
      await assertRefused(attacker.charger, version, 'attack-2', 'TRANSACTION_FOREIGN');
      const again = await connectAnother(conversation, 'CP-1');
      await passes(again, reportOf(version, 'end'), answerOf[version]);

      // What has ended is still its own.
      attacker.charger.send(reportOf(version, 'attack-3'));
      await assertRefused(attacker.charger, version, 'attack-3', 'TRANSACTION_FOREIGN');
      await assertNothingElseToCsms({ ...conversation, ...attacker });
      assert.equal(attacker.csms.received.length, 1);
      const refusal = 'CP-2 TRANSACTION_FOREIGN call-error';
      assert.deepEqual(refusals(conversation), [refusal, refusal, refusal]);
      await attacker.charger.close();
      await again.charger.close();
    });
  }

  test('T2-20: nor in another spelling', async () => {
    await using conversation = await startConversation();
    await startTransaction(conversation, 'ocpp1.6');
    const attacker = await connectAnother(conversation, 'CP-2');
    for (const [index, id] of ['7', 7.5, ' 7 '].entries()) {
      attacker.charger.send(stop(`attack-${index}`, id));
      await assertRefused(attacker.charger, 'ocpp1.6', `attack-${index}`, 'TRANSACTION_FOREIGN');
    }
    await attacker.charger.close();

    await using recent = await startConversation({ version: 'ocpp2.0.1' });
    await startTransaction(recent, 'ocpp2.0.1');
    const other = await connectAnother(recent, 'CP-2');
    other.charger.send(event('attack', 'Updated', uuid.toUpperCase()));
    await assertRefused(other.charger, 'ocpp2.0.1', 'attack', 'TRANSACTION_FOREIGN');
    await other.charger.close();
  });

  test('T2-20: guessed ids are refused one by one, and do not cost the guesser its connection', async () => {
    await using conversation = await startConversation({ changes: { rules: { strikesMax: 1 } } });
    await startTransaction(conversation, 'ocpp1.6');
    const attacker = await connectAnother(conversation, 'CP-2');
    for (let count = 0; count < 5; count += 1) {
      attacker.charger.send(stop(`guess-${count}`, 7));
      await assertRefused(attacker.charger, 'ocpp1.6', `guess-${count}`, 'TRANSACTION_FOREIGN');
    }
    // One that nobody has is its own, from before the gateway was there.
    await passes(attacker, stop('unknown', 9), {});
    await passes(attacker, stop('none', -1), {});
    await attacker.charger.close();
  });

  test('T2-20: where two chargers have the same id, both may end theirs', async () => {
    await using conversation = await startConversation();
    await startTransaction(conversation, 'ocpp1.6');
    const other = await connectAnother(conversation, 'CP-2');
    await startTransaction(other, 'ocpp1.6');
    await passes(other, stop('end', 7), {});
    await passes(conversation, stop('end', 7), {});
    assert.deepEqual(refusals(conversation), []);
    await other.charger.close();
  });
});

describe('asking whose a transaction is', { timeout: 40_000 }, () => {
  test('keeps the order of what comes behind', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    const sent: string[] = [];
    for (let count = 0; count < 20; count += 1) {
      const texts = [
        stop(`stop-${count}`, 100 + count),
        meterValues(`meter-${count}`, 100 + count),
        JSON.stringify([2, `beat-${count}`, 'Heartbeat', {}]),
      ];
      for (const text of texts) charger.send(text);
      sent.push(...texts);
    }
    for (const text of sent) {
      assert.equal(await csms.next(), text);
      const [, id]: readonly unknown[] = JSON.parse(text);
      const isBeat = String(id).startsWith('beat');
      csms.sendMessage(3, id, isBeat ? { currentTime: at } : {});
    }
    for (const text of sent) {
      const [, id]: readonly unknown[] = JSON.parse(text);
      assert.equal((await charger.nextMessage())[1], id);
    }
    assert.deepEqual(refusals(conversation), []);
  });

  test('T2-20: MeterValues right behind an attack pass, and the attack does not', async () => {
    await using conversation = await startConversation();
    await startTransaction(conversation, 'ocpp1.6');
    const attacker = await connectAnother(conversation, 'CP-2');
    attacker.charger.send(stop('attack', 7));
    attacker.charger.send(meterValues('behind', 1));
    assert.equal(await attacker.csms.next(), meterValues('behind', 1));
    await assertRefused(attacker.charger, 'ocpp1.6', 'attack', 'TRANSACTION_FOREIGN');
    attacker.csms.sendMessage(3, 'behind', {});
    assert.deepEqual(await attacker.charger.nextMessage(), [3, 'behind', {}]);
    await attacker.charger.close();
  });

  test('does not hold up what the CSMS sends, nor the answers to it', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    for (let count = 0; count < 10; count += 1) {
      charger.send(stop(`stop-${count}`, 100 + count));
      csms.send(JSON.stringify([2, `clear-${count}`, 'ClearCache', {}]));
      assert.deepEqual(await csms.nextMessage(), JSON.parse(stop(`stop-${count}`, 100 + count)));
      assert.deepEqual(await charger.nextMessage(), [2, `clear-${count}`, 'ClearCache', {}]);
      charger.sendMessage(3, `clear-${count}`, { status: 'Accepted' });
      assert.deepEqual(await csms.nextMessage(), [3, `clear-${count}`, { status: 'Accepted' }]);
      csms.sendMessage(3, `stop-${count}`, {});
      assert.deepEqual(await charger.nextMessage(), [3, `stop-${count}`, {}]);
    }
  });

  test('survives a charger that leaves while the store is asked', async () => {
    await using conversation = await startConversation();
    const { charger, gateway } = conversation;
    for (let count = 0; count < 10; count += 1) charger.send(stop(`stop-${count}`, 100 + count));
    charger.socket.terminate();
    await gateway.event('SessionClosed');
    const again = await connectAnother(conversation, 'CP-1');
    await passes(again, stop('end', 100), {});
    assert(!gateway.events.some(({ name }) => name === 'SessionFailed'));
    await again.charger.close();
  });

  test('what a charger said before it left is passed on, though it had to be looked up', async () => {
    await using conversation = await startConversation({ version: 'ocpp1.6' });
    const { charger, csms, gateway } = conversation;
    const call = stop('last', 4711);
    charger.send(call);
    charger.socket.close();
    assert.equal(await csms.next(), call);
    await gateway.event('SessionClosed', ({ endedBy }) => endedBy === 'charger');
  });
});
