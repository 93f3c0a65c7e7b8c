import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type IdentitySource, identityLengthMax, parseChargerId } from './parse-charger-id.ts';

// Goal: one identity from one request, or none: nothing that two readers could read differently.
// Method: tables of targets by source and listener path, the attack beside its benign twin.

const fromPath: IdentitySource = { from: 'path' };

function parsed(
  target: string,
  paths: readonly string[] = ['/ocpp'],
  source: IdentitySource = fromPath,
): string {
  const result = parseChargerId(target, paths, source);
  return result.ok ? result.value : `refused: ${result.error}`;
}

describe('an identity that every reader reads alike passes', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['/ocpp/CP-1', 'CP-1'],
    ['/ocpp/CP_1.2:3@x', 'CP_1.2:3@x'],
    ["/ocpp/a*-_=:+|@.!$&'(),;~", "a*-_=:+|@.!$&'(),;~"],
    ['/ocpp/RDAM%20123', 'RDAM 123'],
    ['/ocpp/RDAM%7C123', 'RDAM|123'],
    ['/ocpp/RDAM%7c123', 'RDAM|123'],
    ['/ocpp/%43P_1', 'CP_1'],
    ['/ocpp/a.b', 'a.b'],
    ['/ocpp/-', '-'],
    ['/ocpp/CP%3Fx', 'CP?x'],
    [`/ocpp/${'x'.repeat(identityLengthMax)}`, 'x'.repeat(identityLengthMax)],
    // One trailing slash (C6).
    ['/ocpp/CP-1/', 'CP-1'],
    // The identity twice (C6).
    ['/ocpp/CP-1/CP-1', 'CP-1'],
    // The whole URL as request target (C5, RFC 9112 section 3.2.2).
    ['ws://gateway.example/ocpp/CP-1', 'CP-1'],
    ['WSS://gateway.example:9443/ocpp/CP-1', 'CP-1'],
    ['http://u:p@elsewhere.example/ocpp/CP-1/', 'CP-1'],
  ];
  for (const [target, identity] of cases) {
    test(`${target} is ${identity}`, () => assert.equal(parsed(target), identity));
  }
});

describe('T2-32: identity confusion is refused', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['an encoded slash and dots', '/ocpp/CP%2F..%2FB'],
    ['an encoded backslash', '/ocpp/CP%5CB'],
    ['a raw backslash', '/ocpp/CP\\B'],
    ['dots as identity', '/ocpp/..'],
    ['one dot as identity', '/ocpp/.'],
    ['dots within', '/ocpp/CP..1'],
    ['encoded dots', '/ocpp/%2e%2e'],
    ['a NUL', '/ocpp/CP_1%00'],
    ['a line feed', '/ocpp/CP_1%0A'],
    ['a carriage return with a header', '/ocpp/CP_1%0D%0AX-Evil:1'],
    ['a DEL', '/ocpp/CP_1%7F'],
    ['double encoding', '/ocpp/%2543P_1'],
    ['an encoded percent sign', '/ocpp/CP%25'],
    ['half an escape', '/ocpp/CP%4'],
    ['an escape that is none', '/ocpp/CP%ZZ'],
    ['overlong UTF-8', '/ocpp/CP%C0%AF1'],
    ['a trailing space', '/ocpp/CP_1%20'],
    ['a leading space', '/ocpp/%20CP_1'],
    ['a space alone', '/ocpp/%20'],
    ['a no-break space', '/ocpp/CP%C2%A01'],
    ['a Cyrillic homoglyph', '/ocpp/%D0%A1P_1'],
    ['a raw homoglyph', '/ocpp/СP_1'],
    ['a zero-width joiner', '/ocpp/CP%E2%80%8D1'],
    ['a byte order mark', '/ocpp/%EF%BB%BFCP_1'],
    ['an emoji', '/ocpp/%F0%9F%98%80'],
    ['one character too many', `/ocpp/${'x'.repeat(identityLengthMax + 1)}`],
    ['a very long target', `/ocpp/${'x'.repeat(5000)}`],
    ['nothing', '/ocpp/'],
    ['two slashes', '/ocpp//CP-1'],
    ['two trailing slashes', '/ocpp/CP-1//'],
    ['two segments', '/ocpp/CP_A/CP_B'],
    ['the identity twice and more', '/ocpp/CP-1/CP-1/CP-1'],
    ['twins in case, one below the other', '/ocpp/CP-1/cp-1'],
    ['a path in the query (CitrineOS)', '/ocpp/CP_A?x=/CP_B'],
    ['any query', '/ocpp/CP_A?'],
    ['two queries', '/ocpp/CP_A?a?b'],
  ];
  for (const [attack, target] of cases) {
    test(`${attack}: ${target.slice(0, 60)}`, () => {
      assert.equal(parsed(target), 'refused: identity');
    });
  }
});

