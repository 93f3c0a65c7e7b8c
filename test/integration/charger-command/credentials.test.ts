import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { bindingsOf } from '../../../src/chargers/certificate-bindings.ts';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import {
  acceptStaged,
  dropStaged,
  findCredential,
  noteAuthenticated,
  noteRotationOutcome,
  promoteStaged,
  stagePassword,
} from '../../../src/chargers/credentials.ts';
import { addCharger, findCharger } from '../../../src/chargers/registry.ts';
import { enrollCharger } from '../../../src/chargers/registry-sightings.ts';
import { hashGeneratedKey } from '../../../src/identity/password-hash.ts';
import { open as unseal } from '../../../src/identity/sealed-text.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { describeEachStore, openSqliteTestStore } from '../../support/stores.ts';
import { at } from './files.ts';
import { assertNowhere, matches, type RegistryAtWork, registryAtWork } from './registry-at-work.ts';

// Goal: an operator sets, clears and rotates what chargers authenticate themselves with; it is in
// the audit log, no secret is, and what must not be is refused with nothing done.
// Method: the real command; what gateways note is noted by hand, as they do it.

const cp1 = 'CP-1' as ChargerId;
const key = Buffer.alloc(32, 9);
const perCharger = {
  csms: { url: 'wss://127.0.0.1:9/csms', auth: { type: 'perCharger', keyFile: 'csms.key' } },
};

const credentialOf = (work: RegistryAtWork, id = cp1) =>
  work.store.query((db) => findCredential(db, id));

/** Events and fields of the audit log. */
async function acts(work: RegistryAtWork): Promise<readonly unknown[]> {
  const records = (await work.audited()) as readonly (readonly unknown[])[];
  return records.map(([, event, charger, by, fields]) => {
    assert.deepEqual([charger, by], ['CP-1', 'string']);
    return [event, fields];
  });
}

