import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { bindingsOf } from '../../../src/chargers/certificate-bindings.ts';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { findCredential } from '../../../src/chargers/credentials.ts';
import { findCharger } from '../../../src/chargers/registry.ts';
import { enrollCharger } from '../../../src/chargers/registry-sightings.ts';
import { open as unseal } from '../../../src/identity/sealed-text.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { describeEachStore, openSqliteTestStore } from '../../support/stores.ts';
import { at, written } from './files.ts';
import { assertNowhere, gatewatt, matches, registryAtWork, run } from './registry-at-work.ts';

// Goal: a manufacturer's file is imported whole or not at all, and no password is ever seen again.
// Method: the real command with real files; two at once, and one that is killed; the files of the
// database and all output are searched for the passwords.

const id = (text: string): ChargerId => text as ChargerId;
const key = Buffer.alloc(32, 7);

/** The configuration of a gateway with passwords towards the CSMS. */
const perCharger = {
  csms: { url: 'wss://127.0.0.1:9/csms', auth: { type: 'perCharger', keyFile: 'csms.key' } },
};

describeEachStore('gatewatt charger import', (open, kind) => {
  for (const form of ['csv', 'jsonl'] as const) {
    test(`takes all that a file of the form ${form} says`, async () => {
      await using work = await registryAtWork(open, {}, perCharger);
      await at(work, 'csms.key', `${key.toString('hex')}\n`);
      const authority = await makeAuthority();
      const pems = await Promise.all(
        ['SN 1', 'SN-2'].map((commonName) => authority.issue({ commonName })),
      );
      const [inRow = '', inFile = ''] = pems.map(({ certificatePem }) => certificatePem);
      await at(work, 'certificates/two.pem', inFile);
      const secrets = [
        'long "quoted", secret',
        '00ff30313233343536373839414243444546ab3a',
        'to-csms',
      ];
      const rows = [
        { identity: 'CP-1', vendor: 'V', model: 'M', feeder: 'north', password: secrets[0] },
        { identity: 'CP-2', passwordHex: secrets[1], serialNumber: 'S2', basicUser: 'user 2' },
        { identity: 'CP-3', certificate: inRow, securityProfile: '3' },
        { identity: 'CP-4', certificateFile: 'certificates/two.pem', csmsPassword: secrets[2] },
        { identity: 'CP-5', certificateName: 'SN 5', securityProfile: '3', ratedKw: '350' },
        { identity: 'CP-6', certificateSerial: '00:AB:cd' },
        { identity: 'CP-7' },
      ];
      const file = await at(work, `delivery.${form}`, written(rows, form));
      const checked = await work.charger('import', file, '--dry-run');
      assert.deepEqual(checked, { code: 0, stdout: '7 chargers could be imported\n', stderr: '' });
      assert.deepEqual(await work.audited(), []);
      assert.equal(await work.store.query((db) => findCharger(db, id('CP-1'))), undefined);

      const ended = await work.charger('import', file);
      const said =
        '7 chargers imported: 7 added, 0 changed, 2 with a password, 4 with a certificate\n';
      assert.deepEqual(ended, { code: 0, stdout: said, stderr: '' });

      const settings = await work.store.query(async (db) => {
        const entries = await Promise.all(rows.map((row) => findCharger(db, id(row.identity))));
        return entries.map((entry) => [entry?.origin, entry?.settings]);
      });
      assert.deepEqual(settings, [
        ['operator', { vendor: 'V', model: 'M', feeder: 'north' }],
        ['operator', { serialNumber: 'S2', basicUser: 'user 2' }],
        ['operator', { requiredSecurityProfile: 3 }],
        ['operator', {}],
        ['operator', { ratedKw: 350, requiredSecurityProfile: 3 }],
        ['operator', {}],
        ['operator', {}],
      ]);
      const bound = await work.store.query((db) =>
        Promise.all(rows.map((row) => bindingsOf(db, id(row.identity)))),
      );
      assert.deepEqual(bound.flat(), [
        { kind: 'common-name', value: 'SN 1' },
        { kind: 'common-name', value: 'SN-2' },
        { kind: 'common-name', value: 'SN 5' },
        { kind: 'serial-number', value: 'abcd' },
      ]);
      const credentials = await work.store.query((db) =>
        Promise.all(rows.map((row) => findCredential(db, id(row.identity)))),
      );
      const [first, second, , fourth] = credentials;
      assert.equal(first?.password?.origin, 'imported');
      assert.equal(first.isDefaultRetired, true);
      assert.ok(await matches(first, Buffer.from(secrets[0] ?? '')));
      assert.ok(await matches(second, Buffer.from(secrets[1] ?? '', 'hex')));
      assert.ok(!(await matches(second, Buffer.from(secrets[0] ?? ''))));
      assert.equal(unseal(fourth?.csmsPassword ?? '', key, 'cp-4')?.toString(), secrets[2]);

      const records = (await work.audited()) as readonly (readonly unknown[])[];
      const [whole, ...each] = records.map(([, event, charger, , fields]) => [
        event,
        charger,
        fields,
      ]);
      assert.equal(whole?.[0], 'ChargersImported');
      assert.match(JSON.stringify(whole?.[2]), /^\{"count":7,"fileSha256":"[0-9a-f]{64}"\}$/);
      assert.deepEqual(
        each.map(([event, charger]) => [event, charger]),
        [
          ['ChargerAdded', 'CP-1'],
          ['PasswordSet', 'CP-1'],
          ['ChargerAdded', 'CP-2'],
          ['PasswordSet', 'CP-2'],
          ['ChargerAdded', 'CP-3'],
          ['CertificateBound', 'CP-3'],
          ['ChargerAdded', 'CP-4'],
          ['CsmsPasswordSet', 'CP-4'],
          ['CertificateBound', 'CP-4'],
          ['ChargerAdded', 'CP-5'],
          ['CertificateBound', 'CP-5'],
          ['ChargerAdded', 'CP-6'],
          ['CertificateBound', 'CP-6'],
          ['ChargerAdded', 'CP-7'],
        ],
      );
      assert.deepEqual(each[5]?.[2], { binding: 'common name SN 1' });
      const shown = await Promise.all(
        ['CP-1', 'CP-4'].flatMap((identity) => [
          work.charger('show', identity),
          work.charger('show', identity, '--json'),
        ]),
      );
      const output = JSON.stringify([ended, records, shown]);
      assert.match(output, /origin imported/);
      for (const hash of credentials.flatMap((it) => it?.password?.hash ?? [])) {
        assert.ok(!output.includes(hash), 'a hash is shown');
      }
      await assertNowhere(work, secrets, output, kind);
    });
  }

  test('of two imports at once that share a charger, one wins whole', async () => {
    await using work = await registryAtWork(open);
    const one = await at(
      work,
      'one.csv',
      'identity,password\nA,one-long-password\nB,another-one-1\n',
    );
    const two = await at(
      work,
      'two.csv',
      'identity,password\nB,two-long-password\nC,another-two-2\n',
    );
    const ended = await Promise.all([work.charger('import', one), work.charger('import', two)]);
    assert.deepEqual(ended.map(({ code }) => code).sort(), [0, 1]);
    const winner = ended[0]?.code === 0 ? ['A', 'B'] : ['B', 'C'];
    const list = (await work.json('list')) as readonly { identity: string }[];
    assert.deepEqual(
      list.map(({ identity }) => identity),
      winner,
    );
    assert.equal((await work.audited()).length, 5);
  });
});