describe('a target that is not below the listener is another path', () => {
  const targets = [
    '/',
    '/ocpp',
    '/ocppCP-1',
    '/OCPP/CP-1',
    '/other/CP-1',
    '//ocpp/CP-1',
    '/%6Fcpp/CP-1',
    'CP-1',
    '',
    '*',
    'gateway.example:443',
    'ftp://gateway.example/ocpp/CP-1',
    'ws://gateway.example',
    '/ocpp/CP-1#x',
  ];
  for (const target of targets) {
    test(JSON.stringify(target), () => assert.equal(parsed(target), 'refused: path'));
  }
});

describe('listener paths', () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['/CP-1', ['/'], 'CP-1'],
    ['/CP-1/', ['/'], 'CP-1'],
    ['/ocpp/CP-1', ['/'], 'refused: identity'],
    ['/a/b/CP-1', ['/a/b'], 'CP-1'],
    ['/b/CP-1', ['/a', '/b'], 'CP-1'],
    // C6: one listener for chargers with and without a prefix, in any order.
    ['/ocpp/CP-1', ['/', '/ocpp'], 'CP-1'],
    ['/ocpp/CP-1', ['/ocpp', '/'], 'CP-1'],
    ['/CP-1', ['/', '/ocpp'], 'CP-1'],
    ['/ocpp/v16/CP-1', ['/ocpp', '/ocpp/v16'], 'CP-1'],
  ];
  for (const [target, paths, expected] of cases) {
    test(`${target} at ${paths.join(' and ')} is ${expected}`, () => {
      assert.equal(parsed(target, paths), expected);
    });
  }
});

describe('C5: the first of several segments, where the listener says so', () => {
  const source: IdentitySource = { from: 'first-segment' };
  const cases: readonly (readonly [string, string])[] = [
    ['/ocpp/CP-1', 'CP-1'],
    ['/ocpp/CP-1/SERIAL', 'CP-1'],
    ['/ocpp/4/CBI-00012/x', '4'],
    ['/ocpp//CP-1', 'refused: identity'],
    ['/ocpp/CP-1/SERIAL?x=1', 'refused: identity'],
    ['/ocpp/CP%2F1/SERIAL', 'refused: identity'],
  ];
  for (const [target, expected] of cases) {
    test(`${target} is ${expected}`, () =>
      assert.equal(parsed(target, ['/ocpp'], source), expected));
  }

  test('the longest path of the listener counts, so that no path becomes an identity', () => {
    assert.equal(parsed('/ocpp/CP-1', ['/', '/ocpp'], source), 'CP-1');
  });
});

describe('C7: a query parameter, where the listener says so', () => {
  const source: IdentitySource = { from: 'query', parameter: 'station' };
  const cases: readonly (readonly [string, string])[] = [
    ['/ocpp?station=CP-1', 'CP-1'],
    ['/ocpp/?station=CP-1', 'CP-1'],
    ['/ocpp?a=1&station=CP%7C1&b', 'CP|1'],
    ['/ocpp?station=CP-1&station=CP-2', 'refused: identity'],
    ['/ocpp?station=CP-1&station', 'refused: identity'],
    ['/ocpp?station=CP-1=2', 'refused: identity'],
    ['/ocpp?station=', 'refused: identity'],
    ['/ocpp?station', 'refused: identity'],
    ['/ocpp?Station=CP-1', 'refused: identity'],
    ['/ocpp?other=CP-1', 'refused: identity'],
    ['/ocpp', 'refused: identity'],
    ['/ocpp?station=CP%2F1', 'refused: identity'],
    ['/ocpp?station=CP-1?station=CP-2', 'refused: identity'],
    ['/ocpp/CP-1?station=CP-2', 'refused: path'],
  ];
  for (const [target, expected] of cases) {
    test(`${target} is ${expected}`, () =>
      assert.equal(parsed(target, ['/ocpp'], source), expected));
  }
});