describeEachStore('gatewatt charger sets credentials', (open, kind) => {
  test('add and set, clear and raise, each with its record and without a secret', async () => {
    await using work = await registryAtWork(open, {}, perCharger);
    await at(work, 'csms.key', `${key.toString('hex')}\n`);
    const secrets = [
      'operator-password-1',
      '0a0b0c0d0e0f1011121314151617181920212223',
      'for-the-csms-0001',
    ];
    const [first = '', hex = '', csms = ''] = secrets;
    const text = await at(work, 'text', `${first}\n`);
    const digits = await at(work, 'digits', `${hex.toUpperCase()}\r\n`);
    const authority = await makeAuthority();
    const { certificatePem } = await authority.issue({ commonName: 'SN-1' });
    const outputs: unknown[] = [];
    const charger = async (...parameters: readonly string[]) => {
      const ended = await work.charger(...parameters);
      outputs.push(ended);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(ended.stderr, '');
    };

    await charger('add', 'CP-1', '--password-file', text, '--security-profile', '2');
    assert.ok(await matches(await credentialOf(work), Buffer.from(first)));
    assert.equal((await credentialOf(work)).password?.origin, 'operator');

    // C10: the digits and the bytes that they spell are one password.
    await charger('set', 'cp-1', '--password-file', digits);
    assert.ok(await matches(await credentialOf(work), Buffer.from(hex, 'hex')));
    assert.ok(!(await matches(await credentialOf(work), Buffer.from(first))));

    await charger('set', 'CP-1', '--certificate', await at(work, 'one.pem', certificatePem));
    await charger('set', 'CP-1', '--certificate-serial', '00:AB');
    assert.equal((await work.store.query((db) => bindingsOf(db, cp1))).length, 2);
    await charger('set', 'CP-1', '--clear', 'certificates', '--certificate-name', 'SN-2');
    assert.deepEqual(await work.store.query((db) => bindingsOf(db, cp1)), [
      { kind: 'common-name', value: 'SN-2' },
    ]);

    await charger('set', 'CP-1', '--csms-password-file', await at(work, 'csms', csms));
    const sealed = (await credentialOf(work)).csmsPassword ?? '';
    assert.equal(unseal(sealed, key, 'cp-1')?.toString(), csms);
    await charger('set', 'CP-1', '--raise-to', '3', '--basic-user', 'user');
    assert.equal((await credentialOf(work)).raise?.to, 3);
    const all = { clear: ['password', 'csms-password'].flatMap((it) => ['--clear', it]) };
    await charger('set', 'CP-1', ...all.clear);
    const cleared = await credentialOf(work);
    assert.deepEqual([cleared.password, cleared.csmsPassword], [undefined, undefined]);
    // The default password of a batch does not come back by that.
    assert.equal(cleared.isDefaultRetired, true);

    assert.deepEqual(await acts(work), [
      ['ChargerAdded', { settings: { requiredSecurityProfile: 2 } }],
      ['PasswordSet', { origin: 'operator' }],
      ['PasswordSet', { origin: 'operator' }],
      ['CertificateBound', { binding: 'common name SN-1' }],
      ['CertificateBound', { binding: 'serial number ab' }],
      ['CertificateUnbound', { binding: 'common name SN-1' }],
      ['CertificateUnbound', { binding: 'serial number ab' }],
      ['CertificateBound', { binding: 'common name SN-2' }],
      ['CsmsPasswordSet', {}],
      ['ChargerChanged', { settings: { basicUser: 'user' } }],
      ['ProfileRaiseRequested', { to: 3 }],
      ['ChargerChanged', { settings: { cleared: ['password', 'csms-password'] } }],
    ]);
    const output = JSON.stringify([outputs, await work.audited(), await work.json('show', 'CP-1')]);
    await work.charger('set', 'CP-1', '--password-file', text);
    await assertNowhere(work, secrets, output, kind);
  });

  test('rotate without a gateway leaves the request; with one it tells how it came out', async () => {
    await using work = await registryAtWork(open);
    const names = ['CP-1', 'CP-2', 'CP-3', 'CP-4'].map((name) => name as ChargerId);
    await work.store.transact(async (db) => {
      for (const name of names) await addCharger(db, name, {}, 1);
    });
    const requested = await work.charger('rotate', 'cp-1', 'CP-1');
    assert.deepEqual(requested, { code: 0, stdout: 'CP-1: requested\n', stderr: '' });
    assert.notEqual((await credentialOf(work)).rotationRequestedAtMs, undefined);
    assert.deepEqual(await acts(work), [['RotationRequested', {}]]);

    const waited = await work.charger('rotate', 'CP-1', '--wait', '1');
    const nothing = 'CP-1: nothing within 1 s\n';
    assert.deepEqual(waited, { code: 1, stdout: nothing, stderr: '' });

    // What a gateway does when it notices.
    const gateway = async (): Promise<void> => {
      const [one = cp1, two = cp1, three = cp1, four = cp1] = names;
      const hash = hashGeneratedKey(Buffer.alloc(20, 1));
      while ((await credentialOf(work, four)).rotationRequestedAtMs === undefined) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await work.store.transact(async (db) => {
        for (const id of [one, two, three]) {
          await stagePassword(db, id, { hash, origin: 'provisioned' }, 'any', 2);
        }
        await acceptStaged(db, one, hash, 2);
        await promoteStaged(db, two, hash, 2);
        await dropStaged(db, three, hash, { outcome: 'rejected' }, 2);
        await noteRotationOutcome(db, four, 'not supported', 2);
      });
    };
    const [ended] = await Promise.all([
      work.charger('rotate', '--match', 'cp-*', '--wait', '30', '--json'),
      gateway(),
    ]);
    assert.deepEqual([ended.code, ended.stderr], [1, '']);
    const outcomes = JSON.parse(ended.stdout) as readonly Record<string, unknown>[];
    assert.deepEqual(
      outcomes.map(({ identity, outcome }) => [identity, outcome]),
      [
        ['CP-1', 'accepted'],
        ['CP-2', 'confirmed'],
        ['CP-3', 'rejected'],
        ['CP-4', 'not supported'],
      ],
    );
  });
});

