import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errors, type HttpErrorCode } from './catalogue.ts';
import { toHttp } from './to-http.ts';

// Goal: a stranger who is refused learns nothing from the answer, neither who exists nor what was
//   wrong, on listeners with passwords and on listeners with certificates.
// Method: walk the catalogue.

const codes = (Object.keys(errors) as (keyof typeof errors)[]).filter(
  (code): code is HttpErrorCode => 'http' in errors[code],
);
const refusals = codes.filter((code) => errors[code].http === 401);

describe('answers to those that are not authorized', () => {
  test('T4-01: with passwords, all codes have one and the same answer, with a challenge', () => {
    assert.ok(refusals.includes('IDENTITY_UNKNOWN'));
    assert.ok(refusals.includes('PASSWORD_WRONG'));
    for (const code of refusals) {
      assert.deepEqual(
        toHttp(code),
        {
          status: 401,
          headers: {
            connection: 'close',
            'content-type': 'text/plain; charset=utf-8',
            'www-authenticate': 'Basic realm="ocpp", charset="UTF-8"',
          },
          body: 'Not authorized.\n',
        },
        code,
      );
    }
  });

  test('T4-01: with certificates, all codes have one and the same answer, without one', () => {
    for (const code of refusals) {
      assert.deepEqual(
        toHttp(code, { challenge: 'none' }),
        {
          status: 403,
          headers: { connection: 'close', 'content-type': 'text/plain; charset=utf-8' },
          body: 'Not authorized.\n',
        },
        code,
      );
    }
  });

  test('nobody else is challenged, and other answers are the same on all listeners', () => {
    for (const code of codes) {
      if (refusals.includes(code)) continue;
      const answer = toHttp(code);
      assert.equal('www-authenticate' in answer.headers, false, code);
      assert.deepEqual(toHttp(code, { challenge: 'none' }), answer);
    }
  });

  test('a refusal that will pass says when', () => {
    const { headers, status } = toHttp('ATTEMPTS_EXHAUSTED', { retryAfterSeconds: 17 });
    assert.deepEqual([status, headers['retry-after']], [429, '17']);
  });
});
