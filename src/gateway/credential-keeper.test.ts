import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openFallibleStore } from '../../test/support/fallible-store.ts';
import { noCredential as shownNothing } from '../../test/support/session-credential.ts';
import { type ChargerCredential, noCredential } from '../chargers/charger-credential.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import { findCredential, stagePassword } from '../chargers/credentials.ts';
import type { GatewayEvent } from '../events/catalogue.ts';
import { StoreError } from '../store/store-error.ts';
import { CredentialKeeper } from './credential-keeper.ts';
import type { OwnReply } from './own-calls.ts';
import type { SessionCredential } from './session-credential.ts';

// Goal: a session gives its charger a new password when it should, once, and ends when its
// credential is taken away; whatever the charger answers, it can come back.
// Method: a keeper over a real store, with a charger that answers as the test says.

const charger = 'CP-1' as ChargerId;
const dayMs = 86_400_000;
const accepted: OwnReply = { is: 'result', payload: { status: 'Accepted' } };

async function setUp(credential: Partial<SessionCredential> = {}, rotateDays = 0) {
  const fallible = await openFallibleStore();
  const { clock, store } = fallible;
  const calls: string[] = [];
  const ends: string[] = [];
  const events: GatewayEvent[] = [];
  const replies: PromiseWithResolvers<OwnReply>[] = [];
  let onOutcome = (): void => {};
  const keeper = new CredentialKeeper(
    {
      charger,
      version: 'ocpp1.6',
      credential: shownNothing({ securityProfile: 2, by: 'password', ...credential }),
    },
    {
      clock,
      store,
      rotateDays,
      emit: (event) => {
        events.push(event);
        onOutcome();
      },
      call: (action) => {
        calls.push(action);
        const reply = Promise.withResolvers<OwnReply>();
        replies.push(reply);
        onOutcome();
        return reply.promise;
      },
      end: (code) => {
        ends.push(code);
      },
      fail: (error) => {
        throw error;
      },
    },
  );
  /** Resolves when `holds` does. */
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (holds()) resolve();
      };
      onOutcome = look;
      look();
    });
  const has = (name: GatewayEvent['name']) => () => events.some((event) => event.name === name);
  return {
    fallible,
    clock,
    store,
    keeper,
    calls,
    ends,
    events,
    replies,
    until,
    has,
    known: () => store.query((db) => findCredential(db, charger)),
    [Symbol.asyncDispose]: () => fallible[Symbol.asyncDispose](),
  };
}

const asked = (rotationRequestedAtMs: number): ChargerCredential => ({
  ...noCredential,
  rotationRequestedAtMs,
});