describe('gatewatt charger sets credentials', () => {
  test('T2-05: the security profile is not lowered below the one that was used', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await work.charger('add', 'CP-1', '--feeder', 'north');
    const noteUse = () =>
      work.store.query((db) => noteAuthenticated(db, cp1, { profile: 2, address: '::1' }));
    await noteUse();
    const password = await at(work, 'password', 'a-long-password-1');
    for (const parameters of [
      ['--security-profile', '1', '--feeder', 'south', '--password-file', password],
      ['--raise-to', '2', '--feeder', 'south', '--password-file', password],
    ]) {
      const { code, stderr, stdout } = await work.charger('set', 'CP-1', ...parameters);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /has used security profile 2/);
    }
    const { stderr } = await work.charger('set', 'CP-1', '--security-profile', '0');
    assert.match(stderr, /remove the charger and add it anew\n$/);
    // Nothing of what stood beside it has happened either.
    const entry = await work.store.query((db) => findCharger(db, cp1));
    assert.deepEqual(entry?.settings, { feeder: 'north' });
    assert.equal((await credentialOf(work)).password, undefined);
    assert.equal((await work.audited()).length, 1);

    assert.equal((await work.charger('set', 'CP-1', '--security-profile', '2')).code, 0);
    assert.equal((await work.charger('set', 'CP-1', '--raise-to', '3')).code, 0);
    await work.charger('remove', 'CP-1');
    assert.equal((await work.charger('add', 'CP-1', '--security-profile', '1')).code, 0);
  });

  test('T2-05: to enroll first does not get around it', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await work.store.query(async (db) => {
      await enrollCharger(db, cp1, 10, 1);
      await noteAuthenticated(db, cp1, { profile: 2, address: '::1' });
    });
    const { code, stderr } = await work.charger('add', 'CP-1', '--security-profile', '1');
    assert.equal(code, 1);
    assert.match(stderr, /has used security profile 2/);
    const entry = await work.store.query((db) => findCharger(db, cp1));
    assert.equal(entry?.origin, 'enrolled');
    assert.equal((await work.charger('add', 'CP-1', '--security-profile', '3')).code, 0);
  });

  test('T2-07: a certificate that is bound to another charger is refused, and nothing done', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await work.charger('add', 'CP-1', '--certificate-name', 'SN-1');
    await work.charger('add', 'CP-2', '--certificate-name', 'SN-2');
    const refused = await work.charger(
      ...['set', 'CP-2', '--clear', 'certificates', '--certificate-name', 'SN-1'],
    );
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /^the certificate \(common name SN-1\) is bound to cp-1\n$/);
    const kept = await work.store.query((db) => bindingsOf(db, 'CP-2' as ChargerId));
    assert.deepEqual(kept, [{ kind: 'common-name', value: 'SN-2' }]);
    const added = await work.charger('add', 'CP-3', '--certificate-name', 'SN-1');
    assert.equal(added.code, 1);
    assert.equal(await work.store.query((db) => findCharger(db, 'CP-3' as ChargerId)), undefined);
    // Its own, once more, is none of another's.
    assert.equal((await work.charger('set', 'CP-1', '--certificate-name', 'SN-1')).code, 0);
  });

  test('--allow-default forgets the password, and says when there is no such batch', async () => {
    const batch = { name: 'b', chargers: ['cp-*'], passwordFile: 'default' };
    const sections = { credentials: { batches: [batch] } };
    await using work = await registryAtWork(openSqliteTestStore, {}, sections);
    const file = await at(work, 'password', 'a-long-password-1');
    for (const name of ['CP-1', 'OTHER']) await work.charger('add', name, '--password-file', file);
    const allowed = await work.charger('set', 'CP-1', '--allow-default');
    assert.deepEqual(allowed, { code: 0, stdout: 'CP-1 is changed\n', stderr: '' });
    const { isDefaultRetired, password } = await credentialOf(work);
    assert.deepEqual([isDefaultRetired, password], [false, undefined]);
    const other = await work.charger('set', 'OTHER', '--allow-default');
    assert.equal(other.stderr, 'OTHER is in none of credentials.batches\n');
    // One that is on its way to the charger would be lost.
    const next = { hash: hashGeneratedKey(Buffer.alloc(20, 1)), origin: 'provisioned' } as const;
    await work.store.transact((db) => stagePassword(db, cp1, next, 'any', 1));
    const lost = await work.charger('set', 'CP-1', '--password-file', file);
    assert.match(lost.stderr, /^A new password was on its way to CP-1: /);
    assert.equal((await credentialOf(work)).next, undefined);
    const events = (await work.audited()) as readonly (readonly unknown[])[];
    assert.deepEqual(events.at(-2)?.slice(1, 3), ['DefaultPasswordAllowed', 'OTHER']);
  });

  test('what is weak or shared is remarked upon, and what the CSMS must know', async () => {
    const forward = { csms: { url: 'wss://127.0.0.1:9/csms', auth: { type: 'forward' } } };
    await using work = await registryAtWork(openSqliteTestStore, {}, forward);
    const file = await at(work, 'password', 'short');
    await chmod(file, 0o644);
    const { code, stderr } = await work.charger('add', 'CP-1', '--password-file', file);
    assert.equal(code, 0);
    const [shared, weak, csms, ...rest] = stderr.split('\n');
    assert.match(shared ?? '', /password can be read by others/);
    assert.match(weak ?? '', /password holds a weak password: OCPP asks for/);
    assert.match(csms ?? '', /^The CSMS must know the same password/);
    assert.deepEqual(rest, ['']);
    const rotated = await work.charger('rotate', 'CP-1');
    assert.deepEqual([rotated.code, rotated.stdout], [1, '']);
    assert.match(rotated.stderr, /csms\.auth is forward/);
    assert.equal((await credentialOf(work)).rotationRequestedAtMs, undefined);
  });

  test('mistakes in options and files are shown at once, and nothing happens', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await work.charger('add', 'CP-1');
    const empty = await at(work, 'empty', '\n');
    const long = await at(work, 'long', 'S3cret'.repeat(100));
    const pem = await at(work, 'pem', 'S3cret');
    const cases: readonly (readonly [readonly string[], readonly RegExp[]])[] = [
      [
        ['--password-file', empty, '--csms-password-file', long, '--certificate', pem],
        [/^--password-file: .*empty/, /^--csms-password-file: .*600 bytes/, /^--certificate: /],
      ],
      [
        ['--password-file', path.join(work.directory, 'no'), '--certificate-name', 'Größe'],
        [/^--password-file: .*no does not exist$/, /^--certificate-name: must be/],
      ],
      [
        ['--certificate-serial', 'x', '--raise-to', '0', '--ping-seconds', 'x'],
        [/^--ping-seconds: /, /^--certificate-serial: must be/, /^--raise-to: must be 1, 2 or 3$/],
      ],
      [['--certificate-serial', '1', '--certificate-name', 'N'], [/one of them at a time$/]],
      [
        ['--clear', 'password', '--password-file', long],
        [/600 bytes/, /^--clear password: it is set as well$/],
      ],
      [
        ['--clear', 'password', '--clear', 'csms-password', '--allow-default'],
        [/^--allow-default: /],
      ],
    ];
    for (const [parameters, patterns] of cases) {
      const { code, stderr, stdout } = await work.charger('set', 'CP-1', ...parameters);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.doesNotMatch(stderr, /S3cret/);
      const lines = stderr.trimEnd().split('\n');
      assert.equal(lines.length, patterns.length, stderr);
      for (const [index, pattern] of patterns.entries()) assert.match(lines[index] ?? '', pattern);
    }
    assert.equal((await work.audited()).length, 1);
  });

  test('a CSMS password needs its configuration and its key', async () => {
    await using without = await registryAtWork(openSqliteTestStore);
    await without.charger('add', 'CP-1');
    const file = await at(without, 'csms', 'for-the-csms-0001');
    const refused = await without.charger('set', 'CP-1', '--csms-password-file', file);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^a CSMS password needs csms\.auth perCharger/);
    await using work = await registryAtWork(openSqliteTestStore, {}, perCharger);
    await at(work, 'csms.key', 'S3cret');
    await work.charger('add', 'CP-1');
    const noKey = await work.charger('set', 'CP-1', '--csms-password-file', file);
    assert.equal(noKey.code, 1);
    assert.match(noKey.stderr, /csms\.key does not hold 64 hexadecimal digits\n$/);
    assert.equal((await credentialOf(work)).csmsPassword, undefined);
  });

  test('wrong usage of rotate ends with 2, chargers that are not there with 1', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await work.charger('add', 'CP-1');
    const ended = await Promise.all([
      work.charger('rotate'),
      work.charger('rotate', 'CP-1', '--match', '*'),
      work.charger('rotate', 'a/b'),
      work.charger('rotate', 'CP-1', '--wait', '0'),
      work.charger('rotate', 'CP-1', '--wait', '86401'),
      work.charger('rotate', 'CP-1', 'CP-2', 'CP-3'),
      work.charger('rotate', '--match', 'X-*'),
    ]);
    assert.deepEqual(
      ended.map(({ code, stdout }) => [code, stdout]),
      [...Array(5).fill([2, '']), [1, ''], [1, '']],
    );
    assert.equal(ended[5]?.stderr, 'not in the registry: CP-2, CP-3\n');
    assert.equal((await credentialOf(work)).rotationRequestedAtMs, undefined);
    assert.equal((await work.audited()).length, 1);
  });
});
