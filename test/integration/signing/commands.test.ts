import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { readKeySet } from '../../../src/signing/key-set.ts';
import { readSigningKey } from '../../../src/signing/signing-key.ts';
import { runGatewatt } from '../../support/command-line.ts';
import { configFor } from '../../support/serve-process.ts';

// Goal: what `gatewatt pki signing-key` makes is what `gatewatt sign` and the gateway take, and
// nobody else can read the key.
// Method: the real commands, with files in a folder of their own.

const command = fileURLToPath(new URL('../../../bin/gatewatt', import.meta.url));

describe('gatewatt pki signing-key', () => {
  for (const algorithm of ['ES256', 'RS256', 'RS384', 'EdDSA'] as const) {
    test(`${algorithm}: key, set and certificate belong together`, async () => {
      await using folder = await newFolder();
      const out = folder.at('keys');
      const made = await runGatewatt(
        'pki',
        'signing-key',
        '--algorithm',
        algorithm,
        '--out',
        out,
        '--certificate',
        '--days',
        '10',
        '--name',
        'depot signer',
      );
      assert.equal(made.code, 0, made.stderr);
      const [keyPem, jwks, certificatePem] = await Promise.all(
        ['signing-key.pem', 'jwks.json', 'certificate.pem'].map((file) =>
          readFile(path.join(out, file), 'utf8'),
        ),
      );
      assert.match(keyPem ?? '', /^-----BEGIN PRIVATE KEY-----/);
      const certificate = new X509Certificate(certificatePem ?? '');
      assert.equal(certificate.subject, 'CN=depot signer');
      assert.equal(certificate.ca, false);
      assert.ok(certificate.verify(certificate.publicKey));

      const signer = readSigningKey({ keyPem: keyPem ?? '', algorithm, certificatePem });
      assert.ok(signer.ok, signer.ok ? '' : signer.error);
      const { kid } = (JSON.parse(jwks ?? '') as { keys: [{ kid: string }] }).keys[0];
      assert.ok(made.stdout.includes(kid));
      const set = readKeySet({ jwks, certificates: [certificatePem ?? ''] }, [algorithm]);
      assert.ok(set.ok, set.ok ? '' : set.error);
      assert.ok(set.value.find({ kid, x5tS256: signer.value.x5tS256 }, Date.now()).ok);
    });
  }

  test('the key can be read by its owner alone', async () => {
    await using folder = await newFolder();
    await runGatewatt('pki', 'signing-key', '--out', folder.place);
    const { mode } = await stat(folder.at('signing-key.pem'));
    assert.equal(mode & 0o777, 0o600);
  });

  test('nothing is overwritten, and nothing is written beside what is there', async () => {
    await using folder = await newFolder();
    await writeFile(folder.at('jwks.json'), 'mine');
    const refused = await runGatewatt('pki', 'signing-key', '--out', folder.place);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /is there already/);
    assert.equal(await readFile(folder.at('jwks.json'), 'utf8'), 'mine');
    await assert.rejects(stat(folder.at('signing-key.pem')));
  });

  test('what is typed wrongly makes no key', async () => {
    await using folder = await newFolder();
    for (const wrong of [
      ['--algorithm', 'HS256'],
      ['--days', '0'],
      ['--name', ''],
    ]) {
      const { code } = await runGatewatt('pki', 'signing-key', '--out', folder.at('out'), ...wrong);
      assert.equal(code, 2, wrong.join(' '));
    }
    assert.equal((await runGatewatt('pki', 'signing-key')).code, 2);
    await assert.rejects(stat(folder.at('out')));
  });
});

