import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeAuthority, makeRequest, nameDer } from '../../test/support/certificates.ts';
import { acceptedContext } from '../../test/support/policy-context.ts';
import { samplePayload } from '../../test/support/sample-payload.ts';
import { actionsOf, senderOf } from '../ocpp/actions.ts';
import { type OcppVersion, ocppVersions, type Peer } from '../ocpp/version.ts';
import type { Frame } from '../rules/frame.ts';
import type { Correlation } from '../rules/rule.ts';
import { certificates, commonNameToLookUp } from './certificates.ts';
import type { PolicyContext } from './context.ts';

// Goal: a charger asks for its own certificate, gets the one that it asked for, and keeps the one
// that it needs; whatever else is done with certificates passes.
// Method: requests and certificates of each kind, good and bad, in each version; then all other
// actions, which the rule must leave alone.

type Call = readonly [action: string, payload: object];

const nowMs = Date.now();
const root = await makeAuthority();
const request = await makeRequest({ commonName: 'SERIAL-1' });
const seen = { spkiSha256: request.spkiSha256 };
const good = await root.issue({ commonName: 'SERIAL-1', keyPem: request.keyPem });
const later = ['ocpp2.0.1', 'ocpp2.1'] as const;

interface Given {
  readonly version?: OcppVersion;
  readonly from?: Peer;
  readonly context?: Partial<PolicyContext>;
  readonly correlation?: Correlation;
}

function violationOf([action, payload]: Call, given: Given = {}) {
  const { correlation = { is: 'new' }, version = 'ocpp1.6' } = given;
  const context = acceptedContext(version, { nowMs: () => nowMs, ...given.context });
  const frame = { kind: 'call', id: '1', action, payload, bytes: new Uint8Array() } as Frame;
  const isOfCharger = senderOf(version, action) === 'charger';
  const from = given.from ?? (isOfCharger ? 'charger' : 'csms');
  return certificates.check({ context, frame, from, version, correlation });
}

/** Code and severity, or `pass`. */
function judge(call: Call, given: Given = {}): string {
  const found = violationOf(call, given);
  if (found === undefined) return 'pass';
  assert.equal(found.rule, 'certificates');
  assert.ok(found.detail.length > 0 && !found.detail.includes('SERIAL'), found.detail);
  return `${found.code} ${found.severity}`;
}

const sign = (csr: unknown, more: object = {}): Call => ['SignCertificate', { csr, ...more }];
const signed = (certificateChain: unknown, more: object = {}): Call => [
  'CertificateSigned',
  { certificateChain, ...more },
];

describe('T2-12: certificates that are in use', () => {
  const hashData = {
    hashAlgorithm: 'SHA256',
    issuerNameHash: '1a',
    issuerKeyHash: '2b',
    serialNumber: '3c',
  };
  const asked: unknown[] = [];
  const context = {
    isOwnCertificate: (data: { readonly serialNumber: unknown }) => {
      asked.push(data);
      return data.serialNumber === '3c';
    },
  };
  for (const version of ocppVersions) {
    test(`T2-12: ${version}: the certificate of this connection is not deleted, another one is`, () => {
      const remove = (data: unknown): Call => ['DeleteCertificate', { certificateHashData: data }];
      assert.equal(judge(remove(hashData), { version, context }), 'CERTIFICATE_IN_USE hard');
      assert.deepEqual(asked.at(-1), hashData);
      const other = { ...hashData, serialNumber: '4d' };
      assert.equal(judge(remove(other), { version, context }), 'pass');
      for (const odd of [undefined, null, 7, 'x', []]) {
        assert.equal(judge(remove(odd), { version, context }), 'pass');
      }
    });
  }
});

