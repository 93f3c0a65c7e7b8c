import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admittedCall } from '../../test/support/conversation.ts';
import { CallLane, type CallLaneLimits } from './call-lane.ts';

// Goal: one open call per direction, in order of arrival, and a sure answer to "what does this
// message belong to?".
// Method: lanes with small limits and a time that the test counts itself.

const limits: CallLaneLimits = {
  callsMax: 3,
  bytesMax: 1000,
  inFlightMs: 30_000,
  waitMs: undefined,
  recentMax: 4,
  recentMs: 120_000,
};

const call = (id: string, action = 'Heartbeat', payload: object = {}) =>
  admittedCall(2, id, action, payload);
const bytes = (id: string, action = 'Heartbeat', payload: object = {}) =>
  Buffer.from(JSON.stringify([2, id, action, payload]));

/** A lane in which `ids` were offered at 0. */
function laneWith(ids: readonly string[], changes: Partial<CallLaneLimits> = {}): CallLane {
  const lane = new CallLane({ ...limits, ...changes });
  for (const id of ids) lane.offer(call(id), 0);
  return lane;
}

describe('the queue (PNNL-35706 section 4.0)', () => {
  test('calls go in order of arrival, one at a time', () => {
    const lane = laneWith(['a', 'b', 'c']);
    assert.equal(lane.next(0)?.call.id, 'a');
    assert.equal(lane.next(0), undefined, 'while one is open');
    lane.settle('a', true, 1);
    assert.equal(lane.next(1)?.call.id, 'b');
    lane.settle('b', false, 2);
    assert.equal(lane.next(2)?.call.id, 'c');
    lane.settle('c', true, 3);
    assert.equal(lane.next(3), undefined);
    assert.deepEqual([lane.hasOpenCall, lane.waitingCount], [false, 0]);
  });

  test('a waiting call keeps neither its payload nor the read that it was part of', () => {
    const lane = new CallLane(limits);
    lane.offer(call('open'), 0);
    lane.next(0);
    const offered = call('a', 'Heartbeat', { b: 1 });
    lane.offer(offered, 0);
    lane.settle('open', true, 1);
    const kept = lane.next(1)?.call;
    assert.deepEqual(Object.keys(kept ?? {}).sort(), ['action', 'bytes', 'id', 'instead']);
    assert.equal(kept?.bytes.buffer.byteLength, offered.bytes.byteLength);
  });

  test('what is sent are the bytes that came', () => {
    const lane = new CallLane(limits);
    const offered = call('a', 'Heartbeat', { b: 1 });
    lane.offer(offered, 5);
    const next = lane.next(9);
    assert.deepEqual(Buffer.from(next?.call.bytes ?? []), Buffer.from(offered.bytes));
    assert.equal(next?.arrivedAtMs, 5);
  });

  test('the bytes that wait are bounded too, whether calls leave by being sent or by expiring', () => {
    const small = call('a');
    const bytesMax = 2 * small.bytes.byteLength;
    const lane = new CallLane({ ...limits, bytesMax, waitMs: 100 });
    assert.equal(lane.offer(small, 0), true);
    assert.equal(lane.offer(call('b'), 0), true);
    assert.equal(lane.offer(call('c'), 0), false);
    lane.next(0);
    assert.equal(lane.offer(call('c'), 50), true);
    assert.equal(lane.offer(call('d'), 50), false);
    assert.deepEqual(
      lane.expire(100).map(({ id }) => id),
      ['b'],
    );
    assert.equal(lane.offer(call('d'), 100), true);
  });

  test('a full lane takes nothing more, and room comes back with the next call sent', () => {
    const lane = laneWith(['a', 'b', 'c']);
    assert.equal(lane.offer(call('d'), 0), false);
    assert.deepEqual(lane.correlateCall('d', bytes('d'), 0), { is: 'new' }, 'not remembered');
    lane.next(0);
    assert.equal(lane.offer(call('d'), 0), true);
    assert.equal(lane.waitingCount, 3);
  });

  test('R9: two lanes know nothing of each other, so neither blocks the other', () => {
    const [up, down] = [laneWith(['x']), laneWith(['x'])];
    assert.equal(up.next(0)?.call.id, 'x');
    assert.equal(down.next(0)?.call.id, 'x');
    up.settle('x', true, 1);
    assert.equal(down.hasOpenCall, true);
  });
});

