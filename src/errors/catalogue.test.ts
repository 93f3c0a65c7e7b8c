import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { spellErrorCode } from '../ocpp/error-codes.ts';
import { encodeMessage } from '../ocpp/message.ts';
import { ocppVersions } from '../ocpp/version.ts';
import { type ErrorCode, errors, isCallErrorCode, isCloseErrorCode } from './catalogue.ts';
import type { ErrorEntry } from './error-entry.ts';
import { toCallError } from './to-call-error.ts';
import { toClose } from './to-close.ts';
import { type HttpRefusal, toHttp } from './to-http.ts';

// Goal: every error can be told to a peer within the limits of its protocol, and says nothing of
// what the peer sent.
// Method: walk the catalogue through all three renderers.

const entries = Object.entries(errors) as [ErrorCode, ErrorEntry][];

function refusal(code: ErrorCode): HttpRefusal | undefined {
  return 'http' in errors[code] ? toHttp(code as Parameters<typeof toHttp>[0]) : undefined;
}

describe('the error catalogue', () => {
  for (const [code, entry] of entries) {
    test(`${code} is named, explained and fixed in its words`, () => {
      assert.match(code, /^[A-Z]+(?:_[A-Z]+)*$/);
      for (const text of [entry.meaning, entry.remedy, entry.sentence]) {
        assert.match(text, /^[A-Z].*\.$/s, 'a sentence');
        // A template would be the place where a peer's text could slip in.
        assert.doesNotMatch(text, /[{}$%]|\bundefined\b/, 'static');
      }
      assert.match(entry.sentence, /^[ -~]+$/, 'printable ASCII, for every peer');
    });

    if (isCallErrorCode(code)) {
      test(`${code} as CallError: the code of the version, 255 characters at most`, () => {
        for (const version of ocppVersions) {
          const message = toCallError(code, 'id-1', version);
          const spelled = spellErrorCode(version, errors[code].callError);
          assert.deepEqual(JSON.parse(encodeMessage(message)), [
            4,
            'id-1',
            spelled,
            entry.sentence,
            {},
          ]);
          assert(message.description.length <= 255);
        }
      });
    }

    if (isCloseErrorCode(code)) {
      test(`${code} as close: a code that may be sent, 123 bytes at most`, () => {
        const { closeCode, reason } = toClose(code);
        // RFC 6455 section 7.4: 1004 to 1006 and 1015 never go on the wire.
        assert([1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013].includes(closeCode));
        assert(Buffer.byteLength(reason) <= 123, reason);
        assert.equal(reason, entry.sentence);
      });
    }

    const http = refusal(code);
    if (http !== undefined) {
      test(`${code} as HTTP ${http.status}: an error, with its sentence and no more`, () => {
        assert(http.status >= 400 && http.status <= 599);
        assert.equal(http.body, `${entry.sentence}\n`);
        assert.equal(http.headers['connection'], 'close');
        assert.equal('retry-after' in http.headers, false);
      });
    }

    test(`${code} can be told in at least one way, or is a finding about a reply`, () => {
      const isSilent = entry.callError === undefined && entry.close === undefined && !http;
      const findings = ['MATCH_UNSOLICITED', 'MATCH_LATE', 'MATCH_STALE', 'MATCH_ID_IN_USE'];
      assert.equal(isSilent, findings.includes(code));
    });
  }

  test('strict can close on every code of rule 1 (PNNL-35706 Table 1)', () => {
    const formats = entries.map(([code]) => code).filter((code) => code.startsWith('FORMAT_'));
    assert.equal(formats.length, 12);
    for (const code of formats) assert(isCloseErrorCode(code), code);
  });

  test('rules 2, 4 and 5 can answer a call with every one of their codes', () => {
    for (const [code] of entries) {
      if (/^(?:DIRECTION|PAYLOAD|FIRMWARE)_/.test(code)) assert(isCallErrorCode(code), code);
    }
  });

  test('T4-01: an unknown charger is told nothing but that it is not authorized', () => {
    const { body, headers, status } = toHttp('IDENTITY_UNKNOWN');
    assert.deepEqual([status, body], [401, 'Not authorized.\n']);
    assert.equal(headers['www-authenticate'], 'Basic realm="ocpp", charset="UTF-8"');
  });

  test('a refusal that will pass says when', () => {
    assert.equal(
      toHttp('CSMS_UNREACHABLE', { retryAfterSeconds: 17 }).headers['retry-after'],
      '17',
    );
  });

  test('426 names what to upgrade to (RFC 9110 section 15.5.22)', () => {
    assert.equal(toHttp('UPGRADE_REQUIRED').headers['upgrade'], 'websocket');
  });
});