describe('T2-13: certificates for the charger', () => {
  const unrequested = 'CERTIFICATE_UNREQUESTED hard';
  const context = { lastSigningRequest: seen, commonNames: ['SERIAL-1'] };
  const issue = (wanted: object) =>
    root.issue({ commonName: 'SERIAL-1', keyPem: request.keyPem, ...wanted });
  const inDays = (days: number) => new Date(nowMs + days * 86_400_000);

  for (const version of ocppVersions) {
    test(`${version}: the certificate that was asked for passes, with and without its chain`, async () => {
      assert.equal(judge(signed(good.certificatePem), { version, context }), 'pass');
      const below = await (await root.intermediate()).issue({
        commonName: 'SERIAL-1',
        keyPem: request.keyPem,
      });
      assert.equal(judge(signed(below.chainPem), { version, context }), 'pass');
      const crlf = good.certificatePem.replaceAll('\n', '\r\n');
      assert.equal(judge(signed(crlf), { version, context }), 'pass');
      const nameless = { ...context, commonNames: [] };
      assert.equal(judge(signed(good.certificatePem), { version, context: nameless }), 'pass');
    });

    test(`T2-13: ${version}: a certificate with another key is refused`, async () => {
      const other = await root.issue({ commonName: 'SERIAL-1' });
      assert.equal(judge(signed(other.certificatePem), { version, context }), unrequested);
      const behind = other.certificatePem + good.certificatePem;
      assert.equal(
        judge(signed(behind), { version, context }),
        unrequested,
        'the first one counts',
      );
    });
  }

  test('T2-13: what a charger cannot use, or another could, is refused', async () => {
    const bad: Readonly<Record<string, object>> = {
      'of an authority': { isCa: true },
      'of the future': { notBefore: inDays(1), notAfter: inDays(9) },
      expired: { notBefore: inDays(-9), notAfter: inDays(-1) },
      'with another CN': { commonName: 'SERIAL-2' },
      'with two CNs': { commonName: ['SERIAL-1', 'SERIAL-2'] },
      'without a CN': { commonName: [] },
      'signed with SHA-1': { hash: 'SHA-1' },
    };
    for (const [what, wanted] of Object.entries(bad)) {
      const { certificatePem } = await issue(wanted);
      assert.equal(judge(signed(certificatePem), { context }), unrequested, what);
      const unseen = { commonNames: ['SERIAL-1'], lastSigningRequest: undefined };
      assert.equal(judge(signed(certificatePem), { context: unseen }), unrequested, what);
    }
    const weak = await makeRequest({ algorithm: 'rsa-1024', commonName: 'SERIAL-1' });
    const { certificatePem } = await issue({ keyPem: weak.keyPem });
    const asWeak = { ...context, lastSigningRequest: { spkiSha256: weak.spkiSha256 } };
    assert.equal(judge(signed(certificatePem), { context: asWeak }), unrequested);
  });

  test('T2-13: what is no chain is refused, in any shape', () => {
    const cut = good.certificatePem.slice(0, -100);
    const long = good.certificatePem + ' '.repeat(10_000);
    const garbage = ['', 'x', cut, long, undefined, null, 7, [good.certificatePem], {}];
    for (const chain of garbage) assert.equal(judge(signed(chain), { context }), unrequested);
  });

  test('T2-13: without a request that was seen, a good certificate is only odd', () => {
    const unseen = { ...context, lastSigningRequest: undefined };
    assert.equal(
      judge(signed(good.certificatePem), { context: unseen }),
      'CERTIFICATE_UNREQUESTED soft',
    );
  });

  test('T2-13: the requestId of OCPP 2.1 must be that of the request, if there is one', () => {
    const given = (requestId: number | undefined, version: OcppVersion = 'ocpp2.1') => ({
      version,
      context: {
        ...context,
        lastSigningRequest: requestId === undefined ? seen : { ...seen, requestId },
      },
    });
    const answer = (more: object) => signed(good.certificatePem, more);
    assert.equal(judge(answer({ requestId: 7 }), given(7)), 'pass');
    assert.equal(judge(answer({}), given(7)), 'pass', 'the key says enough');
    assert.equal(judge(answer({ requestId: 8 }), given(7)), unrequested);
    assert.equal(judge(answer({ requestId: 8 }), given(undefined)), unrequested);
    assert.equal(judge(answer({ requestId: null }), given(7)), unrequested);
  });

  for (const version of later) {
    test(`T2-13: ${version}: only certificates for vehicles have other names and keys`, async () => {
      const { certificatePem } = await root.issue({ commonName: 'EVSE-7' });
      const of = (certificateType: unknown) => signed(certificatePem, { certificateType });
      assert.equal(judge(of('V2GCertificate'), { version, context }), 'pass');
      for (const type of ['ChargingStationCertificate', undefined, 'v2gcertificate', 7, null]) {
        assert.equal(judge(of(type), { version, context }), unrequested);
      }
    });
  }
});

