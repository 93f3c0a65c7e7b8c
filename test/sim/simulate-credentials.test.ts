/**
 * Goal: the commands speak the security profiles with files, rotate, renew and raise through the
 * control interface, and show no password.
 * Method: the commands are spawned with the files of a test authority.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { endRuns, run } from './simulate-run.ts';
import { loopbackAuthority } from './test-authority.ts';

const listening = /chargers connect to (\S+)\/<identity>/;
const controlled = /control interface at (\S+)/;
const digits = '00112233445566778899aabbccddeeff';

let folder = '';
const file = (name: string): string => path.join(folder, name);

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatewatt-simulate-'));
  const pki = await loopbackAuthority();
  const { certificate, key } = await pki.client({ serialNumber: '01' });
  const files = {
    'ca.pem': pki.authority.certificatePem,
    'ca.key': pki.authority.keyPem,
    'csms.pem': pki.server.certificate,
    'csms.key': pki.server.key,
    'charger.pem': certificate,
    'charger.key': key,
    'digits.password': `${digits}\n`,
    'text.password': 'correct horse battery\n',
    'passwords.csv': `CP-1,${digits}\nCP-2,another password\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(file(name), text);
});
after(async () => {
  endRuns();
  await rm(folder, { recursive: true, force: true });
});

const csmsTls = (): readonly string[] => [
  '--tls-cert-file',
  file('csms.pem'),
  '--tls-key-file',
  file('csms.key'),
];

async function post(url: string, body?: object): Promise<readonly [number, unknown]> {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(url, { method: 'POST', ...text });
  return [response.status, await response.json()];
}

test('options for credentials that do not fit each other end with 2', async () => {
  const charger = ['charger', '--url', 'ws://127.0.0.1:9'];
  const secure = ['charger', '--url', 'wss://127.0.0.1:9'];
  const password = ['--password-file', file('digits.password')];
  const runs = [
    run(...charger, '--password-form', 'hex'),
    run(...charger, ...password, '--password-form', 'base64'),
    run(...charger, ...password, '--password-form', 'raw', '--protocol', '2.1'),
    run(...secure, '--certificate-file', file('charger.pem')),
    run(...charger, '--security-profile', '2'),
    run(...secure, '--security-profile', '3'),
    run(...charger, '--profile-url', '2=ws://127.0.0.1:9'),
    run('csms', ...password, '--passwords-file', file('passwords.csv')),
    run('csms', '--tls-cert-file', file('csms.pem')),
    run('csms', '--client-ca-file', file('ca.pem')),
    run('csms', '--authority-key-file', file('ca.key')),
  ];
  assert.deepEqual(
    await Promise.all(runs.map(({ exit }) => exit)),
    runs.map(() => 2),
    runs.map(({ output }) => output()).join('\n'),
  );
});

test('files that hold something else end with 1 and say what is wrong', async () => {
  const wrongForm = ['--password-file', file('text.password'), '--password-form', 'raw'];
  const missing = run('csms', '--password-file', file('none'));
  const noKey = run('charger', '--url', 'ws://127.0.0.1:9', ...wrongForm);
  const noList = run('csms', '--passwords-file', file('text.password'));
  const runs = [missing, noKey, noList];
  assert.deepEqual(await Promise.all(runs.map(({ exit }) => exit)), [1, 1, 1]);
  assert.match(missing.output(), /does not exist/);
  assert.match(noKey.output(), /does not hold 32 to 40 hexadecimal digits/);
  assert.match(noList.output(), /line 1 of the passwords/);
});

test('a password over TLS is demanded, given anew through the control interface, and not shown', async () => {
  const csms = run(
    ...['csms', '--listen', '127.0.0.1:0', '--control', '127.0.0.1:0'],
    ...['--passwords-file', file('passwords.csv'), ...csmsTls()],
  );
  const [, url = ''] = await csms.says(listening);
  const [, control = ''] = await csms.says(controlled);
  assert.match(url, /^wss:/);
  const shared = ['--url', url, '--ca-file', file('ca.pem')];
  const wrong = run('charger', ...shared, '--id', 'CP-2', '--connect-seconds', '0.5');
  assert.equal(await wrong.exit, 1);
  await csms.says(/CP-2 was refused: it sent no password/);

  const password = ['--password-file', file('digits.password'), '--password-form', 'hex'];
  const charger = run('charger', ...shared, '--id', 'CP-1', ...password, '--json');
  await csms.says(/CP-1 <- BootNotification/);
  const [status, rotated] = await post(`${control}/chargers/CP-1/password`);
  const given = Reflect.get(Object(rotated), 'password');
  assert.deepEqual([status, rotated], [200, { status: 'Accepted', password: given }]);
  assert.match(given, /^[0-9a-f]{40}$/);
  await csms.says(/BootNotification[\s\S]*BootNotification/);
  const named = 'the password of a test';
  assert.deepEqual(await post(`${control}/chargers/CP-1/password`, { password: named }), [
    200,
    { status: 'Accepted', password: named },
  ]);
  await csms.says(/(?:BootNotification[\s\S]*){3}/);
  assert.equal((await post(`${control}/chargers/CP-1/password`, { password: 1 }))[0], 400);
  assert.equal((await post(`${control}/chargers/CP-9/password`))[0], 404);
  for (const { child, exit } of [charger, csms]) {
    child.kill('SIGINT');
    assert.equal(await exit, 0);
  }
  for (const { output } of [charger, csms]) {
    assert.match(output(), /redacted/);
    for (const secret of [digits, given, named]) assert.ok(!output().includes(secret));
  }
});

test('a certificate is demanded, and renewed through the control interface', async () => {
  const csms = run(
    ...['csms', '--listen', '127.0.0.1:0', '--control', '127.0.0.1:0', ...csmsTls()],
    ...['--client-ca-file', file('ca.pem'), '--authority-cert-file', file('ca.pem')],
    ...['--authority-key-file', file('ca.key'), '--issue-days', '7'],
  );
  const [, url = ''] = await csms.says(listening);
  const [, control = ''] = await csms.says(controlled);
  const certificate = [
    '--certificate-file',
    file('charger.pem'),
    '--key-file',
    file('charger.key'),
  ];
  const options = ['--id', 'CP-1', '--protocol', '2.1', '--ca-file', file('ca.pem')];
  const charger = run('charger', '--url', url, ...options, ...certificate);
  await csms.says(/CP-1 <- BootNotification/);
  const serial = async (): Promise<unknown> => {
    const [first] = (await (await fetch(`${control}/chargers`)).json()) as readonly object[];
    return Reflect.get(Object(Reflect.get(first ?? {}, 'certificate')), 'serialNumber');
  };
  assert.equal(await serial(), '01');
  assert.deepEqual(await post(`${control}/chargers/CP-1/certificate`), [
    200,
    { status: 'Accepted' },
  ]);
  await csms.says(/BootNotification[\s\S]*BootNotification/);
  const renewed = await serial();
  assert.ok(typeof renewed === 'string' && renewed !== '01');
  for (const { child, exit } of [charger, csms]) {
    child.kill('SIGINT');
    assert.equal(await exit, 0);
  }
});

test('the profile is raised through the control interface', async () => {
  const password = ['--password-file', file('text.password')];
  const one = run('csms', '--listen', '127.0.0.1:0', '--control', '127.0.0.1:0', ...password);
  const two = run('csms', '--listen', '127.0.0.1:0', ...password, ...csmsTls());
  const [, url = ''] = await one.says(listening);
  const [, control = ''] = await one.says(controlled);
  const [, higher = ''] = await two.says(listening);
  const charger = run(
    ...['charger', '--url', url, '--id', 'CP-1', '--ca-file', file('ca.pem')],
    ...['--profile-url', `2=${higher}`, '--security-events', ...password],
  );
  await one.says(/CP-1 <- SecurityEventNotification/);
  const raise = `${control}/chargers/CP-1/security-profile`;
  assert.equal((await post(raise, { to: 'two' }))[0], 400);
  assert.deepEqual(await post(raise, { to: 3 }), [200, { status: 'Rejected' }]);
  assert.deepEqual(await post(raise, { to: 2 }), [200, { status: 'Accepted' }]);
  await two.says(/CP-1 <- BootNotification/);
  for (const { child, exit } of [charger, one, two]) {
    child.kill('SIGINT');
    assert.equal(await exit, 0);
  }
});
