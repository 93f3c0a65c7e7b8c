import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfig } from '../load.ts';

// Goal: a configuration that looks safe is safe.
// Method: sections of `csms.signing`, and the mistakes that they have.

const base =
  'listeners: [{ name: a, address: "127.0.0.1:0", securityProfile: 0, allowUnauthenticated: true }]\n';

function mistakes(signing: string): readonly string[] {
  const config = parseConfig(`${base}csms: { url: "ws://127.0.0.1:1/", signing: ${signing} }\n`);
  return config.ok ? [] : config.error.map(({ path }) => path);
}

describe('csms.signing', () => {
  test('everything is demanded by default, and EdDSA is not allowed', () => {
    const config = parseConfig(`${base}csms: { url: "ws://127.0.0.1:1/" }\n`);
    assert.ok(config.ok);
    const { algorithms, demand, required } = config.value.csms.signing;
    assert.equal(required, false);
    assert.deepEqual(demand, { messageId: true, charger: true, time: true, nonce: true });
    assert.deepEqual(algorithms, ['ES256', 'RS256', 'RS384']);
  });

  test('signatures cannot be required without a key', () => {
    assert.deepEqual(mistakes('{ required: true }'), ['csms.signing.required']);
    assert.deepEqual(mistakes('{ required: true, keysFile: k }'), []);
    assert.deepEqual(mistakes('{ required: true, certificateFiles: [c] }'), []);
  });

  test('nonces cannot be demanded without times', () => {
    assert.deepEqual(mistakes('{ demand: { time: false } }'), ['csms.signing.demand.time']);
    assert.deepEqual(mistakes('{ demand: { time: false, nonce: false } }'), []);
  });

  test('an algorithm with which whoever verifies can sign does not exist', () => {
    for (const name of ['HS256', 'none', 'PS256', 'es256']) {
      assert.deepEqual(mistakes(`{ algorithms: [${name}] }`), ['csms.signing.algorithms[0]']);
    }
    assert.deepEqual(mistakes('{ algorithms: [] }'), ['csms.signing.algorithms']);
  });
});
