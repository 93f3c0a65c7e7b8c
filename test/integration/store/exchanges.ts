import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallErrorCode } from '../../../src/errors/catalogue.ts';
import type { OcppVersion } from '../../../src/ocpp/version.ts';
import { connectCharger } from '../../support/text-peer.ts';
import type { Refusal, Through } from '../connection/talk.ts';
import { assertRefused } from '../conversation/live-conversation.ts';

let calls = 0;

function nextId(): string {
  calls += 1;
  return `exchange-${calls}`;
}

/** The charger calls, the CSMS answers, and both see what the other one sent. */
export async function exchange(
  { charger, upstream }: Through,
  action: string,
  payload: object,
  answer: object = {},
): Promise<void> {
  const id = nextId();
  charger.sendMessage(2, id, action, payload);
  assert.deepEqual(await upstream.nextMessage(), [2, id, action, payload]);
  upstream.sendMessage(3, id, answer);
  assert.deepEqual(await charger.nextMessage(), [3, id, answer]);
}

/** The charger calls, and the gateway refuses. @returns the id of the call. */
export async function refused(
  { charger }: Through,
  [action, payload]: readonly [string, object],
  code: CallErrorCode,
  version: OcppVersion = 'ocpp1.6',
): Promise<string> {
  const id = nextId();
  charger.sendMessage(2, id, action, payload);
  await assertRefused(charger, version, id, code);
  return id;
}

/** The CSMS of OCPP 1.6 gives the charger a transaction with this id. */
export async function startTransaction(through: Through, transactionId: number): Promise<void> {
  const timestamp = '2026-01-01T00:00:00Z';
  const payload = { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp };
  const answer = { transactionId, idTagInfo: { status: 'Accepted' } };
  await exchange(through, 'StartTransaction', payload, answer);
}

/** The call that ends it. */
export function stopOf(transactionId: number): readonly [string, object] {
  return [
    'StopTransaction',
    { transactionId, meterStop: 1, timestamp: '2026-01-01T01:00:00Z' },
  ] as const;
}

/** Long enough for a slow machine, in milliseconds. */
const untilMaxMs = 60_000;

/** Asks again and again until the answer is yes. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = performance.now() + untilMaxMs;
  while (!(await isSo())) {
    assert.ok(performance.now() < endMs, `in a minute it has not come true that ${isSo}`);
    await delay(20);
  }
}

/** One attempt to connect: the charger, or how it was refused. */
export async function attempt(
  url: string,
): Promise<
  | { readonly charger: Through['charger']; readonly refusal?: never }
  | { readonly refusal: Refusal; readonly charger?: never }
> {
  try {
    return { charger: await connectCharger(url) };
  } catch (error) {
    return { refusal: error as Refusal };
  }
}
