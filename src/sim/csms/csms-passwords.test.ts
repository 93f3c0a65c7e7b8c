import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basicAuthorization } from '../protocol/password.ts';
import { acceptedPassword, PasswordCheck, parsePasswords } from './csms-passwords.ts';

// Goal: who may connect follows from the passwords that were set and from those that the CSMS
// changed, and from nothing else.
// Method: headers and answers as a charger would send them.
const old = Buffer.from('the-old-password-1');
const next = Buffer.from('the-new-password-2');

function header(password: Buffer, user = 'CP-1'): string {
  return basicAuthorization(user, password);
}

test('the old and the new password are good until the new one is used, then only the new one', () => {
  const check = new PasswordCheck({ for: 'all', password: old });
  check.changed('CP-1', next);
  assert.equal(check.refusalOf('CP-1', header(old)), undefined);
  assert.equal(check.refusalOf('CP-1', header(next)), undefined);
  assert.match(check.refusalOf('CP-1', header(old)) ?? '', /wrong/);
  assert.equal(check.refusalOf('CP-1', header(next)), undefined);
});

test('a wrong password does not end the time of the old one', () => {
  const check = new PasswordCheck({ for: 'all', password: old });
  check.changed('CP-1', next);
  assert.match(check.refusalOf('CP-1', header(Buffer.from('nonsense'))) ?? '', /wrong/);
  assert.equal(check.refusalOf('CP-1', header(old)), undefined);
});

test('a change holds for its charger only, and a second one replaces the first', () => {
  const check = new PasswordCheck({ for: 'all', password: old });
  check.changed('CP-1', Buffer.from('never used by anyone'));
  check.changed('CP-1', next);
  assert.match(check.refusalOf('CP-2', header(next, 'CP-2')) ?? '', /wrong/);
  assert.match(check.refusalOf('CP-1', header(Buffer.from('never used by anyone'))) ?? '', /wrong/);
  assert.equal(check.refusalOf('CP-1', header(next)), undefined);
});

test('a charger that is not in the list is refused, also with the password of another', () => {
  const check = new PasswordCheck({ for: 'each', byIdentity: new Map([['CP-1', old]]) });
  assert.equal(check.refusalOf('CP-1', header(old)), undefined);
  assert.match(check.refusalOf('CP-2', header(old, 'CP-2')) ?? '', /no password is known/);
  assert.match(check.refusalOf('CP-2', header(old)) ?? '', /user name/);
  check.changed('CP-2', next);
  assert.match(check.refusalOf('CP-2', header(next, 'CP-2')) ?? '', /no password is known/);
});

test('a password counts when the charger has accepted it, or will after a reset', () => {
  const key = { key: 'AuthorizationKey', value: next.toString() };
  const accepted = (status: string): Buffer | undefined =>
    acceptedPassword('ocpp1.6', 'ChangeConfiguration', key, { status });
  assert.deepEqual(accepted('Accepted'), next);
  assert.deepEqual(accepted('RebootRequired'), next);
  for (const status of ['Rejected', 'NotSupported', '']) assert.equal(accepted(status), undefined);
  const other = { ...key, key: 'HeartbeatInterval' };
  const answer = { status: 'Accepted' };
  assert.equal(acceptedPassword('ocpp1.6', 'ChangeConfiguration', other, answer), undefined);
});

test('2.x: the result that counts is the one of the password', () => {
  const entry = (component: string, variable: string, rest: object): object => ({
    component: { name: component },
    variable: { name: variable },
    ...rest,
  });
  const setVariableData = [
    entry('OCPPCommCtrlr', 'HeartbeatInterval', { attributeValue: '60' }),
    entry('SecurityCtrlr', 'BasicAuthPassword', { attributeValue: next.toString() }),
  ];
  const reply = (heartbeat: string, password: string): object[] => [
    entry('SecurityCtrlr', 'BasicAuthPassword', { attributeStatus: password }),
    entry('OCPPCommCtrlr', 'HeartbeatInterval', { attributeStatus: heartbeat }),
  ];
  const accepted = (heartbeat: string, password: string): Buffer | undefined =>
    acceptedPassword(
      'ocpp2.0.1',
      'SetVariables',
      { setVariableData },
      { setVariableResult: reply(heartbeat, password) },
    );
  assert.deepEqual(accepted('Rejected', 'Accepted'), next);
  assert.equal(accepted('Accepted', 'Rejected'), undefined);
});

test('a file of passwords: one charger a line, the password as it is', () => {
  const text = '# chargers\r\nCP-1,secret, with comma \n\n CP-2 ,x\n';
  assert.deepEqual(
    [...parsePasswords(text)],
    [
      ['CP-1', Buffer.from('secret, with comma ')],
      ['CP-2', Buffer.from('x')],
    ],
  );
  assert.throws(() => parsePasswords('CP-1,x\nCP-2'), /^Error: line 2 .* "identity,password"$/);
  assert.throws(() => parsePasswords(',x'), /line 1/);
  assert.throws(() => parsePasswords('CP-1,x\nCP-1,y'), /line 2 .* before/);
  assert.throws(() => parsePasswords('\n'.repeat(100_001)), /100000 lines/);
});
