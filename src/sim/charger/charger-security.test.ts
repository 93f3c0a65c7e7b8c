import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OcppVersion } from '../../ocpp/version.ts';
import { ChargerSecurity, type SecurityOptions } from './charger-security.ts';

// Goal: a charger dials with the profile, the password and the certificate that its history demands.
// Method: orders of a CSMS and outcomes of attempts; what it would dial is looked at.
const digits = '00112233445566778899aabbccddeeff';
const nextDigits = 'ffeeddccbbaa99887766554433221100';
const password = Buffer.from('the-old-password-1');

function newSecurity(version: OcppVersion, options: Partial<SecurityOptions> = {}) {
  const profiles: number[] = [];
  const security = new ChargerSecurity({
    version,
    url: 'ws://csms.example/ocpp',
    urls: { 2: 'wss://csms.example/ocpp' },
    profile: undefined,
    password,
    passwordForm: undefined,
    user: 'CP-1',
    passwordChange: 'reconnects',
    tls: {},
    onProfile: (profile) => profiles.push(profile),
    ...options,
  });
  return { security, profiles };
}

/** User name and password, by bytes; undefined when none is sent. */
function sentBy(security: ChargerSecurity): Buffer | undefined {
  const { authorization } = security.dialling();
  if (authorization === undefined) return undefined;
  return Buffer.from(authorization.replace(/^Basic /, ''), 'base64');
}

function credential(bytes: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from('CP-1:'), Buffer.from(bytes)]);
}

function slotData(profile: number, url: string, rest: object = {}) {
  return { ocppCsmsUrl: url, securityProfile: profile, ...rest };
}

test('the profile at the start follows from URL, password and certificate', () => {
  const tls = { certificate: 'certificate', key: 'key' };
  const wss = { url: 'wss://csms.example' };
  const profileOf = (options: Partial<SecurityOptions>): number =>
    newSecurity('ocpp1.6', options).security.profile();
  assert.equal(profileOf({ password: undefined }), 0);
  assert.equal(profileOf({}), 1);
  assert.equal(profileOf(wss), 2);
  assert.equal(profileOf({ ...wss, tls }), 3);
  assert.equal(profileOf({ ...wss, tls, profile: 2 }), 2);
});

test('C10: 1.6 sends keys as bytes or as digits, before and after a change', () => {
  const sent = (passwordForm: SecurityOptions['passwordForm']): readonly (Buffer | undefined)[] => {
    const key = Buffer.from(digits);
    const { security } = newSecurity('ocpp1.6', { password: key, passwordForm });
    const first = sentBy(security);
    assert.equal(security.changePassword(nextDigits), 'accepted');
    return [first, sentBy(security)];
  };
  const bytes = [digits, nextDigits].map((key) => credential(Buffer.from(key, 'hex')));
  assert.deepEqual(sent(undefined), bytes);
  assert.deepEqual(sent('raw'), bytes);
  assert.deepEqual(sent('hex'), [credential(digits), credential(nextDigits)]);
});

test('2.x sends digits as text', () => {
  const { security } = newSecurity('ocpp2.0.1', { password: Buffer.from(digits) });
  assert.deepEqual(sentBy(security), credential(digits));
});

test('a certificate is shown with profile 3 only, and a password with 1 and 2 only', () => {
  const url = 'wss://csms.example/ocpp';
  const tls = { ca: 'root', certificate: 'certificate', key: 'key' };
  const three = newSecurity('ocpp1.6', { url, tls }).security.dialling();
  assert.equal(three.authorization, undefined);
  assert.deepEqual(three.tls, { ...tls, installedRoots: [] });
  const two = newSecurity('ocpp1.6', { url, tls, profile: 2 }).security.dialling();
  assert.notEqual(two.authorization, undefined);
  assert.deepEqual(two.tls, { ca: 'root', installedRoots: [] });
  const zero = newSecurity('ocpp1.6', { profile: 0 }).security.dialling();
  assert.equal(zero.authorization, undefined);
});

