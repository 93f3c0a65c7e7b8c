import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pruneNonces, takeNonce } from '../../src/gateway/signature-nonces.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: a nonce is new once for a charger, whoever asks, and is forgotten when it cannot matter.
// Method: both databases.

const at = (value: string, issuedAtMs = 1_000) => ({ value, issuedAtMs });

describeEachStore('rule 0: nonces of signed commands', (open) => {
  test('are new once for each charger', async () => {
    await using opened = await open();
    const { store } = opened;
    assert.equal(await takeNonce(store, 'cp-1', at('a')), true);
    assert.equal(await takeNonce(store, 'cp-1', at('a')), false);
    assert.equal(await takeNonce(store, 'cp-1', at('a', 2_000)), false);
    assert.equal(await takeNonce(store, 'cp-1', at('A')), true);
    assert.equal(await takeNonce(store, 'cp-2', at('a')), true);
  });

  test('of several who ask at once one gets it', async () => {
    await using opened = await open();
    const { store } = opened;
    const asked = Array.from({ length: 20 }, () => takeNonce(store, 'cp-1', at('a')));
    const verdicts = await Promise.all(asked);
    assert.equal(verdicts.filter((isNew) => isNew).length, 1);
  });

  test('are forgotten when they are too old, and not before', async () => {
    await using opened = await open();
    const { store } = opened;
    for (const issuedAtMs of [1_000, 2_000, 3_000]) {
      await takeNonce(store, 'cp-1', at(`${issuedAtMs}`, issuedAtMs));
    }
    assert.equal(await pruneNonces(store, 2_000), 1);
    assert.equal(await pruneNonces(store, 2_000), 0);
    assert.equal(await takeNonce(store, 'cp-1', at('2000', 2_000)), false);
    assert.equal(await takeNonce(store, 'cp-1', at('1000')), true);
  });
});
