import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  der,
  type IssueOptions,
  makeAuthority,
  type NameAttribute,
  nameDer,
} from '../../test/support/certificates.ts';
import {
  certificateCandidates,
  readCertificates,
  readFields,
  strengthProblem,
  subjectOf,
} from './certificate.ts';
import { judgeChain } from './client-certificate.ts';
import { readTrust } from './trust.ts';

// Goal: whatever is in a certificate, reading it throws nothing and is quick; no two readings of a
// name are possible; and what is odd but harmless is read.
// Method: names in every encoding, certificates that are cut at every length or changed in every
// byte, and texts that are no PEM.

const root = await makeAuthority();
const trust = readTrust({ ca: root.certificatePem });
const nowMs = Date.now();

const certificate = async (wanted: IssueOptions): Promise<X509Certificate> =>
  new X509Certificate((await root.issue(wanted)).certificatePem);

const valuesOf = (leaf: X509Certificate, kind: string): readonly string[] =>
  certificateCandidates(leaf)
    .filter((candidate) => candidate.kind === kind)
    .map(({ value }) => value);

/** Everything that reads a certificate. @returns what a listener says of it. */
function readAll(leaf: X509Certificate): string {
  certificateCandidates(leaf);
  subjectOf(leaf);
  strengthProblem(leaf);
  assert.ok(trust.ok);
  const options = { organizations: [], crlGraceHours: 0, expired: 'refuse' } as const;
  const evidence = { leaf, chain: [leaf], isChainVerified: true };
  const verdict = judgeChain(evidence, trust.value, options, nowMs);
  return verdict.ok ? 'accepted' : verdict.error.code;
}

describe('names', () => {
  const utf16 = (text: string) => Buffer.from(text, 'utf16le').swap16();
  const utf32 = (text: string) =>
    Buffer.concat([...text].map((letter) => Buffer.from([0, 0, 0, letter.charCodeAt(0)])));
  const plain: Readonly<Record<string, readonly [number, Uint8Array]>> = {
    UTF8String: [0x0c, Buffer.from('CP-1')],
    PrintableString: [0x13, Buffer.from('CP-1')],
    T61String: [0x14, Buffer.from('CP-1')],
    IA5String: [0x16, Buffer.from('CP-1')],
    UniversalString: [0x1c, utf32('CP-1')],
    BMPString: [0x1e, utf16('CP-1')],
  };
  for (const [encoding, [tag, value]] of Object.entries(plain)) {
    test(`a CN as ${encoding} is the same name`, async () => {
      const leaf = await certificate({ subjectDer: nameDer([{ type: 'CN', tag, value }]) });
      assert.deepEqual(valuesOf(leaf, 'common-name'), ['CP-1']);
      assert.equal(readAll(leaf), 'accepted');
    });
  }

  const odd: Readonly<Record<string, readonly [number, Uint8Array]>> = {
    'with a NUL': [0x0c, Buffer.from('CP-1\0.evil')],
    'that is a NUL': [0x0c, Buffer.from('\0')],
    'with a line break': [0x0c, Buffer.from('CP-1\n')],
    'that is not ASCII': [0x0c, Buffer.from('Ladesäule')],
    'with look-alike letters': [0x0c, Buffer.from('СР-1')],
    'that is no UTF-8': [0x0c, Buffer.from([0x43, 0xff, 0xfe])],
    'as T61String that is not ASCII': [0x14, Buffer.from([0x43, 0xc8, 0x75])],
    'as BMPString that is not ASCII': [0x1e, Buffer.from([0x04, 0x21])],
    'as UniversalString beyond Unicode': [0x1c, Buffer.from([0xff, 0, 0, 0])],
    'that is empty': [0x0c, Buffer.alloc(0)],
    'that is too long': [0x0c, Buffer.alloc(65, 'A')],
    'that is no text': [0x02, Buffer.from([1])],
  };
  for (const [what, [tag, value]] of Object.entries(odd)) {
    test(`T2-07: a CN ${what} names nobody`, async () => {
      const subjectDer = nameDer([{ type: 'CN', tag, value }]);
      const { certificatePem } = await root.issue({ subjectDer });
      const read = readCertificates(certificatePem);
      // OpenSSL reads some of these, and refuses others.
      const [leaf] = read.ok ? read.value : [];
      if (leaf === undefined) return;
      assert.deepEqual(valuesOf(leaf, 'common-name'), []);
      readAll(leaf);
    });
  }

  test('a subject without anything, and one without a CN, name nobody', async () => {
    for (const subjectDer of [
      nameDer([]),
      nameDer([{ type: 'O', tag: 0x0c, value: Buffer.from('X') }]),
    ]) {
      const leaf = await certificate({ subjectDer });
      assert.deepEqual(valuesOf(leaf, 'common-name'), []);
      assert.equal(readAll(leaf), 'accepted');
    }
  });

  test('T2-07: of several CNs none counts, wherever they stand', async () => {
    const ten = Array.from({ length: 10 }, (_, index) => `CP-${index}`);
    assert.deepEqual(valuesOf(await certificate({ commonName: ten }), 'common-name'), []);
    assert.deepEqual(
      valuesOf(await certificate({ commonName: ['CP-1', 'CP-1'] }), 'common-name'),
      [],
    );
    const name = (value: string | Buffer): NameAttribute => ({
      type: 'CN',
      tag: 0x0c,
      value: Buffer.from(value),
    });
    const hidden = await certificate({
      subjectDer: nameDer([name('CP-1'), name(Buffer.from([0xff]))]),
    });
    assert.deepEqual(valuesOf(hidden, 'common-name'), [], 'one that cannot be decoded counts');
    // Both in one set, where some readers see the first only.
    const attribute = (value: string) =>
      der(
        0x30,
        Buffer.concat([Buffer.from([0x06, 0x03, 0x55, 0x04, 3]), der(0x0c, Buffer.from(value))]),
      );
    const set = der(0x31, Buffer.concat([attribute('CP-1'), attribute('CP-2')]));
    const oneSet = await certificate({ subjectDer: der(0x30, set) });
    assert.deepEqual(subjectOf(oneSet).commonNames, ['CP-1', 'CP-2']);
    assert.deepEqual(valuesOf(oneSet, 'common-name'), []);
  });

  test('more attributes than any certificate has are not read', async () => {
    const name = { type: 'CN', tag: 0x0c, value: Buffer.from('x') } as const;
    const leaf = await certificate({ subjectDer: nameDer(Array.from({ length: 65 }, () => name)) });
    assert.deepEqual(certificateCandidates(leaf), []);
    assert.equal(readAll(leaf), 'CERTIFICATE_UNREADABLE');
  });

  test('CN and O are given as they stand, each one', async () => {
    const leaf = await certificate({ commonName: ' CP 1 ', organization: ['A, B', 'C'] });
    assert.deepEqual(subjectOf(leaf), { commonNames: [' CP 1 '], organizations: ['A, B', 'C'] });
    assert.deepEqual(valuesOf(leaf, 'common-name'), [' CP 1 ']);
  });
});