describe('gatewatt sign', () => {
  test('runs until SIGTERM, with the files that were made', async () => {
    await using folder = await newFolder();
    const made = await runGatewatt('pki', 'signing-key', '--out', folder.place);
    const [, keyId] = /kid: (\S+)/.exec(made.stdout) ?? [];
    await folder.write(config({ keyId }));
    const child = spawn(command, ['sign', '--config', folder.at('sign.yaml')]);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = JSON.parse((await lines.next()).value as string) as object;
    assert.partialDeepStrictEqual(first, { event: 'SignerStarted', algorithm: 'ES256' });
    child.kill('SIGTERM');
    const last = JSON.parse((await lines.next()).value as string) as object;
    assert.partialDeepStrictEqual(last, { event: 'SignerStopped', sessionsCut: 0 });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    assert.equal(code, 0);
  });

  test('a key that others can read is not used', async () => {
    await using folder = await newFolder();
    await runGatewatt('pki', 'signing-key', '--out', folder.place);
    await chmod(folder.at('signing-key.pem'), 0o644);
    await folder.write(config({ keyId: 'a' }));
    const { code, stderr } = await runGatewatt('sign', '--config', folder.at('sign.yaml'));
    assert.equal(code, 1);
    assert.match(stderr, /can be read by others/);
  });

  test('a key for another algorithm is not used, and nothing of it is said', async () => {
    await using folder = await newFolder();
    await runGatewatt('pki', 'signing-key', '--out', folder.place);
    await folder.write(config({ keyId: 'a', algorithm: 'RS256' }));
    const { code, stderr } = await runGatewatt('sign', '--config', folder.at('sign.yaml'));
    assert.equal(code, 1);
    assert.match(stderr, /the key is not one for RS256/);
    const key = await readFile(folder.at('signing-key.pem'), 'utf8');
    assert.ok(!stderr.includes(key.split('\n')[1] ?? ''));
  });

  test('all mistakes in the configuration are shown at once', async () => {
    await using folder = await newFolder();
    await folder.write({
      listener: { address: 'nowhere' },
      csms: { url: 'http://x/' },
      signing: { algorithm: 'none' },
      other: 1,
    });
    const { code, stderr } = await runGatewatt('sign', '--config', folder.at('sign.yaml'));
    assert.equal(code, 2);
    for (const place of [
      'listener.address',
      'csms.url',
      'signing.algorithm',
      'signing.keyFile',
      'other',
    ]) {
      assert.match(stderr, new RegExp(place.replace('.', '\\.')), place);
    }
  });
});

describe('gatewatt serve', () => {
  test('does not start with a file of keys that cannot be used: nothing could be verified', async () => {
    await using folder = await newFolder();
    await writeFile(folder.at('jwks.json'), '{}');
    const csms = { url: 'ws://127.0.0.1:9/', signing: { required: true, keysFile: 'jwks.json' } };
    await folder.write({ ...(configFor({}) as object), csms });
    const { code, stderr } = await runGatewatt('serve', '--config', folder.at('sign.yaml'));
    assert.notEqual(code, 0);
    assert.match(stderr, /jwks\.json: is not a JWK set/);
  });

  test('check names a file of keys that cannot be used', async () => {
    await using folder = await newFolder();
    await writeFile(folder.at('jwks.json'), '{}');
    const csms = { url: 'ws://127.0.0.1:9/', signing: { keysFile: 'jwks.json' } };
    await folder.write({ ...(configFor({}) as object), csms });
    const { code, stderr } = await runGatewatt(
      'check',
      '--quiet',
      '--config',
      folder.at('sign.yaml'),
    );
    assert.equal(code, 2);
    assert.match(stderr, /csms\.signing: .*jwks\.json: is not a JWK set/);
  });
});

function config(signing: object): object {
  return {
    listener: { address: '127.0.0.1:0' },
    csms: { url: 'ws://127.0.0.1:9/' },
    signing: { keyFile: 'signing-key.pem', ...signing },
  };
}

interface Folder {
  readonly place: string;
  at(name: string): string;
  write(config: object): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

async function newFolder(): Promise<Folder> {
  const place = await mkdtemp(path.join(tmpdir(), 'gatewatt-keys-'));
  const at = (name: string): string => path.join(place, name);
  return {
    place,
    at,
    write: (value) => writeFile(at('sign.yaml'), stringify(value)),
    [Symbol.asyncDispose]: () => rm(place, { recursive: true, force: true }),
  };
}
