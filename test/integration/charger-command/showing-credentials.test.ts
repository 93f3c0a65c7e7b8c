import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bindCertificate } from '../../../src/chargers/certificate-bindings.ts';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import {
  findCredential,
  noteAuthenticated,
  noteRotationOutcome,
  stagePassword,
} from '../../../src/chargers/credentials.ts';
import { noteFallback } from '../../../src/chargers/profile-raises.ts';
import { hashGeneratedKey } from '../../../src/identity/password-hash.ts';
import { openSqliteTestStore } from '../../support/stores.ts';
import { at } from './files.ts';
import { noCredential, registryAtWork } from './registry-at-work.ts';

// Goal: an operator sees how a charger authenticates itself, and never what with.
// Method: the real command on a store in which everything is set, and on one in which nothing is.

const cp1 = 'CP-1' as ChargerId;

describe('gatewatt charger shows credentials', () => {
  test('show tells all of it but the hash, list in short', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const file = await at(work, 'password', 'a-long-password-1');
    await work.charger('add', 'CP-1', '--password-file', file, '--basic-user', 'user');
    await work.charger('set', 'CP-1', '--certificate-name', 'SN-1', '--raise-to', '3');
    await work.charger('add', 'CP-2');
    const hash = hashGeneratedKey(Buffer.alloc(20, 1));
    const atMs = 1_760_000_000_000;
    const time = '2025-10-09T08:53:20.000Z';
    await work.store.transact(async (db) => {
      await noteAuthenticated(db, cp1, { profile: 2, address: '192.0.2.7', form: 'hex' });
      await noteFallback(db, cp1);
      await noteRotationOutcome(db, cp1, 'rejected', atMs);
      await stagePassword(db, cp1, { hash, origin: 'provisioned' }, 'any', atMs);
    });
    await work.charger('rotate', 'CP-1');
    const stored = (await work.store.query((db) => findCredential(db, cp1))).password;
    const report = (await work.json('show', 'CP-1')) as { credential: unknown };
    const { credential } = report as { credential: typeof noCredential & Record<string, unknown> };
    const setAt = new Date(stored?.setAtMs ?? 0).toISOString();
    const { raise, ...profile } = credential.securityProfile;
    assert.deepEqual(profile, { used: 2, required: 2 });
    assert.deepEqual(
      { ...(raise as object | null), since: '' },
      { to: 3, since: '', fallbacks: 1 },
    );
    const { requestedAt, ...rotation } = credential.rotation;
    assert.match(String(requestedAt), /^\d{4}-/);
    assert.deepEqual(
      { ...credential, securityProfile: null, rotation },
      {
        securityProfile: null,
        password: { origin: 'operator', setAt, ageDays: 0, form: 'hex' },
        nextPassword: { origin: 'provisioned', state: 'sent', since: time },
        rotation: { outcome: 'rejected', outcomeAt: time },
        isDefaultRetired: true,
        certificates: [{ kind: 'common-name', value: 'SN-1' }],
        hasCsmsPassword: false,
        lastAddress: '192.0.2.7',
      },
    );
    const { stdout } = await work.charger('show', 'CP-1');
    for (const pattern of [
      /basic user +user\n/,
      /profile used +2\n/,
      /profile required +2 or higher\n/,
      /being raised +to 3 since .*, a lower one 1 times since\n/,
      /password +origin operator, set .* \(0 days\), sent as digits\n/,
      new RegExp(`new password +sent since ${time} \\(origin provisioned\\)\n`),
      /rotation requested +20/,
      new RegExp(`last rotation +rejected at ${time}\n`),
      /default password +does not hold any more\n/,
      /certificate +common name SN-1\n/,
      /last address +192\.0\.2\.7\n/,
    ]) {
      assert.match(stdout, pattern);
    }
    assert.doesNotMatch(stdout + JSON.stringify(report), /argon2|sha256/);
    const other = await work.charger('show', 'CP-2');
    assert.doesNotMatch(other.stdout, /Credential/);
    const { credential: none } = (await work.json('show', 'CP-2')) as { credential: unknown };
    assert.deepEqual(none, noCredential);

    const list = await work.charger('list');
    assert.match(list.stdout, /^IDENTITY .* PROFILE .*\nCP-1 .* {2}2 pw\+cert {2}.*\nCP-2 .*\n$/);
    const [first, second] = (await work.json('list')) as readonly Record<string, unknown>[];
    const kinds = (it: Record<string, unknown> | undefined) => [
      it?.['usedProfile'],
      it?.['hasPassword'],
      it?.['hasCertificate'],
    ];
    assert.deepEqual(kinds(first), [2, true, true]);
    assert.deepEqual(kinds(second), [0, false, false]);
  });

  test('whatever stands in the store, nothing reaches the terminal but text', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await work.charger('add', 'CP-1');
    await work.store.transact(async (db) => {
      await bindCertificate(db, cp1, { kind: 'common-name', value: '\u001b[2J\u202e' }, 1);
      await noteRotationOutcome(db, cp1, '\u009b31m', 1);
    });
    const { stdout } = await work.charger('show', 'CP-1');
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
    assert.match(stdout, /common name \\u\{1b\}\[2J/);
  });
});
