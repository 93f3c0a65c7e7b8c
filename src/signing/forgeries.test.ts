import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Forgery,
  forged,
  forgedParts,
  goodHeader,
  keySetOf,
  newPrivateKey,
  privateKeyFor,
  problemWith,
  publicJwk,
  signed,
  testSigner,
} from '../../test/support/signing.ts';
import { signWith } from './algorithms.ts';
import { readKeySet } from './key-set.ts';
import { signatureFormats } from './verify.ts';

// Goal: no forgery that is known of JSON Web Signatures gets through (RFC 8725), and no change of a
// single byte.
// Method: one test each, most of them signed with a good key, so that nothing but the forgery can be
// what is refused; then every byte of header, payload and signature, changed in every bit.

describe('forged signatures', () => {
  test('rule 0: algorithm confusion: HS256 with the public key as its secret is refused', () => {
    for (const algorithm of ['ES256', 'RS256'] as const) {
      const publicKey = createPublicKey(privateKeyFor(algorithm));
      const secrets = [
        publicKey.export({ type: 'spki', format: 'pem' }),
        publicKey.export({ type: 'spki', format: 'der' }),
        JSON.stringify(publicKey.export({ format: 'jwk' })),
      ];
      for (const secret of secrets) {
        const header = { ...goodHeader(), kid: testSigner(algorithm).kid, alg: 'HS256' };
        const sign = (data: Buffer): Buffer => createHmac('sha256', secret).update(data).digest();
        const keys = keySetOf([publicKey]);
        assert.equal(problemWith(forged({ header, sign }), { keys }), 'wrong-algorithm');
      }
    }
  });

  test('algorithm confusion: an algorithm that is allowed, but not one of the key, is refused', () => {
    const keys = keySetOf([privateKeyFor('ES256'), privateKeyFor('RS256')]);
    const header = { ...goodHeader(), alg: 'RS256' };
    const sign = (data: Buffer): Buffer => signWith(privateKeyFor('RS256'), 'RS256', data);
    assert.equal(problemWith(forged({ header, sign }), { keys }), 'wrong-algorithm');
    assert.equal(problemWith(forged({ header }), { keys }), 'wrong-algorithm');
  });

  test('an algorithm that the operator has not allowed is refused, also with a pinned key', () => {
    const signer = testSigner('RS384');
    const keys = keySetOf([signer.key], ['RS256']);
    assert.equal(
      problemWith(signed('[2,"a","Reset",{}]', 'ocpp', { signer }), { keys }),
      'wrong-algorithm',
    );
  });

  test('rule 0: alg none is refused in every spelling, with and without a signature', () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'es256', 'ES256 ', 'HS256', 'ES384']) {
      for (const sign of [() => Buffer.alloc(0), undefined]) {
        const forgery = { header: { ...goodHeader(), alg }, ...(sign && { sign }) };
        const problem = problemWith(forged(forgery));
        assert.equal(problem, alg === '' ? 'unreadable' : 'wrong-algorithm', alg);
      }
    }
    assert.equal(problemWith(forged({ header: withoutMember('alg') })), 'unreadable');
    assert.equal(problemWith(forged({ header: { ...goodHeader(), alg: null } })), 'unreadable');
    const list = { ...goodHeader(), alg: ['ES256'] };
    assert.equal(problemWith(forged({ header: list })), 'unreadable');
  });

  test('an empty signature, and one of zeros, is refused', () => {
    for (const signature of [Buffer.alloc(0), Buffer.alloc(64), Buffer.alloc(64, 0xff)]) {
      const sign = (): Buffer => signature;
      assert.equal(problemWith(forged({ header: goodHeader(), sign })), 'altered');
    }
  });

  test('an ECDSA signature in DER is refused', () => {
    const der = Buffer.from('3006020101020101', 'hex');
    assert.equal(problemWith(forged({ header: goodHeader(), sign: () => der })), 'altered');
  });

  test('an embedded key (jwk) is refused, also when it is the pinned one', () => {
    const own = newPrivateKey('ES256');
    const sign = (data: Buffer): Buffer => signWith(own, 'ES256', data);
    const brought = { ...goodHeader(), jwk: publicJwk(own) };
    assert.equal(problemWith(forged({ header: brought, sign })), 'forbidden-header');
    const pinned = { ...goodHeader(), jwk: publicJwk(privateKeyFor('ES256')) };
    assert.equal(problemWith(forged({ header: pinned })), 'forbidden-header');
  });

  test('a place to fetch keys from (jku) is refused', () => {
    const header = { ...goodHeader(), jku: 'https://example.com/keys.json' };
    assert.equal(problemWith(forged({ header })), 'forbidden-header');
  });

  test('a place to fetch certificates from (x5u) is refused', () => {
    const header = { ...goodHeader(), x5u: 'https://example.com/chain.pem' };
    assert.equal(problemWith(forged({ header })), 'forbidden-header');
  });

  test('an embedded chain (x5c), and the SHA-1 of one (x5t), is refused', () => {
    assert.equal(problemWith(forged({ header: { ...goodHeader(), x5c: [] } })), 'forbidden-header');
    assert.equal(
      problemWith(forged({ header: { ...goodHeader(), x5t: 'a' } })),
      'forbidden-header',
    );
  });

  test('critical extensions (crit) are refused, known or not, empty or not', () => {
    for (const crit of [['exp'], ['b64'], ['urn:example:unknown'], [], 'exp', null]) {
      const header = { ...goodHeader(), crit, exp: 4e9, b64: false };
      assert.equal(problemWith(forged({ header })), 'forbidden-header');
    }
  });

  test('a payload that is not encoded (b64), or compressed (zip), is refused', () => {
    assert.equal(
      problemWith(forged({ header: { ...goodHeader(), b64: false } })),
      'forbidden-header',
    );
    assert.equal(
      problemWith(forged({ header: { ...goodHeader(), zip: 'DEF' } })),
      'forbidden-header',
    );
  });

  test('duplicate members of the header are refused, also in other spellings', () => {
    const text = JSON.stringify(goodHeader());
    const doubles = [
      '"alg":"none"',
      '"kid":"x"',
      '"aud":"CP-2"',
      '"a\\u0075d":"CP-2"',
      '"Aud":"x"',
    ];
    for (const double of doubles) {
      assert.equal(problemWith(forged({ header: `{${double},${text.slice(1)}` })), 'unreadable');
      const last = `${text.slice(0, -1)},${double}}`;
      assert.equal(problemWith(forged({ header: last })), 'unreadable', double);
    }
    const proto = `{"__proto__":{},${text.slice(1)}`;
    assert.equal(problemWith(forged({ header: proto })), 'unreadable');
  });

  test('duplicate members of the flattened JWS are refused', () => {
    const { payload, protected: header, signature } = forgedParts({ header: goodHeader() });
    const jws = `"protected":"${header}","payload":"${payload}","signature":"${signature}"`;
    assert.equal(problemWith(`[2,"id-1","Reset-Signed",{${jws}}]`), 'nothing');
    const double = `[2,"id-1","Reset-Signed",{${jws},"payload":"e30"}]`;
    assert.equal(problemWith(double), 'unreadable');
  });

  test('a header that is not protected is refused', () => {
    const parts = { ...forgedParts({ header: goodHeader() }), header: { kid: 'x' } };
    const message = JSON.stringify([2, 'id-1', 'Reset-Signed', parts]);
    assert.equal(problemWith(message), 'forbidden-header');
  });

  test('a general JWS, with a list of signatures, is refused', () => {
    const { payload, ...one } = forgedParts({ header: goodHeader() });
    const message = [2, 'id-1', 'Reset-Signed', { payload, signatures: [one] }];
    assert.equal(problemWith(JSON.stringify(message)), 'unreadable');
  });

  test('oversized headers, signatures, texts and nonces are refused', () => {
    const padded = { ...goodHeader(), unknown: 'x'.repeat(5000) };
    assert.equal(problemWith(forged({ header: padded })), 'oversized');
    const sign = (): Buffer => Buffer.alloc(100_000);
    assert.equal(problemWith(forged({ header: goodHeader(), sign })), 'oversized');
    const kid = { ...goodHeader(), kid: 'x'.repeat(256) };
    assert.equal(problemWith(forged({ header: kid })), 'unreadable');
    assert.equal(
      problemWith(forged({ header: { ...goodHeader(), jti: 'x'.repeat(65) } })),
      'unreadable',
    );
    assert.equal(problemWith(Buffer.alloc(1_000_000, '.')), 'unreadable');
  });

  test('a deeply nested header is refused', () => {
    const deep = `{"alg":"ES256","x":${'['.repeat(1000)}${']'.repeat(1000)}}`;
    assert.equal(problemWith(forged({ header: deep })), 'unreadable');
  });

  test('members of a wrong type are refused', () => {
    const wrong: readonly object[] = [
      { kid: 1 },
      { kid: '' },
      { aud: ['CP-1'] },
      { aud: null },
      { iat: '1' },
      { iat: -1 },
      { iat: 1e20 },
      { jti: 7 },
      { jti: {} },
      { OCPPAction: ['Reset'] },
      { OCPPMessageTypeId: '2' },
      { OCPPMessageId: 1 },
      { exp: 'never' },
    ];
    for (const claims of wrong) {
      const header = { ...goodHeader(), ...claims };
      assert.equal(problemWith(forged({ header })), 'unreadable', JSON.stringify(claims));
    }
    for (const header of ['[]', '"x"', '1', 'null', '', '{', '\ufeff{}']) {
      assert.equal(problemWith(forged({ header })), 'unreadable', header);
    }
  });

  test('one signature has one spelling: padding, other alphabets and stray bits are refused', () => {
    const [header = '', payload = '', signature = ''] = signed(reset, 'whole-frame')
      .toString()
      .split('.');
    const last = signature.at(-1) ?? '';
    const stray = String.fromCharCode(last.charCodeAt(0) + 1);
    const spellings = [
      `${header}.${payload}.${signature}==`,
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -1)}${stray}`,
      `${header}.${payload}.${signature}\n`,
      ` ${header}.${payload}.${signature}`,
      `${header}.${payload}.${signature}.`,
      `${header}.${payload}`,
      `${header}..${signature}`,
      `${header}.${payload}.${signature}A`,
    ];
    for (const spelling of spellings) {
      const problem = problemWith(spelling);
      assert.ok(problem === 'unreadable' || problem === 'altered', `${problem}: ${spelling}`);
    }
    assert.match(last, /[AQgw]/);
  });

  test('text that is not UTF-8 is refused, inside the encoding as well', () => {
    const data = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url');
    const { protected: header } = forgedParts({ header: goodHeader() });
    const signature = signWith(
      privateKeyFor('ES256'),
      'ES256',
      Buffer.from(`${header}.${data}`),
    ).toString('base64url');
    const parts = { protected: header, payload: data, signature };
    const message = JSON.stringify([2, 'id-1', 'Reset-Signed', parts]);
    assert.equal(problemWith(message), 'unreadable');
  });

  test('a payload that would add elements to the message is refused', () => {
    for (const payload of ['{},{}', '{}]', '{}],[', '', ' ', 'undefined']) {
      assert.equal(problemWith(forged({ header: goodHeader(), payload })), 'unreadable', payload);
    }
  });

  test('a key with an exponent of 1, with which everything is its own signature, is not pinned', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const keys = [{ ...publicJwk(key), e: 'AQ' }];
    const set = readKeySet({ jwks: JSON.stringify({ keys }), certificates: [] }, ['RS256']);
    assert.equal(set.ok, false);
  });

  test('garbage of every kind is refused, and nothing throws', () => {
    const garbage = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.json(),
      fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((it) => it.join('.')),
      fc.json().map((json) => `[2,"id-1","Reset-Signed",${json}]`),
      fc.json().map((json) => forged({ header: json })),
    );
    fc.assert(
      fc.property(garbage, (text) => {
        assert.notEqual(problemWith(text), 'nothing');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('altered messages', () => {
  for (const format of signatureFormats) {
    test(`rule 0: ${format}: every change of every byte of header, payload and signature is refused`, () => {
      const frame = signed(reset, format);
      const parts = partsOf(frame.toString());
      for (const [index, part] of parts.entries()) {
        const bytes = Buffer.from(part, 'base64url');
        for (let at = 0; at < bytes.length; at += 1) {
          for (let bit = 0; bit < 8; bit += 1) {
            const changed = Buffer.from(bytes);
            changed[at] = (bytes[at] ?? 0) ^ (1 << bit);
            const text = frame.toString().replace(part, changed.toString('base64url'));
            assert.notEqual(problemWith(text), 'nothing', `part ${index}, byte ${at}, bit ${bit}`);
          }
        }
      }
    });

    test(`rule 0: ${format}: every other letter in any place of the encoding is refused`, () => {
      const text = signed(reset, format).toString();
      const parts = partsOf(text);
      const place = fc.record({
        part: fc.integer({ min: 0, max: 2 }),
        at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        letter: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
        what: fc.constantFrom('replace', 'insert', 'remove'),
      });
      fc.assert(
        fc.property(place, ({ at, letter, part, what }) => {
          const before = parts[part] ?? '';
          const index = Math.floor(at * before.length);
          const after = {
            replace: `${before.slice(0, index)}${letter}${before.slice(index + 1)}`,
            insert: `${before.slice(0, index)}${letter}${before.slice(index)}`,
            remove: `${before.slice(0, index)}${before.slice(index + 1)}`,
          }[what as 'replace'];
          fc.pre(after !== before);
          const changed = text.replace(before, () => after);
          assert.notEqual(problemWith(changed), 'nothing', changed);
        }),
        { numRuns: 3000 },
      );
    });
  }

  test('parts of two good messages make no third one', () => {
    const one = partsOf(signed(reset, 'whole-frame').toString());
    const other = partsOf(signed('[2,"id-2","Reset",{"type":"Hard"}]', 'whole-frame').toString());
    for (const mask of [1, 2, 3, 4, 5, 6]) {
      const mixed = one.map((part, index) => ((mask >> index) & 1 ? other[index] : part));
      assert.equal(problemWith(mixed.join('.')), 'altered');
    }
  });
});

const reset = '[2,"id-1","Reset",{"type":"Soft"}]';

function partsOf(text: string): readonly [string, string, string] {
  const [, , , jws] = text.startsWith('[') ? (JSON.parse(text) as unknown[]) : [];
  if (jws === undefined) return text.split('.') as unknown as [string, string, string];
  const parts = jws as ReturnType<typeof forgedParts>;
  return [parts.protected, parts.payload, parts.signature];
}

function withoutMember(name: string): Forgery['header'] {
  const { [name]: _left, ...rest } = goodHeader();
  return rest;
}