describe('candidates', () => {
  test('CN, serial number and SHA-256 of a certificate, as `openssl x509` shows them', async () => {
    const leaf = await certificate({ commonName: 'CP-1', serialNumber: '00ab01' });
    assert.deepEqual(certificateCandidates(leaf), [
      { kind: 'common-name', value: 'CP-1' },
      { kind: 'serial-number', value: 'ab01' },
      { kind: 'fingerprint', value: leaf.fingerprint256.replaceAll(':', '').toLowerCase() },
    ]);
  });
});

describe('dates', () => {
  test('what Node reads is what is read here, before and after 2050', async () => {
    const notAfters = ['2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z', '9999-12-31T23:59:59Z'];
    for (const text of notAfters) {
      const leaf = await certificate({ commonName: 'x', notAfter: new Date(text) });
      const fields = readFields(leaf);
      assert.equal(fields?.notAfterMs, Date.parse(text));
      assert.equal(fields?.notAfterMs, leaf.validToDate.getTime());
      assert.equal(fields?.notBeforeMs, leaf.validFromDate.getTime());
    }
  });
});

describe('strength', () => {
  for (const algorithm of [
    'ecdsa-p256',
    'ecdsa-p384',
    'ecdsa-p521',
    'ed25519',
    'ed448',
    'rsa-2048',
    'rsa-3072',
    'rsa-pss-2048',
  ] as const) {
    test(`${algorithm} is strong`, async () => {
      assert.equal(strengthProblem(await certificate({ commonName: 'x', algorithm })), undefined);
    });
  }

  test('T2-08: RSA with 1024 bits, DSA, and SHA-1 are weak', async () => {
    const problem = async (wanted: IssueOptions) => strengthProblem(await certificate(wanted));
    assert.match((await problem({ algorithm: 'rsa-1024' })) ?? '', /fewer than 2048 bits/);
    assert.match((await problem({ algorithm: 'dsa-2048' })) ?? '', /kind/);
    assert.match((await problem({ hash: 'SHA-1' })) ?? '', /sha1/);
  });

  test('T2-08: an exponent of 1, a small curve and a curve that is spelled out are weak', async () => {
    const leaf = await certificate({ algorithm: 'rsa-2048' });
    const at = leaf.raw.lastIndexOf(Buffer.from('0203010001', 'hex'));
    const changed = Buffer.from(leaf.raw);
    changed.set(Buffer.from('0203000001', 'hex'), at);
    assert.ok(strengthProblem(new X509Certificate(changed)), 'not DER, so not read at all');
    const curve = await certificate({ algorithm: 'ecdsa-p256' });
    const smaller = Buffer.from(curve.raw);
    // prime256v1 becomes prime192v1.
    smaller.writeUInt8(1, smaller.indexOf(Buffer.from('2a8648ce3d030107', 'hex')) + 7);
    assert.match(strengthProblem(new X509Certificate(smaller)) ?? '', /key/);
  });
});

