import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bindCertificate, bindingsOf } from '../../../src/chargers/certificate-bindings.ts';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import {
  noteAuthenticated,
  setPassword,
  stagePassword,
} from '../../../src/chargers/credentials.ts';
import { enrollCharger } from '../../../src/chargers/registry-sightings.ts';
import { hashPassword } from '../../../src/identity/password-hash.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { openSqliteTestStore } from '../../support/stores.ts';
import { at, written } from './files.ts';
import { registryAtWork } from './registry-at-work.ts';

// Goal: all that is wrong with a manufacturer's file is said at once, by line, without repeating a
// password; and then nothing is imported.
// Method: one file with a row for each mistake, beside rows that are right; one with what works and
// is not good.

const id = (text: string): ChargerId => text as ChargerId;

describe('gatewatt charger import', () => {
  test('every bad row is reported with its line and its reason, and nothing is imported', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const { store } = work;
    await work.charger('add', 'OLD');
    await store.transact(async (db) => {
      await enrollCharger(db, id('HIGH'), 10, 1);
      await noteAuthenticated(db, id('HIGH'), { profile: 2, address: '::1' });
      const made = { hash: await hashPassword(Buffer.from('x')), origin: 'provisioned' } as const;
      await enrollCharger(db, id('NEWER'), 10, 1);
      await setPassword(db, id('NEWER'), made, 1);
      await enrollCharger(db, id('CHANGING'), 10, 1);
      await stagePassword(db, id('CHANGING'), made, 'any', 1);
      await bindCertificate(db, id('OTHER'), { kind: 'common-name', value: 'TAKEN' }, 1);
    });
    const secret = 'S3cret-S3cret-S3cret';
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ identity: secret.repeat(4) }, /identity must be 1 to 64/],
      [{ identity: 'a/b' }, /identity must be 1 to 64/],
      [{ vendor: 'no identity' }, /identity must be 1 to 64/],
      [{ identity: 'CP-*' }, /identity must not hold a \*/],
      [{ identity: 'A1', vendor: 'x'.repeat(129) }, /vendor: /],
      [{ identity: 'A2', feeder: '\u001b[31m' }, /feeder: must not hold control characters/],
      [{ identity: 'A3', securityProfile: '4' }, /securityProfile must be 0, 1, 2 or 3/],
      [{ identity: 'A4', securityProfile: secret }, /securityProfile must be 0, 1, 2 or 3/],
      [{ identity: 'A5', password: secret, passwordHex: 'ab' }, /exclude each other/],
      [{ identity: 'A6', passwordHex: secret }, /passwordHex must be an even number/],
      [{ identity: 'A7', passwordHex: 'abc' }, /passwordHex must be an even number/],
      [{ identity: 'A8', password: secret.repeat(20) }, /password has 400 bytes/],
      [{ identity: 'A9', certificate: secret }, /certificate: /],
      [{ identity: 'B1', certificateFile: 'no.pem' }, /certificateFile: there is no such file/],
      [{ identity: 'B2', certificateFile: '../x.pem' }, /must be a path inside the folder/],
      [{ identity: 'B3', certificateFile: '/etc/passwd' }, /must be a path inside the folder/],
      [{ identity: 'B4', certificateFile: '.' }, /must be a path inside the folder/],
      [{ identity: 'B5', certificateName: 'Größe' }, /certificateName must be/],
      [{ identity: 'B6', certificateSerial: 'xyz' }, /certificateSerial must be/],
      [{ identity: 'B7', certificateSerial: '00' }, /certificateSerial must be/],
      [{ identity: 'B8', certificateName: 'N', certificateSerial: 'a' }, /exclude each other/],
      [{ identity: 'B9', basicUser: 'x'.repeat(65) }, /basicUser: /],
      [{ identity: 'C1', csmsPassword: secret }, /csmsPassword needs csms\.auth perCharger/],
      [{ identity: 'old' }, /OLD was added before; to change it: --update/],
      [{ identity: 'HIGH', securityProfile: '1' }, /has used security profile 2.*remove/],
      [{ identity: 'NEWER', password: secret }, /was given a newer password since/],
      [{ identity: 'CHANGING', password: secret }, /was given a newer password since/],
      [{ identity: 'D1', certificateName: 'TAKEN' }, /certificate is bound to other/],
      [{ identity: 'D2', certificateName: 'TWICE' }, /^$/],
      [{ identity: 'D3', certificateName: 'TWICE' }, /certificate stands in line 30 already/],
      [{ identity: 'D4' }, /^$/],
      [{ identity: 'd4' }, /identity stands in line 32 already/],
      [{ identity: 'E1', ratedKw: '7.4' }, /ratedKw must be a whole number from 1 to 10000/],
      [{ identity: 'E2', ratedKw: '10001' }, /ratedKw must be a whole number from 1 to 10000/],
      [{ identity: 'E3', securityProfile: '02' }, /securityProfile must be 0, 1, 2 or 3/],
    ];
    const rows = cases.map(([row]) => row);
    const file = await at(work, 'bad.csv', written(rows, 'csv'));
    const { code, stderr, stdout } = await work.charger('import', file);
    assert.deepEqual([code, stdout], [1, '']);
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.pop(), '33 rows are wrong: nothing is imported');
    const errors = lines.filter((line) => !line.includes(': warning: '));
    for (const [index, [, reason]] of cases.entries()) {
      const line = `line ${index + 2}: `;
      const found = errors.filter((it) => it.startsWith(line)).map((it) => it.slice(line.length));
      assert.equal(found.length, reason.source === '^$' ? 0 : 1, `${line}${found.join(' | ')}`);
      if (found.length > 0) assert.match(found[0] ?? '', reason);
    }
    assert.ok(!stderr.includes(secret), 'a message holds a password');
    const json = await work.charger('import', file, '--json');
    assert.equal(json.code, 1);
    assert.ok(!json.stdout.includes(secret), 'a message holds a password');
    const report = JSON.parse(json.stdout) as { findings: readonly unknown[]; outcome: string };
    assert.deepEqual([report.outcome, report.findings.length], ['refused', lines.length]);
    const list = (await work.json('list')) as readonly unknown[];
    assert.equal(list.length, 4);
    assert.equal((await work.audited()).length, 1);
  });

  test('warns of what works and is not good, and refuses it with --strict', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const authority = await makeAuthority();
    const day = 86_400_000;
    const expired = await authority.issue({
      commonName: 'OLD',
      notBefore: new Date(Date.now() - 9 * day),
      notAfter: new Date(Date.now() - day),
    });
    const early = await authority.issue({
      commonName: 'EARLY',
      notBefore: new Date(Date.now() + day),
      notAfter: new Date(Date.now() + 9 * day),
    });
    const weak = await authority.issue({ commonName: 'WEAK', algorithm: 'rsa-1024' });
    const several = await authority.issue({ commonName: ['ONE', 'TWO'] });
    const rows = [
      { identity: 'A', password: 'short' },
      { identity: 'B', password: 'the-same-for-all-of-them' },
      { identity: 'C', password: 'the-same-for-all-of-them' },
      { identity: 'a-long-identity-0001', password: 'A-long-identity-0001' },
      { identity: 'E', certificate: expired.certificatePem },
      { identity: 'F', certificate: early.certificatePem },
      { identity: 'G', certificate: weak.certificatePem },
      { identity: 'H', certificate: several.certificatePem + several.keyPem },
    ];
    const file = await at(work, 'weak.jsonl', written(rows, 'jsonl'));
    const strict = await work.charger('import', file, '--strict');
    assert.equal(strict.code, 1);
    assert.match(strict.stderr, /\n7 rows are wrong: nothing is imported\n$/);
    assert.deepEqual(await work.audited(), []);
    const { code, stderr } = await work.charger('import', file);
    assert.equal(code, 0, stderr);
    const lines = stderr.trimEnd().split('\n');
    const expected = [
      /^line 1: warning: the password is weak: /,
      /^line 3: warning: the password is the same as in line 2$/,
      /^line 4: warning: the password is the identity or the serial number$/,
      /^line 5: warning: the certificate has expired$/,
      /^line 6: warning: the certificate is not valid yet$/,
      /^line 7: warning: the certificate will be refused: /,
      /^line 8: warning: a private key stands beside the certificate/,
    ];
    assert.equal(lines.length, expected.length, stderr);
    for (const [index, pattern] of expected.entries()) assert.match(lines[index] ?? '', pattern);
    // Of two common names nobody knows which one counts.
    const bound = await work.store.query((db) => bindingsOf(db, id('H')));
    assert.deepEqual(
      bound.map(({ kind, value }) => [kind, value.length]),
      [['fingerprint', 64]],
    );
  });
});
