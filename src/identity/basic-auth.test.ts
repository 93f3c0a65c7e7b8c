import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseBasic, passwordFor, passwordLengthMax } from './basic-auth.ts';

// Goal: one credential from one header, or none; the user name of the connection, or no password.
// Method: tables of headers, what is refused beside what passes; then properties over any bytes.

function header(user: string | Buffer, password: string | Buffer = ''): string {
  const bytes = Buffer.concat([Buffer.from(user), Buffer.from(':'), Buffer.from(password)]);
  return `Basic ${bytes.toString('base64')}`;
}

function passwordIn(value: string, identity: string, user?: string): string | undefined {
  const evidence = parseBasic([value]);
  assert.equal(evidence.is, 'basic', value);
  return passwordFor(evidence, identity, user)?.toString('latin1');
}

describe('the Authorization header', () => {
  test('none is absent', () => assert.deepEqual(parseBasic([]), { is: 'absent' }));

  const good: readonly (readonly [string, string])[] = [
    ['Basic Q1AtMTpzZWNyZXQ=', 'CP-1:secret'],
    ['basic Q1AtMTpzZWNyZXQ=', 'CP-1:secret'],
    ['BASIC   Q1AtMTpzZWNyZXQ=', 'CP-1:secret'],
    // Without padding.
    ['Basic Q1AtMTpzZWNyZXQ', 'CP-1:secret'],
    ['Basic Og==', ':'],
    ['Basic Og', ':'],
    ['Basic Ojo6', ':::'],
  ];
  for (const [value, credential] of good) {
    test(`${value} is ${credential}`, () => {
      assert.deepEqual(parseBasic([value]), { is: 'basic', credential: Buffer.from(credential) });
    });
  }

  const malformed: readonly (readonly [string, readonly string[]])[] = [
    ['two headers', ['Basic Q1AtMTpzZWNyZXQ=', 'Basic Q1AtMjpzZWNyZXQ=']],
    ['the same header twice', ['Basic Q1AtMTpzZWNyZXQ=', 'Basic Q1AtMTpzZWNyZXQ=']],
    ['two credentials in one header', ['Basic Q1AtMTpzZWNyZXQ=, Basic Q1AtMjpzZWNyZXQ=']],
    ['an empty header', ['']],
    ['the scheme alone', ['Basic']],
    ['the scheme and a space', ['Basic ']],
    ['no space', ['BasicQ1AtMTpzZWNyZXQ=']],
    ['a tab', ['Basic\tQ1AtMTpzZWNyZXQ=']],
    ['another scheme', ['Bearer Q1AtMTpzZWNyZXQ=']],
    ['a scheme that ends like it', ['XBasic Q1AtMTpzZWNyZXQ=']],
    ['no base64', ['Basic CP-1:secret']],
    ['the other alphabet', ['Basic Oj_-']],
    ['a space inside', ['Basic Q1At MTpzZWNyZXQ=']],
    ['something behind it', ['Basic Q1AtMTpzZWNyZXQ= x']],
    ['too much padding', ['Basic Q1AtMTpzZWNyZXQ==']],
    ['padding where none belongs', ['Basic Ojo6=']],
    ['padding inside', ['Basic Og==Ojo6']],
    ['padding alone', ['Basic ==']],
    ['one digit too many', ['Basic Ojo6O']],
    ['digits whose last bits are lost', ['Basic Oh==']],
    ['no colon', [`Basic ${Buffer.from('CP-1').toString('base64')}`]],
    ['a password that is too long', [header('CP-1', 'x'.repeat(passwordLengthMax + 1))]],
    ['a user name that is too long', [header('x'.repeat(1000))]],
    ['more spaces than anybody sends', [`Basic ${' '.repeat(100_000)}Og==`]],
    ['a megabyte', [`Basic ${'A'.repeat(1_000_000)}`]],
  ];
  for (const [what, values] of malformed) {
    test(`${what} is malformed`, () => assert.deepEqual(parseBasic(values), { is: 'malformed' }));
  }

  test('the longest password passes', () => {
    const longest = 'x'.repeat(passwordLengthMax);
    assert.equal(passwordIn(header('CP-1', longest), 'CP-1'), longest);
  });

  test('any text is read, or refused, and never breaks anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseBasic([text]);
        parseBasic([`Basic ${text}`]);
      }),
    );
  });
});

describe('the password in a credential', () => {
  const value = header('CP-1', 'secret');

  test('T2-06: with the user name of another charger there is none', () => {
    for (const other of ['CP-2', 'CP-', 'CP-11', 'P-1', '', 'CP-1:secret:more', 'ＣP-1', 'CP-1 ']) {
      assert.equal(passwordIn(value, other), undefined, other);
    }
    assert.equal(passwordIn(value, 'CP-1'), 'secret');
  });

  test('the case of the user name does not matter, that of the password stays', () => {
    assert.equal(passwordIn(header('cp-1', 'SeCret'), 'CP-1'), 'SeCret');
    assert.equal(passwordIn(header('CP-Z', 'SeCret'), 'cp-z'), 'SeCret');
  });

  test('only ASCII letters fold: neighbours of them do not', () => {
    for (const [one, other] of ['@`', '[{', '^~', ']}'].map((pair) => Array.from(pair))) {
      assert.equal(passwordIn(header(`CP${one}`), `CP${other}`), undefined, `${one} ${other}`);
    }
    // The Kelvin sign folds to a k elsewhere.
    assert.equal(passwordIn(header('CP-\u212a'), 'CP-k'), undefined);
  });

  test('C9: where a user name is written down, it holds and the identity does not', () => {
    assert.equal(passwordIn(value, 'OTHER', 'CP-1'), 'secret');
    assert.equal(passwordIn(value, 'CP-1', 'fleet'), undefined);
    assert.equal(passwordIn(header('flöte', 'x'), 'CP-1', 'flöte'), 'x');
  });

  test('C12: an identity may hold colons, and so may the password', () => {
    assert.equal(passwordIn(header('CP:1', 'a:b:'), 'CP:1'), 'a:b:');
    assert.equal(passwordIn(header('CP', '1:a'), 'CP'), '1:a');
    assert.equal(passwordIn(header('CP:1', 'a'), 'CP:2'), undefined);
    // The password that follows a shorter name is longer: it is wrong, and found to be so later.
    assert.equal(passwordIn(header('CP:1', 'a'), 'CP'), '1:a');
  });

  test('C10: a password is bytes: no UTF-8, with zeros and colons', () => {
    const bytes = Buffer.from('00ff3a800a0d3a00c3283aff00112233', 'hex');
    const evidence = parseBasic([header('CP-1', bytes)]);
    assert(evidence.is === 'basic');
    assert.deepEqual(passwordFor(evidence, 'CP-1'), bytes);
  });

  test('an empty password is a password, and for the verifier to refuse', () => {
    assert.equal(passwordIn(header('CP-1'), 'CP-1'), '');
  });

  test('whatever name and password are, they come out as they went in', () => {
    const name = fc.stringMatching(/^[!-~]{1,64}$/).filter((text) => !text.includes(':'));
    const password = fc.uint8Array({ maxLength: passwordLengthMax });
    fc.assert(
      fc.property(name, password, fc.boolean(), (user, bytes, isPadded) => {
        const padded = header(user, Buffer.from(bytes));
        const evidence = parseBasic([isPadded ? padded : padded.replace(/=+$/, '')]);
        assert(evidence.is === 'basic');
        assert.deepEqual(passwordFor(evidence, user.toUpperCase()), Buffer.from(bytes));
      }),
    );
  });
});