describe('T2-08: broken certificates', () => {
  test('a certificate that is cut at any length is refused, in PEM and DER', async () => {
    const { raw } = await certificate({ commonName: 'CP-1', organization: 'Example' });
    for (let length = 0; length < raw.length; length += 1) {
      const read = readCertificates(pemOf(raw.subarray(0, length)));
      assert.ok(!read.ok, `${length} bytes`);
    }
    assert.ok(readCertificates(pemOf(raw)).ok);
    assert.ok(!readCertificates(pemOf(Buffer.concat([raw, Buffer.alloc(1)]))).ok, 'one byte more');
  });

  test('a certificate with any byte changed is never accepted, and breaks nothing', async () => {
    const { raw } = await certificate({
      commonName: 'CP-1',
      extendedKeyUsages: ['1.3.6.1.5.5.7.3.2'],
    });
    let readable = 0;
    for (let offset = 0; offset < raw.length; offset += 1) {
      for (const change of [0x01, 0x20, 0x80, 0xff]) {
        const changed = Buffer.from(raw);
        changed.writeUInt8((raw[offset] ?? 0) ^ change, offset);
        const read = readCertificates(pemOf(changed));
        const [leaf] = read.ok ? read.value : [];
        if (leaf === undefined) continue;
        readable += 1;
        assert.notEqual(readAll(leaf), 'accepted', `${offset} ${change}`);
      }
    }
    assert.ok(readable > 100, 'the test reaches beyond the reader');
  });

  test('a certificate that Node reads and RFC 5280 does not allow is unreadable, and no more', async () => {
    const { raw } = await certificate({ commonName: 'CP-1', serialNumber: '7a' });
    const negative = Buffer.from(raw);
    negative.writeUInt8(0xfa, negative.indexOf(Buffer.from('02017a', 'hex')) + 2);
    const leaf = new X509Certificate(negative);
    assert.deepEqual(certificateCandidates(leaf), []);
    assert.deepEqual(subjectOf(leaf), { commonNames: [], organizations: [] });
    assert.equal(readAll(leaf), 'CERTIFICATE_UNREADABLE');
  });

  test('a certificate of a megabyte is refused without being read', async () => {
    const subjectDer = nameDer([{ type: 'CN', tag: 0x0c, value: Buffer.alloc(1_000_000, 'A') }]);
    const { certificatePem } = await root.issue({ subjectDer });
    const read = readCertificates(certificatePem);
    assert.deepEqual(read, { ok: false, error: 'it has more than 10000 characters' });
    const leaf = new X509Certificate(certificatePem);
    assert.equal(readAll(leaf), 'CERTIFICATE_UNREADABLE');
    assert.deepEqual(certificateCandidates(leaf), []);
  });
});

describe('PEM', () => {
  test('lines may end in any way, and text may stand around', async () => {
    const { certificatePem } = await root.issue({ commonName: 'CP-1' });
    for (const text of [
      certificatePem.replaceAll('\n', '\r\n'),
      certificatePem.replaceAll('\n', '\r'),
      certificatePem.replaceAll('\n', ''),
      certificatePem.trimEnd(),
      `Bag Attributes\n  friendlyName: x\n${certificatePem}\n\n`,
      `-----BEGIN ${certificatePem}`,
    ]) {
      const read = readCertificates(text);
      assert.ok(read.ok, text);
      assert.equal(read.value.length, 1);
    }
  });

  test('garbage is refused with a text that repeats nothing of it', async () => {
    const { certificatePem, keyPem } = await root.issue({ commonName: 'CP-1' });
    const nine = certificatePem.repeat(9).slice(0, 9_999);
    for (const text of [
      '',
      'garbage',
      'garbage '.repeat(10_000),
      '-----BEGIN CERTIFICATE-----',
      '-----BEGIN CERTIFICATE----------END CERTIFICATE-----',
      '-----BEGIN CERTIFICATE-----\ngarbage!\n-----END CERTIFICATE-----',
      '-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----',
      certificatePem.replace('MII', 'MI='),
      certificatePem.replaceAll('CERTIFICATE', 'PUBLIC KEY'),
      keyPem,
      '-----BEGIN '.repeat(900),
      nine,
    ]) {
      const read = readCertificates(text);
      assert.ok(!read.ok, text.slice(0, 60));
      assert.doesNotMatch(read.error, /garbage|MII|KEY/);
    }
  });

  test('more certificates than a chain has are refused', () => {
    const { certificatePem } = root;
    const limits = { charsMax: 100_000, countMax: 8 };
    assert.ok(readCertificates(certificatePem.repeat(8), limits).ok);
    assert.ok(!readCertificates(certificatePem.repeat(9), limits).ok);
  });
});

function pemOf(raw: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

test('the SHA-256 of the key is that of the SPKI that Node exports', async () => {
  const leaf = await certificate({ commonName: 'x' });
  const exported = leaf.publicKey.export({ type: 'spki', format: 'der' });
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(hash(readFields(leaf)?.spki ?? Buffer.alloc(0)), hash(exported));
});