describe('T2-14: requests of the charger', () => {
  const unacceptable = 'CERTIFICATE_REQUEST_UNACCEPTABLE hard';
  const context = { commonNames: ['SERIAL-0', 'SERIAL-1'] };
  const csrOf = async (...wanted: Parameters<typeof makeRequest>) =>
    sign((await makeRequest(...wanted)).requestPem);

  for (const version of ocppVersions) {
    for (const algorithm of ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const) {
      test(`${version}: a request of the charger with ${algorithm} passes`, async () => {
        const call = await csrOf({ commonName: 'SERIAL-1', algorithm });
        assert.equal(judge(call, { version, context }), 'pass');
        assert.equal(judge(call, { version }), 'pass', 'when nobody has said what its CN is');
      });
    }

    test(`T2-14: ${version}: a request in the name of another charger is refused`, async () => {
      for (const commonName of ['SERIAL-2', 'serial-1', '', ['SERIAL-1', 'SERIAL-2'], []]) {
        assert.equal(judge(await csrOf({ commonName }), { version, context }), unacceptable);
      }
    });

    test(`T2-14: ${version}: a request with a key that the charger does not have is refused`, async () => {
      const call = await csrOf({ commonName: 'SERIAL-1', isForeignKey: true });
      assert.equal(judge(call, { version, context }), unacceptable);
    });

    test(`T2-14: ${version}: requests that come too often are refused`, async () => {
      const call = await csrOf({ commonName: 'SERIAL-1' });
      const often = { ...context, mayRequestCertificate: false };
      assert.equal(judge(call, { version, context: often }), 'CERTIFICATE_REQUEST_TOO_OFTEN hard');
      const correlation = { is: 'retry', open: true } as const;
      assert.equal(judge(call, { version, context: often, correlation }), 'pass', 'a repeated one');
    });
  }

  for (const [call, code] of [
    [sign(request.requestPem), 'CERTIFICATE_REQUEST_UNACCEPTABLE hard'],
    [signed(good.certificatePem), 'CERTIFICATE_UNREQUESTED hard'],
  ] as const) {
    test(`T2-14: ${call[0]} with a name that is bound to another charger is refused`, () => {
      const context = (isForeign: boolean | 'unknown' | undefined) => ({
        lastSigningRequest: seen,
        isForeignName: (name: string) => (name === 'SERIAL-1' ? isForeign : undefined),
      });
      assert.equal(judge(call, { context: context(false) }), 'pass');
      assert.equal(judge(call, { context: context(true) }), code);
      // Nobody knows whose it is while the store is away; a certificate can wait.
      assert.equal(judge(call, { context: context('unknown') }), code);
    });

    test(`T2-14: whose the name in ${call[0]} is, is asked once, and only where it matters`, () => {
      const from = call[0] === 'SignCertificate' ? 'charger' : 'csms';
      const asked = (side: Peer, changes: Partial<PolicyContext>, more: object = {}) => {
        const payload = { ...call[1], ...more };
        const frame = { kind: 'call', id: '1', action: call[0], payload } as unknown as Frame;
        return commonNameToLookUp(frame, side, acceptedContext('ocpp2.0.1', changes));
      };
      const nobodyKnows = { isForeignName: () => undefined };
      assert.equal(asked(from, nobodyKnows), 'SERIAL-1');
      assert.equal(asked(from, { isForeignName: () => false }), undefined);
      assert.equal(asked(from, { isForeignName: () => 'unknown' }), undefined);
      assert.equal(asked(from, { ...nobodyKnows, securityProfile: 1 }), undefined);
      assert.equal(asked(from === 'csms' ? 'charger' : 'csms', nobodyKnows), undefined);
      assert.equal(asked(from, nobodyKnows, { certificateType: 'V2GCertificate' }), undefined);
      assert.equal(asked(from, nobodyKnows, { csr: 'x', certificateChain: 'x' }), undefined);
    });
  }

  test('T2-14: in OCPP 1.6 a type is no reason to look away, and a repeated request counts', () => {
    const context = { commonNames: ['SERIAL-9'] };
    const more = { certificateType: 'V2GCertificate' };
    const foreign = 'CERTIFICATE_REQUEST_UNACCEPTABLE hard';
    assert.equal(judge(sign(request.requestPem, more), { context }), foreign);
    assert.equal(judge(sign(request.requestPem, more), { context, version: 'ocpp2.1' }), 'pass');
    const tooMany = { mayRequestCertificate: false };
    const repeated = (open: boolean) =>
      judge(sign(request.requestPem), { context: tooMany, correlation: { is: 'retry', open } });
    assert.equal(repeated(true), 'pass');
    assert.equal(repeated(false), 'CERTIFICATE_REQUEST_TOO_OFTEN hard');
  });

  test('T2-14: a name that cannot be decoded is not the same as another one', async () => {
    const name = (byte: number) => nameDer([{ type: 'CN', tag: 0x0c, value: Buffer.from([byte]) }]);
    const call = await csrOf({ subjectDer: name(0xff) });
    assert.equal(judge(call, { context: { commonNames: ['\ufffd'] } }), unacceptable);
    const text = await csrOf({ commonName: 'Ladesäule 1' });
    assert.equal(judge(text, { context: { commonNames: ['Ladesäule 1'] } }), 'pass');
  });

  test('T2-14: a weak request, and one for an authority, are refused', async () => {
    for (const wanted of [
      { algorithm: 'rsa-1024' },
      { hash: 'SHA-1' },
      { isForCa: true },
    ] as const) {
      const call = await csrOf({ commonName: 'SERIAL-1', ...wanted });
      assert.equal(judge(call, { context }), unacceptable);
    }
  });

  test('T2-14: what is no request is refused, in any shape', () => {
    for (const csr of ['', 'x', request.requestPem.slice(1), undefined, null, 7, [], {}]) {
      assert.equal(judge(sign(csr), { context }), unacceptable);
    }
  });

  for (const version of later) {
    test(`T2-14: ${version}: a request for talking to vehicles has a name of its own, and a good key`, async () => {
      const of = async (...wanted: Parameters<typeof makeRequest>) =>
        sign((await makeRequest(...wanted)).requestPem, { certificateType: 'V2GCertificate' });
      assert.equal(judge(await of({ commonName: 'EVSE-7' }), { version, context }), 'pass');
      const weak = await of({ commonName: 'EVSE-7', algorithm: 'rsa-1024' });
      assert.equal(judge(weak, { version, context }), unacceptable);
      const foreign = await of({ commonName: 'EVSE-7', isForeignKey: true });
      assert.equal(judge(foreign, { version, context }), unacceptable);
    });
  }
});