describe('a credential during a session', () => {
  test('a password that is as old as it may be is replaced, and a younger one is not', async () => {
    await using it = await setUp({ passwordSetAtMs: 1_000 }, 30);
    const { calls, clock, keeper, replies, until } = it;
    clock.advance(30 * dayMs - clock.nowMs() + 999);
    assert.equal(keeper.review(true), false);
    clock.advance(1);
    assert.equal(keeper.review(false), false, 'too many others are under way');
    assert.equal(keeper.review(true), true);
    assert.equal(keeper.review(true), false, 'one at a time');
    await until(() => calls.length === 1);
    replies[0]?.resolve(accepted);
    await until(it.has('PasswordChangeAccepted'));
    assert.deepEqual(calls, ['ChangeConfiguration']);
  });

  test('without a timetable, without TLS or without a stored password none is too old', async () => {
    for (const [credential, rotateDays] of [
      [{ passwordSetAtMs: 0 }, 0],
      [{ passwordSetAtMs: 0, securityProfile: 1 }, 1],
      [{ passwordSetAtMs: undefined }, 1],
    ] as const) {
      await using it = await setUp(credential, rotateDays);
      it.clock.advance(1000 * dayMs);
      assert.equal(it.keeper.review(true), false);
    }
  });

  test('a certificate that is not good any more ends the session', async () => {
    let isGood = true;
    await using it = await setUp({ by: 'certificate', isStillTrusted: () => isGood });
    it.keeper.review(true);
    assert.deepEqual(it.ends, []);
    isGood = false;
    it.keeper.review(true);
    assert.deepEqual(it.ends, ['CREDENTIAL_REVOKED']);
  });

  test('a password that is taken away ends the session; one that is only followed does not', async () => {
    const password = { hash: 'h', origin: 'operator', setAtMs: 1, form: undefined } as const;
    await using it = await setUp({ passwordHash: 'h' });
    it.keeper.apply({ ...noCredential, password });
    const next = { hash: 'n', origin: 'provisioned', state: 'sent', sinceMs: 1 } as const;
    it.keeper.apply({ ...noCredential, password, next });
    it.keeper.apply({
      ...noCredential,
      password: { ...password, hash: 'n' },
      next: { ...next, hash: 'h' },
    });
    assert.deepEqual(it.ends, []);
    it.keeper.apply({ ...noCredential, password: { ...password, hash: 'other' } });
    assert.deepEqual(it.ends, ['CREDENTIAL_REVOKED']);
  });

  test('one request is done once; the next one again, and the timetable waits', async () => {
    await using it = await setUp({ passwordSetAtMs: 0 }, 1);
    const { calls, keeper, replies, until } = it;
    keeper.apply(asked(5));
    keeper.apply(asked(5));
    await until(() => calls.length === 1);
    replies[0]?.resolve({ is: 'error', errorCode: 'NotSupported' });
    await until(it.has('PasswordChangeFailed'));
    keeper.apply(asked(5));
    keeper.apply(asked(6));
    await until(() => calls.length === 2);
    replies[1]?.resolve({ is: 'error', errorCode: 'InternalError' });
    while ((await it.known()).rotationOutcome?.outcome !== 'rejected') await it.known();
    assert.equal(keeper.review(true), false);
  });

  test('a charger that may have a new password gets no other one in this session', async () => {
    await using it = await setUp();
    const { calls, keeper, replies, until } = it;
    keeper.apply(asked(5));
    await until(() => calls.length === 1);
    replies[0]?.resolve({ is: 'unanswered' });
    await until(it.has('PasswordChangeFailed'));
    keeper.apply(asked(6));
    await it.known();
    assert.equal(calls.length, 1);
    assert.equal((await it.known()).next?.state, 'sent');
  });

  test('nothing is sent that could not be noted before', async () => {
    await using it = await setUp();
    it.fallible.failure = new StoreError('unavailable', 'away');
    it.keeper.apply(asked(5));
    await it.until(it.has('PasswordChangeFailed'));
    assert.deepEqual(it.calls, []);
  });

  test('a rejected password leaves the one that was sent before it', async () => {
    await using it = await setUp();
    const { calls, keeper, replies, store, until } = it;
    const before = { hash: 'earlier', origin: 'provisioned' } as const;
    await store.transact((db) => stagePassword(db, charger, before, 'any', 3));
    keeper.apply(asked(5));
    await until(() => calls.length === 1);
    assert.notEqual((await it.known()).next?.hash, 'earlier');
    replies[0]?.resolve({ is: 'result', payload: { status: 'Rejected' } });
    await until(it.has('PasswordChangeFailed'));
    // The outcome is noted after it was told.
    while ((await it.known()).next?.hash !== 'earlier') await it.known();
  });

  test('a charger with a default password is helped if it does not boot, and to leave', async () => {
    await using it = await setUp({ by: 'default password', restriction: 'default-password' });
    const { calls, clock, ends, keeper, replies, until } = it;
    keeper.start();
    assert.deepEqual(calls, []);
    clock.advance(30_000);
    await until(() => calls.length === 1);
    keeper.commission();
    assert.equal(calls.length, 1);
    replies[0]?.resolve(accepted);
    await until(it.has('PasswordChangeAccepted'));
    while ((await it.known()).next?.state !== 'accepted') await it.known();
    clock.advance(4_999);
    assert.deepEqual(ends, []);
    clock.advance(1);
    assert.deepEqual(ends, ['CREDENTIAL_CHANGED']);
  });
});