describe('what a reply belongs to (PNNL-35706 Table 1 row 3)', () => {
  test('an open call is answered, with its action', () => {
    const lane = new CallLane(limits);
    lane.offer(call('a', 'Reset', { type: 'Soft' }), 0);
    lane.next(0);
    assert.deepEqual(lane.correlateReply('a', 1), { is: 'answer', action: 'Reset' });
  });

  test('a call that still waits was never sent: a reply to it is unsolicited', () => {
    const lane = laneWith(['a', 'b']);
    lane.next(0);
    assert.deepEqual(lane.correlateReply('b', 0), { is: 'unsolicited' });
    assert.deepEqual(laneWith(['a']).correlateReply('a', 0), { is: 'unsolicited' });
  });

  test('a second reply is late, until it is forgotten', () => {
    const lane = laneWith(['a']);
    lane.next(0);
    lane.settle('a', true, 10);
    assert.deepEqual(lane.correlateReply('a', 10 + 119_999), { is: 'late' });
    assert.deepEqual(lane.correlateReply('a', 10 + 120_000), { is: 'unsolicited' });
  });

  test('names of object properties are ids like any other', () => {
    const lane = laneWith(['__proto__']);
    assert.deepEqual(lane.correlateReply('constructor', 0), { is: 'unsolicited' });
    lane.next(0);
    assert.equal(lane.correlateReply('__proto__', 0).is, 'answer');
    lane.settle('__proto__', true, 0);
    assert.equal(lane.correlateReply('__proto__', 0).is, 'late');
  });

  test('settling anything but the open call changes nothing', () => {
    const lane = laneWith(['a', 'b']);
    lane.next(0);
    lane.settle('b', true, 0);
    lane.settle('nothing', true, 0);
    assert.equal(lane.correlateReply('a', 0).is, 'answer');
    assert.equal(lane.correlateReply('b', 0).is, 'unsolicited');
    assert.equal(lane.waitingCount, 1);
  });

  test('a CALLRESULTERROR belongs to a call whose result was passed on (OCPP 2.1)', () => {
    const lane = new CallLane(limits);
    lane.offer(call('ok', 'Reset'), 0);
    lane.offer(call('failed', 'Reset'), 0);
    lane.next(0);
    assert.equal(lane.correlateResultError('ok', 0).is, 'unsolicited', 'no result yet');
    lane.settle('ok', true, 0);
    lane.next(0);
    lane.settle('failed', false, 0);
    assert.deepEqual(lane.correlateResultError('ok', 0), { is: 'answer', action: 'Reset' });
    assert.equal(lane.correlateResultError('failed', 0).is, 'unsolicited');
    assert.equal(lane.correlateResultError('other', 0).is, 'unsolicited');
    assert.equal(lane.correlateResultError('ok', 120_000).is, 'unsolicited');
  });
});

describe('R2: a call that comes again', () => {
  test('same id and bytes is a retry, while it waits, while it is open, and after', () => {
    const lane = laneWith(['a']);
    assert.deepEqual(lane.correlateCall('a', bytes('a'), 0), { is: 'retry', open: true });
    lane.next(0);
    assert.deepEqual(lane.correlateCall('a', bytes('a'), 0), { is: 'retry', open: true });
    lane.settle('a', true, 0);
    assert.deepEqual(lane.correlateCall('a', bytes('a'), 1), { is: 'retry', open: false });
    assert.deepEqual(lane.correlateCall('a', bytes('a'), 120_000), { is: 'new' });
  });

  test('same id and other bytes is a conflict, if only by a blank', () => {
    const lane = laneWith(['a']);
    const other = Buffer.from('[2,"a","Heartbeat", {}]');
    assert.deepEqual(lane.correlateCall('a', other, 0), {
      is: 'conflict',
      open: true,
      isUnanswered: true,
    });
    lane.next(0);
    assert.deepEqual(lane.correlateCall('a', other, 0), {
      is: 'conflict',
      open: true,
      isUnanswered: true,
    });
    lane.settle('a', true, 0);
    assert.deepEqual(lane.correlateCall('a', other, 1), {
      is: 'conflict',
      open: false,
      isUnanswered: false,
    });
  });

  test('a lane says which ids are still to be answered', () => {
    const lane = laneWith(['a', 'b']);
    lane.next(0);
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => lane.holds(id)),
      [true, true, false],
    );
    lane.settle('a', true, 0);
    assert.equal(lane.holds('a'), false);
  });

  test('a retry that is answered again is remembered again', () => {
    const lane = laneWith(['a']);
    for (const nowMs of [0, 100_000]) {
      if (nowMs > 0) lane.offer(call('a'), nowMs);
      lane.next(nowMs);
      lane.settle('a', true, nowMs);
    }
    assert.equal(lane.correlateReply('a', 200_000).is, 'late');
  });
});

