import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeSecurityEvent, securityEventIn, securityEvents } from './security-events.ts';
import { ocppVersions } from './version.ts';

// Goal: the security events of chargers are told by the names of any version, and a text that a
// charger makes up is shown, but cannot do harm.
// Method: the whole table; then hostile and unknown texts.

describe('security events', () => {
  test('every name is of one event, in whatever case', () => {
    const names = securityEvents.flatMap(({ name, name16 }) => [name, ...(name16 ? [name16] : [])]);
    assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
    for (const name of names) assert.match(name, /^[A-Za-z]{1,50}$/);
  });

  test('there are 18 in OCPP 1.6, 20 in 2.0.1 and 21 in 2.1', () => {
    const count = (version: (typeof ocppVersions)[number]) =>
      securityEvents.filter(({ isCritical }) => isCritical[version] !== undefined).length;
    assert.deepEqual(ocppVersions.map(count), [18, 20, 21]);
  });

  test('a charger may use the names of another version', () => {
    for (const version of ocppVersions) {
      for (const { name, name16 } of securityEvents) {
        for (const type of [name, name16 ?? name, name.toUpperCase(), ` ${name} `]) {
          const event = securityEventIn(version, type);
          assert.deepEqual([event.name, event.isKnown], [name, true], `${version} ${type}`);
        }
      }
    }
    const in16 = securityEventIn('ocpp1.6', 'InvalidCsmsCertificate');
    assert.deepEqual(in16, securityEventIn('ocpp1.6', 'InvalidCentralSystemCertificate'));
  });

  test('some events are critical only since OCPP 2.0.1', () => {
    const critical = (type: string) =>
      ocppVersions.map((version) => securityEventIn(version, type).isCritical);
    assert.deepEqual(critical('InvalidTLSVersion'), [false, true, true]);
    assert.deepEqual(critical('InvalidChargePointCertificate'), [false, true, true]);
    assert.deepEqual(critical('StartupOfTheDevice'), [true, true, true]);
    assert.deepEqual(critical('InvalidMessages'), [false, false, false]);
    // A version that does not have the event takes it as the one that has it.
    assert.deepEqual(critical('MaintenanceLoginFailed'), [true, true, true]);
    assert.deepEqual(critical('DiscardedRenewedClientCertificate'), [true, true, true]);
  });

  test('T4-03: an unknown event is not critical, whatever it is called', () => {
    for (const type of ['', 'Meltdown', 'constructor', '__proto__', 'FirmwareUpdated!']) {
      const unknown = { name: undefined, isCritical: false, isKnown: false };
      for (const version of ocppVersions) assert.deepEqual(securityEventIn(version, type), unknown);
    }
  });
});

describe('the description of a security event', () => {
  const described = (payload: unknown) => describeSecurityEvent({ payload }, 'ocpp1.6');

  test('the name of OCPP 2.x, and the words of the charger', () => {
    assert.deepEqual(described({ type: 'FirmwareUpdated', techInfo: '1.2' }), {
      type: 'FirmwareUpdated',
      isCritical: true,
      report: 'FirmwareUpdated: 1.2',
    });
    assert.deepEqual(described({ type: 'FailedToAuthenticateAtCentralSystem', techInfo: '' }), {
      type: 'FailedToAuthenticateAtCsms',
      isCritical: false,
      report: 'FailedToAuthenticateAtCentralSystem',
    });
  });

  test('T4-03: names that a charger makes up are all of one type', () => {
    for (const type of ['Vendor.Event', 'A1', 'A2', 'x'.repeat(5000)]) {
      assert.deepEqual(described({ type }).type, 'unknown');
    }
  });

  test('T4-03: what a charger says is short, printable, and has no secrets', () => {
    const long = described({ type: 'x'.repeat(5000), techInfo: 'y'.repeat(50_000) }).report;
    assert.equal(long.length, 50 + 2 + 255);
    const odd = described({ type: 'a\u001b[2Jb', techInfo: 'c\u0000\ud800d\u202e' }).report;
    assert.equal(odd, 'a?[2Jb: c??d?');
    const secret = 'Pa55w0rd-never-logged';
    for (const text of [
      `Authorization: Basic ${secret}`,
      `https://u:${secret}@host/`,
      JSON.stringify({ key: 'AuthorizationKey', value: secret }),
      `-----BEGIN PRIVATE KEY-----\n${secret}`,
      `${'z'.repeat(300)} password ${secret}`,
      `${secret} ${'z'.repeat(300)} was the password`,
    ]) {
      for (const payload of [{ type: 'X', techInfo: text }, { type: text }]) {
        assert(!described(payload).report.includes(secret), text);
      }
    }
    // A mention alone is not a secret when it is all there is.
    assert.equal(described({ type: 'PasswordChanged' }).report, 'PasswordChanged');
  });

  test('payloads of any shape', () => {
    for (const payload of [null, 7, [], {}, { type: 7, techInfo: {} }, { type: ['a'] }]) {
      assert.deepEqual(described(payload), { type: 'unknown', isCritical: false, report: '' });
    }
  });
});
