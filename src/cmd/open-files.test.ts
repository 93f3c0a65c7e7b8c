import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionsThatFit, limitIn, openFilesMax } from './open-files.ts';

// Goal: no more chargers are taken than there are files for.
// Method: what Linux says, of this process and of others.

test('the limit is the soft one, as Linux writes it', async () => {
  const text =
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max processes             94966                94966                processes \n' +
    'Max open files            1024                 524288               files     \n';
  assert.equal(limitIn(text), 1024);
  assert.equal(
    limitIn('Max open files            unlimited            unlimited            files'),
    undefined,
  );
  assert.equal(limitIn(''), undefined);
  const own = await openFilesMax();
  assert(own === undefined || own > 0);
});

test('a charger takes two files, and some are for the rest', () => {
  assert.equal(connectionsThatFit(20_000), 9_900);
  assert.equal(connectionsThatFit(100), 1);
});