describe('gatewatt charger import', () => {
  test('what can be read differently in small things is read', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const csv = '\ufeffidentity,feeder\r\n\r\n"A","x ""y""\r\nz"\r\nB,\r\nC,last';
    const noted = await work.charger('import', await at(work, 'a.csv', csv));
    assert.match(noted.stderr, /^line 3: feeder: must not hold control characters\n/);
    const good = csv.replace('\r\nz', ' z');
    assert.equal((await work.charger('import', await at(work, 'a.csv', good))).code, 0);
    const jsonl = '\ufeff{"identity":"D","feeder":null,"securityProfile":2}\r\n\n {"identity":"E"}';
    assert.equal((await work.charger('import', await at(work, 'a.jsonl', jsonl))).code, 0);
    const list = (await work.json('list')) as readonly { identity: string; feeder: unknown }[];
    assert.deepEqual(
      list.map(({ identity, feeder }) => [identity, feeder]),
      [
        ['A', 'x "y" z'],
        ['B', null],
        ['C', 'last'],
        ['D', null],
        ['E', null],
      ],
    );
  });

  test('says that others can read the file, and nothing of one that they cannot', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const file = await at(work, 'shared.csv', 'identity\nA\n');
    assert.equal((await work.charger('import', file, '--dry-run')).stderr, '');
    await chmod(file, 0o644);
    const { code, stderr } = await work.charger('import', file, '--dry-run');
    assert.equal(code, 0);
    assert.match(stderr, /^.*shared\.csv can be read by others; consider: chmod 600\n$/);
  });

  test('--update changes those that were added before, and adds the others', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await work.charger('add', 'CP-1', '--vendor', 'V', '--feeder', 'north');
    await work.store.query((db) => enrollCharger(db, id('CP-2'), 10, 1));
    const rows = [
      { identity: 'cp-1', vendor: 'W', password: 'first-long-password', certificateName: 'SN-1' },
      { identity: 'CP-2', model: 'M' },
      { identity: 'CP-3' },
    ];
    const file = await at(work, 'update.jsonl', written(rows, 'jsonl'));
    const refused = await work.charger('import', file);
    assert.match(
      refused.stderr,
      /^line 1: CP-1 was added before; to change it: --update\n1 row is/,
    );
    const imported = (await work.json('import', file, '--update')) as object;
    assert.deepEqual(
      { ...imported, fileSha256: '' },
      {
        ...{ outcome: 'imported', count: 3, added: 2, changed: 1, passwords: 1, certificates: 1 },
        ...{ fileSha256: '', findings: [] },
      },
    );
    const entry = await work.store.query((db) => findCharger(db, id('CP-1')));
    assert.deepEqual(entry?.settings, { vendor: 'W', feeder: 'north' });
    // The same file again: what is there already stays, and nobody else has its certificate.
    assert.equal((await work.charger('import', file, '--update')).code, 0);
    const credential = await work.store.query((db) => findCredential(db, id('CP-1')));
    assert.ok(await matches(credential, Buffer.from('first-long-password')));
    const events = ((await work.audited()) as readonly (readonly unknown[])[]).map(
      ([, event, charger]) => [event, charger],
    );
    assert.deepEqual(events.slice(1, 7), [
      ['ChargersImported', null],
      ['ChargerChanged', 'cp-1'],
      ['PasswordSet', 'cp-1'],
      ['CertificateBound', 'cp-1'],
      ['ChargerAdded', 'CP-2'],
      ['ChargerAdded', 'CP-3'],
    ]);
  });

  test('reads standard input, and wants to know its form', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const unknown = await work.charger('import', '-');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /--format csv or --format jsonl/);
    const child = spawn(gatewatt, [
      ...['charger', 'import', '-', '--format', 'csv', '-c', work.configFile],
    ]);
    child.stdin.end('identity\nCP-1\n');
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, 0);
    assert.notEqual(await work.store.query((db) => findCharger(db, id('CP-1'))), undefined);
  });

  test('wrong usage ends with 2, a file that is away with 1', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const ended = await Promise.all([
      work.charger('import'),
      work.charger('import', 'delivery.txt'),
      work.charger('import', 'delivery.csv', '--format', 'xml'),
      run('import', 'delivery.csv'),
      work.charger('import', path.join(work.directory, 'no.csv')),
      work.charger('import', path.join(work.directory, 'no\u001b[31m.csv')),
    ]);
    assert.deepEqual(
      ended.map(({ code, stdout }) => [code, stdout]),
      [...Array(4).fill([2, '']), [1, ''], [1, '']],
    );
    assert.match(ended[4]?.stderr ?? '', /no\.csv does not exist\n$/);
  });

  test('T2-02: what is stored of a password takes a slow computation to compare', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const file = await at(work, 'a.csv', 'identity,password\nA,a-long-password-1\n');
    await work.charger('import', file);
    const { password } = await work.store.query((db) => findCredential(db, id('A')));
    assert.match(password?.hash ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  test('one that is killed in the middle has imported nothing', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const { location } = work.opened;
    assert.ok(location.type === 'sqlite');
    const rows = Array.from({ length: 10_000 }, (_, n) => `CP-${n},SN-${n}`);
    const file = await at(work, 'a.csv', `identity,certificateName\n${rows.join('\n')}\n`);
    const child = spawn(gatewatt, ['charger', 'import', file, '-c', work.configFile], {
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)));
    await heldFor(path.join(location.directory, 'gatewatt.sqlite'), 200);
    child.kill('SIGKILL');
    assert.equal(await ended, 'SIGKILL');
    assert.deepEqual(await work.audited(), []);
    const { stdout } = await work.charger('list', '--json');
    assert.deepEqual(JSON.parse(stdout), []);
    assert.equal((await work.charger('import', file)).code, 0);
  });
});

/** Waits until somebody has been writing to the database for `ms` without a pause. */
async function heldFor(file: string, ms: number): Promise<void> {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    let sinceMs = performance.now();
    while (performance.now() - sinceMs < ms) {
      try {
        database.exec('begin immediate; rollback');
        sinceMs = performance.now();
      } catch {
        // Somebody is writing.
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    database.close();
  }
}
