import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { makeAuthority } from '../../test/support/certificates.ts';
import { ChainMemory } from './chain-memory.ts';

// Goal: a charger that resumes its session has its issuers, and strangers cannot push them out.
// Method: real certificates for those that matter; a crowd that differs in its fingerprints alone.

const root = await makeAuthority({ commonName: 'Root' });
const maker = new X509Certificate((await root.intermediate()).certificatePem);
const charger = new X509Certificate((await root.issue({ commonName: 'CP-1' })).certificatePem);

/** As many certificates as one likes. */
function stranger(number: number): X509Certificate {
  return { fingerprint256: `stranger ${number}` } as X509Certificate;
}

describe('chain memory', () => {
  test('has what came last with a certificate, and nothing of one that it does not know', () => {
    const memory = new ChainMemory();
    assert.deepEqual(memory.recall(charger), []);
    memory.note(charger, [maker]);
    assert.deepEqual(memory.recall(charger), [maker]);
    memory.note(charger, []);
    assert.deepEqual(memory.recall(charger), []);
  });

  test('T2-27: a crowd of strangers pushes out strangers, and no charger that was let in', () => {
    const memory = new ChainMemory();
    memory.note(charger, [maker]);
    memory.prove(charger);
    for (let number = 0; number < 5_000; number += 1) memory.note(stranger(number), [maker]);
    assert.deepEqual(memory.recall(charger), [maker]);
    assert.deepEqual(memory.recall(stranger(0)), []);
    assert.deepEqual(memory.recall(stranger(3_999)), []);
    assert.deepEqual(memory.recall(stranger(4_000)), [maker]);
  });

  test('those that were let in are bounded as well; whoever comes again is young again', () => {
    const memory = new ChainMemory();
    const letIn = (certificate: X509Certificate): void => {
      memory.note(certificate, [maker]);
      memory.prove(certificate);
    };
    letIn(charger);
    for (let number = 0; number < 19_999; number += 1) letIn(stranger(number));
    memory.prove(charger);
    letIn(stranger(20_000));
    assert.deepEqual(memory.recall(charger), [maker]);
    assert.deepEqual(memory.recall(stranger(0)), []);
    assert.deepEqual(memory.recall(stranger(1)), [maker]);
  });

  test('a certificate that many share is kept once', () => {
    const memory = new ChainMemory();
    const same = new X509Certificate(maker.raw);
    memory.note(charger, [maker]);
    memory.note(stranger(1), [same]);
    assert.equal(memory.recall(stranger(1))[0], maker);
  });

  test('is empty when it was cleared', () => {
    const memory = new ChainMemory();
    memory.note(charger, [maker]);
    memory.prove(charger);
    memory.note(stranger(1), [maker]);
    memory.clear();
    assert.deepEqual([memory.recall(charger), memory.recall(stranger(1))], [[], []]);
  });
});
