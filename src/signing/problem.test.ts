import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isCallErrorCode, isCloseErrorCode } from '../errors/catalogue.ts';
import { signatureCodes } from './problem.ts';

// Goal: each problem has a code of its own that can do what Table 1 and the presets want: end the
// connection, or refuse the call.
// Method: walk the table.
describe('the codes of signature problems', () => {
  const codes = Object.values(signatureCodes);

  test('each problem has its own', () => {
    assert.equal(new Set(codes).size, codes.length);
  });

  for (const code of codes) {
    test(`rule 0: ${code} can end a connection, and can answer a call`, () => {
      assert.ok(isCloseErrorCode(code));
      assert.ok(isCallErrorCode(code));
    });
  }
});