describe('certificates without TLS', () => {
  const actions = [
    'CertificateSigned',
    'DeleteCertificate',
    'GetInstalledCertificateIds',
    'InstallCertificate',
    'SignCertificate',
  ];
  for (const version of ocppVersions) {
    test(`${version}: below security profile 2 nothing is done with certificates`, () => {
      for (const securityProfile of [0, 1]) {
        for (const action of actions) {
          const found = judge([action, {}], { version, context: { securityProfile } });
          assert.equal(found, 'CERTIFICATE_OPERATION_INSECURE hard', action);
        }
      }
      for (const securityProfile of [2, 3]) {
        for (const action of ['GetInstalledCertificateIds', 'InstallCertificate']) {
          assert.equal(judge([action, {}], { version, context: { securityProfile } }), 'pass');
        }
      }
    });

    test(`${version}: below security profile 2 no request is triggered`, () => {
      const context = { securityProfile: 1 };
      for (const action of ['TriggerMessage', 'ExtendedTriggerMessage']) {
        const trigger = (requestedMessage: unknown) =>
          judge([action, { requestedMessage }], { version, context });
        for (const name of [
          'SignChargePointCertificate',
          'SignChargingStationCertificate',
          'SignCombinedCertificate',
          'SignV2GCertificate',
          'SignV2G20Certificate',
        ]) {
          assert.equal(trigger(name), 'CERTIFICATE_OPERATION_INSECURE hard');
        }
        for (const name of ['Heartbeat', 'FirmwareStatusNotification', undefined, 7]) {
          assert.equal(trigger(name), 'pass');
        }
      }
    });

    test(`${version}: all other actions are left alone`, () => {
      const context = { securityProfile: 0, mayRequestCertificate: false };
      for (const action of actionsOf(version)) {
        if (actions.includes(action)) continue;
        const payload = samplePayload(version, action, 'request', 'full');
        for (const from of ['charger', 'csms'] as const) {
          assert.equal(judge([action, payload], { version, context, from }), 'pass', action);
        }
      }
    });
  }

  test('replies are left alone, and so is what comes from the wrong side', () => {
    const context = acceptedContext('ocpp1.6', { securityProfile: 0 });
    const frame = { kind: 'call-result', id: '1', payload: {}, bytes: new Uint8Array() } as Frame;
    const input = { frame, version: 'ocpp1.6', correlation: { is: 'new' } } as const;
    for (const from of ['charger', 'csms'] as const) {
      assert.equal(certificates.check({ context, ...input, from }), undefined);
    }
    assert.equal(judge(sign(''), { from: 'csms' }), 'pass');
    assert.equal(judge(signed(''), { from: 'charger' }), 'pass');
  });
});