test('1.6: only a higher profile whose prerequisites are there is accepted (A05)', () => {
  const { security } = newSecurity('ocpp1.6');
  for (const profile of [-1, 0, 1, 1.5, 4]) assert.equal(security.raise(profile), false);
  // There is no certificate, and no URL for 3.
  assert.equal(security.raise(3), false);
  assert.equal(security.raise(2), true);
  assert.equal(newSecurity('ocpp1.6', { urls: {} }).security.raise(2), false, 'no URL');
  const noPassword = newSecurity('ocpp1.6', { password: undefined }).security;
  assert.equal(noPassword.raise(1), false, 'no password');
  assert.equal(noPassword.raise(2), false, 'no password');
});

test('A05.FR.08: a new profile is tried once, and the old one is used when it fails', () => {
  const { security, profiles } = newSecurity('ocpp1.6');
  security.raise(2);
  assert.equal(security.dialling().url, 'wss://csms.example/ocpp');
  assert.equal(security.profile(), 1);
  security.failed();
  assert.equal(security.dialling().url, 'ws://csms.example/ocpp');
  assert.deepEqual(profiles, []);
  security.raise(2);
  security.succeeded();
  security.failed();
  assert.equal(security.dialling().url, 'wss://csms.example/ocpp');
  assert.deepEqual([security.profile(), profiles], [2, [2]]);
});

test('2.x: slots are used after a reset, in their order, until one works', () => {
  const { security, profiles } = newSecurity('ocpp2.1');
  const own = { basicAuthPassword: 'of-the-slot-itself' };
  assert.equal(security.setSlot(2, slotData(2, 'wss://two.example', own)), true);
  assert.equal(security.setSlot(3, slotData(2, 'wss://three.example')), true);
  assert.equal(security.prioritise('3,2,0'), true);
  assert.equal(security.dialling().url, 'ws://csms.example/ocpp');
  security.restarted();
  assert.equal(security.dialling().url, 'wss://three.example');
  security.failed();
  assert.deepEqual(sentBy(security), credential('of-the-slot-itself'));
  security.succeeded();
  assert.deepEqual([security.dialling().url, profiles], ['wss://two.example', [2]]);
  // A later password replaces the one of the slot.
  security.changePassword('the-new-password-2');
  assert.deepEqual(sentBy(security), credential('the-new-password-2'));
});

test('2.x: slots that lower the profile, overwrite the one in use or cannot be dialled are refused', () => {
  const { security } = newSecurity('ocpp2.0.1');
  const cases: readonly (readonly [number, object])[] = [
    [0, slotData(2, 'wss://csms.example')],
    [10, slotData(2, 'wss://csms.example')],
    [1, slotData(0, 'ws://csms.example')],
    [1, slotData(2, 'ws://csms.example')],
    [1, slotData(1, 'wss://csms.example')],
    [1, slotData(2, 'nonsense')],
    [1, slotData(2, 'https://csms.example')],
    [1, slotData(2, 'wss://csms.example/#fragment')],
    [1, {}],
  ];
  for (const [slot, data] of cases) {
    assert.equal(security.setSlot(slot, { ...data }), false, JSON.stringify([slot, data]));
  }
  assert.equal(security.prioritise('1,0'), false, 'an empty slot');
  assert.equal(security.setSlot(1, slotData(3, 'wss://csms.example')), true);
  assert.equal(security.prioritise('1,0'), false, 'no certificate');
  for (const text of ['', 'a', '0,', '10', '0,0,0,0,0,0,0,0,0,0,0']) {
    assert.equal(security.prioritise(text), false, text);
  }
  assert.equal(security.prioritise('0'), true);
});

test('passwords outside the lengths of the version are rejected', () => {
  const lengths: readonly (readonly [OcppVersion, number])[] = [
    ['ocpp1.6', 40],
    ['ocpp2.0.1', 40],
    ['ocpp2.1', 64],
  ];
  for (const [version, lengthMax] of lengths) {
    const change = (length: number): string =>
      newSecurity(version).security.changePassword('x'.repeat(length));
    assert.deepEqual([15, 16].map(change), ['rejected', 'accepted']);
    assert.deepEqual([lengthMax, lengthMax + 1].map(change), ['accepted', 'rejected']);
  }
});
