import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { notJson } from '../../test/support/refused-frame.ts';
import { openSqliteTestStore } from '../../test/support/stores.ts';
import { type EventName, events, type GatewayEvent } from '../events/catalogue.ts';
import { AuditLog } from './audit-log.ts';
import { auditSink } from './audit-sink.ts';

// Goal: the audit log has every event that the catalogue says is audited, and a flood of one kind
// costs a bounded number of records that say how many are missing.
// Method: events into the sink, and the records that come out of a real store.

async function recordsOf(
  cause: (sink: (event: GatewayEvent) => void, advance: (ms: number) => void) => void,
) {
  await using test = await openSqliteTestStore();
  const log = new AuditLog(test.store, { chain: 'gw-1' }, test.clock, () => {});
  cause(auditSink(log, test.clock), (ms) => test.clock.advance(ms));
  await log.close();
  const rows = await test.store.query((db) =>
    db.selectFrom('audit_record').selectAll().orderBy('sequence').execute(),
  );
  return rows.map(({ event, charger, document }) => ({
    event,
    charger,
    ...(JSON.parse(document) as Readonly<Record<string, unknown>>),
  }));
}

const refused = (charger: string): GatewayEvent => ({
  name: 'FrameRefused',
  ...notJson(charger),
});
const recorded = (charger: string, frame = '[2,"1","Heartbeat",{}]'): GatewayEvent => ({
  name: 'FrameRecorded',
  charger,
  from: 'charger',
  version: 'ocpp1.6',
  frame,
});

describe('the audit sink', () => {
  test('records an event with its charger and its fields', async () => {
    assert.deepEqual(await recordsOf((sink) => sink(refused('CP-1'))), [
      {
        event: 'FrameRefused',
        charger: 'CP-1',
        from: 'charger',
        version: 'ocpp1.6',
        rule: 'format',
        code: 'FORMAT_JSON',
        severity: 'hard',
        detail: 'syntax',
        penalty: 'drop',
      },
    ]);
    const stopping = await recordsOf((sink) => sink({ name: 'GatewayStopping', sessions: 3 }));
    assert.deepEqual(stopping, [{ event: 'GatewayStopping', charger: null, sessions: 3 }]);
  });

  test('every event that is audited is recorded, but for those that were with their deed', async () => {
    const names = Object.keys(events) as EventName[];
    const appendedBefore = ['AuditGap', 'AuditPruned', 'QuarantinedFrameReleased'];
    const records = await recordsOf((sink) => {
      // Whatever the other fields are: only name, charger and who acted decide.
      for (const name of names) {
        sink({ name, charger: 'CP-1', frame: '[]' } as unknown as GatewayEvent);
      }
    });
    assert.deepEqual(
      records.map(({ event }) => event),
      names.filter((name) => events[name].isAudited && !appendedBefore.includes(name)),
    );
  });

  test('an error is its name and message, bounded and without secrets; nothing else of it', async () => {
    class Odd extends Error {
      override readonly name = 'Odd';
      readonly frame = 'hunter2hunter2';
    }
    const [ordinary, secret, long, text, object] = await recordsOf((sink) => {
      for (const error of [
        new Odd('socket gone', { cause: 'hunter2hunter2' }),
        new Error('{"password":"hunter2hunter2"}'),
        new Error('x'.repeat(5000)),
        'just a text',
        { hunter2hunter2: 1 },
      ]) {
        sink({ name: 'SessionFailed', charger: 'CP-1', error });
      }
    });
    assert.deepEqual(ordinary, {
      event: 'SessionFailed',
      charger: 'CP-1',
      error: { name: 'Odd', message: 'socket gone' },
    });
    assert.doesNotMatch(JSON.stringify([ordinary, secret, object]), /hunter2/);
    assert.equal(JSON.stringify(long).length < 1_200, true);
    assert.match(JSON.stringify(text), /just a text/);
  });

  test('T2-10: a recorded message has no secrets, even if whoever emits it forgot', async () => {
    const frame =
      '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hunter2hunter2"}]';
    const records = await recordsOf((sink) => sink(recorded('CP-1', frame)));
    assert.match(JSON.stringify(records), /AuthorizationKey/);
    assert.doesNotMatch(JSON.stringify(records), /hunter2/);
  });
});

describe('a flood', () => {
  test('of one charger is counted, and the others lose nothing by it', async () => {
    const records = await recordsOf((sink, advance) => {
      for (let n = 0; n < 10_000; n += 1) sink(refused('CP-LOUD'));
      sink(refused('CP-QUIET'));
      advance(1_000);
      sink(refused('CP-LOUD'));
    });
    assert.equal(records.filter(({ charger }) => charger === 'CP-LOUD').length, 201);
    assert.equal(records.filter(({ charger }) => charger === 'CP-QUIET').length, 1);
    assert.deepEqual(
      records.filter(({ event }) => event === 'EventsSuppressed'),
      [{ event: 'EventsSuppressed', charger: null, suppressed: 'FrameRefused', count: 9_800 }],
    );
  });

  test('of recorded messages is counted by charger, in any spelling', async () => {
    const records = await recordsOf((sink, advance) => {
      for (let n = 0; n < 1_000; n += 1) sink(recorded(n % 2 === 0 ? 'CP-1' : 'cp-1'));
      for (let n = 0; n < 10; n += 1) sink(recorded('CP-2'));
      advance(1_000);
      for (let n = 0; n < 100; n += 1) sink(recorded('CP-1'));
    });
    const of = (name: string) =>
      records.filter((it) => it.charger?.toUpperCase() === name && it.event === 'FrameRecorded');
    assert.equal(of('CP-1').length, 620);
    assert.equal(of('CP-2').length, 10);
    const counts = records.filter(({ event }) => event === 'EventsSuppressed');
    assert.deepEqual(
      counts.map((record) => 'count' in record && record['count']),
      [400],
    );
  });

  test('of recorded messages uses up nothing of what refusals may have', async () => {
    const records = await recordsOf((sink) => {
      for (let n = 0; n < 5_000; n += 1) sink(recorded('CP-1'));
      sink(refused('CP-1'));
    });
    assert.equal(records.at(-1)?.event, 'FrameRefused');
  });

  test('leaves out nothing that an operator did', async () => {
    const records = await recordsOf((sink) => {
      for (let n = 0; n < 1_000; n += 1) {
        sink({ name: 'ChargerRemoved', charger: 'CP-1', by: 'root' });
      }
    });
    assert.equal(records.length, 1_000);
  });
});
