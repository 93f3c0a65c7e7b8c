/**
 * Goal: transaction messages arrive once, in order, whatever the connection does.
 * Method: an Outbox whose calls are settled by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../ocpp/message.ts';
import { CallRefused, ConnectionLost } from '../protocol/rpc-errors.ts';
import { Outbox } from './outbox.ts';

interface OpenCall {
  readonly action: string;
  readonly settle: PromiseWithResolvers<JsonObject>;
}

function newOutbox() {
  const calls: OpenCall[] = [];
  const outbox = new Outbox(({ action }) => {
    const settle = Promise.withResolvers<JsonObject>();
    calls.push({ action, settle });
    return settle.promise;
  });
  const deliver = (action: string): void => {
    outbox.deliver({
      build: (offline) => ({ action: offline ? `${action} late` : action, payload: {} }),
    });
  };
  return { outbox, calls, deliver };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const actionsOf = (calls: readonly OpenCall[]): string[] => calls.map(({ action }) => action);

test('messages wait for the connection, and for the one before', async () => {
  const { outbox, calls, deliver } = newOutbox();
  deliver('A');
  deliver('B');
  assert.deepEqual(actionsOf(calls), []);
  outbox.setConnected(true);
  assert.deepEqual(actionsOf(calls), ['A late']);
  calls[0]?.settle.resolve({});
  await settled();
  assert.deepEqual(actionsOf(calls), ['A late', 'B late']);
  calls[1]?.settle.resolve({});
  await outbox.idle();
});

test('a message whose connection was lost is sent again; one that was refused is not', async () => {
  const { outbox, calls, deliver } = newOutbox();
  outbox.setConnected(true);
  deliver('A');
  deliver('B');
  calls[0]?.settle.reject(new ConnectionLost('gone'));
  await settled();
  assert.deepEqual(actionsOf(calls), ['A']);
  outbox.setConnected(true);
  calls[1]?.settle.reject(new CallRefused('InternalError'));
  await settled();
  assert.deepEqual(actionsOf(calls), ['A', 'A late', 'B']);
});

test('the late end of an old connection does not stop the new one', async () => {
  const { outbox, calls, deliver } = newOutbox();
  outbox.setConnected(true);
  deliver('A');
  outbox.setConnected(false);
  outbox.setConnected(true);
  calls[0]?.settle.reject(new ConnectionLost('gone'));
  await settled();
  assert.deepEqual(actionsOf(calls), ['A', 'A late']);
});