describe('limits of the queue', () => {
  test('answered calls are remembered up to a number, the oldest forgotten first', () => {
    const ids = ['1', '2', '3', '4', '5', '6', '7'];
    const lane = new CallLane(limits);
    const rememberedAfter = (id: string): number => {
      lane.offer(call(id), 0);
      lane.next(0);
      lane.settle(id, true, 0);
      const seen = ids.map((other) => lane.correlateReply(other, 1).is);
      assert.deepEqual(
        seen.slice(0, Number(id)).lastIndexOf('unsolicited'),
        seen.indexOf('late') - 1,
      );
      return seen.filter((is) => is === 'late').length;
    };
    assert.deepEqual(ids.map(rememberedAfter), [1, 2, 3, 4, 4, 4, 4]);
  });

  test('answered calls are remembered for their time, whatever comes after them', () => {
    const lane = new CallLane({ ...limits, recentMax: 100 });
    const answer = (id: string, atMs: number): void => {
      lane.offer(call(id), atMs);
      lane.next(atMs);
      lane.settle(id, true, atMs);
    };
    const { recentMs } = limits;
    answer('1', 0);
    answer('2', recentMs - 1);
    answer('3', recentMs);
    const seen = (atMs: number) => ['1', '2', '3'].map((id) => lane.correlateReply(id, atMs).is);
    assert.deepEqual(seen(recentMs), ['unsolicited', 'late', 'late']);
    answer('4', 2 * recentMs - 2);
    assert.deepEqual(seen(2 * recentMs - 2), ['unsolicited', 'late', 'late']);
    assert.deepEqual(seen(2 * recentMs - 1), ['unsolicited', 'unsolicited', 'late']);
  });

  test('an open call expires at its time and not before; its reply is late then', () => {
    const lane = laneWith(['a', 'b']);
    lane.next(100);
    assert.equal(lane.nextExpiryMs(), 30_100);
    assert.deepEqual(lane.expire(30_099), []);
    assert.deepEqual(
      lane.expire(30_100).map(({ id }) => id),
      ['a'],
    );
    assert.equal(lane.correlateReply('a', 30_100).is, 'late');
    assert.equal(lane.correlateResultError('a', 30_100).is, 'unsolicited');
    assert.equal(lane.next(30_100)?.call.id, 'b');
  });

  test('without a limit of waiting, a waiting call never expires', () => {
    const lane = laneWith(['a']);
    assert.equal(lane.nextExpiryMs(), Infinity);
    assert.deepEqual(lane.expire(Number.MAX_SAFE_INTEGER), []);
    assert.equal(lane.waitingCount, 1);
  });

  test('with one, all that waited too long expire together, and a reply is unsolicited', () => {
    const lane = new CallLane({ ...limits, waitMs: 10_000 });
    lane.offer(call('a'), 0);
    lane.offer(call('b'), 0);
    lane.offer(call('c'), 5_000);
    assert.equal(lane.nextExpiryMs(), 10_000);
    assert.deepEqual(lane.expire(9_999), []);
    assert.deepEqual(
      lane.expire(10_000).map(({ id }) => id),
      ['a', 'b'],
    );
    assert.equal(lane.correlateReply('a', 10_000).is, 'unsolicited');
    assert.deepEqual(lane.correlateCall('a', bytes('a'), 10_000), { is: 'new' });
    assert.equal(lane.nextExpiryMs(), 15_000);
  });

  test('the next expiry is the sooner of the open and the first waiting call', () => {
    const lane = new CallLane({ ...limits, waitMs: 40_000 });
    lane.offer(call('a'), 0);
    lane.offer(call('b'), 0);
    lane.next(0);
    assert.equal(lane.nextExpiryMs(), 30_000);
    const patient = new CallLane({ ...limits, waitMs: 10_000 });
    patient.offer(call('a'), 0);
    patient.offer(call('b'), 0);
    patient.next(0);
    assert.equal(patient.nextExpiryMs(), 10_000);
    assert.deepEqual(
      patient.expire(30_000).map(({ id }) => id),
      ['a', 'b'],
    );
  });
});

describe('a call that was given up', () => {
  test('keeps its id from other calls: its late answer would be taken for theirs', () => {
    const lane = laneWith(['a'], { inFlightMs: 100 });
    lane.next(0);
    lane.expire(100);
    const other = bytes('a', 'Authorize');
    assert.deepEqual(lane.correlateCall('a', other, 101), {
      is: 'conflict',
      open: false,
      isUnanswered: true,
    });
    assert.deepEqual(lane.correlateCall('a', bytes('a'), 101), { is: 'retry', open: false });
  });

  test('a vital call waits beyond the number of calls, but not beyond the bytes', () => {
    const small = call('a');
    const lane = new CallLane({
      ...limits,
      callsMax: 1,
      bytesMax: 3 * small.bytes.byteLength,
    });
    assert.equal(lane.offer(small, 0), true);
    assert.equal(lane.offer(call('b'), 0), false);
    assert.equal(lane.offer(call('b'), 0, true), true);
    assert.equal(lane.offer(call('c'), 0, true), true);
    assert.equal(lane.offer(call('d'), 0, true), false);
  });

  test('a result is complained about once', () => {
    const lane = laneWith(['a']);
    lane.next(0);
    lane.settle('a', true, 1);
    assert.equal(lane.correlateResultError('a', 2).is, 'answer');
    assert.equal(lane.correlateResultError('a', 3).is, 'unsolicited');
  });
});
