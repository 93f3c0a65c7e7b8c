import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeAuthority } from '../../support/certificates.ts';

// Goal: whoever checks a configuration before a start hears of files that would keep the gateway
// from starting, and of nothing that is in them.
// Method: the real command, with files of which one is broken at a time.

const command = fileURLToPath(new URL('../../../bin/gatewatt', import.meta.url));

const config = `listeners:
  - name: field
    address: 127.0.0.1:9443
    securityProfile: 3
    tls:
      certificates: [{ certFile: cert.pem, keyFile: cert.key }]
      clientCertificates: { caFile: ca.pem }
csms:
  url: wss://csms.example.com/ocpp
  auth: { type: perCharger, keyFile: sealing.key }
  tls: { caFile: ca.pem }
credentials:
  batches: [{ name: spring, chargers: [NEW-*], passwordFile: default.txt }]
`;

describe('gatewatt check', () => {
  let folder: string;
  const secret = 'a-default-password';

  const check = (...options: readonly string[]) => {
    const file = path.join(folder, 'gatewatt.yaml');
    const args = ['check', '-q', '-c', file, ...options];
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    assert(!stderr.includes(secret));
    return { status, stderr };
  };

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatewatt-check-'));
    const authority = await makeAuthority();
    const server = await authority.issue({ commonName: 'gateway', dnsNames: ['localhost'] });
    const files = {
      'gatewatt.yaml': config,
      'cert.pem': server.chainPem,
      'cert.key': server.keyPem,
      'ca.pem': authority.certificatePem,
      'sealing.key': '0f'.repeat(32),
      'default.txt': `${secret}\n`,
    };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(path.join(folder, name), text);
    }
  });
  after(() => rm(folder, { recursive: true }));

  test('good files have no mistakes', () => {
    assert.deepEqual(check().stderr.match(/no mistakes/)?.length, 1);
    assert.equal(check().status, 0);
  });

  test('each file that cannot be used is named, and --no-files leaves them out', async () => {
    const broken = { 'cert.key': 'x', 'sealing.key': '0f', 'default.txt': '' };
    for (const [name, text] of Object.entries(broken)) {
      await writeFile(path.join(folder, name), text);
    }
    const { status, stderr } = check();
    assert.equal(status, 2);
    assert.match(stderr, /listener field: .*cert\.key/);
    // Of the secrets the first that is wrong is named.
    assert.match(stderr, /secrets: .*default\.txt holds no password/);
    assert.match(stderr, /2 mistakes/);
    assert.equal(check('--no-files').status, 0);
  });
});
