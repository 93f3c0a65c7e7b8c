import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redacted, redactSecrets, redactText } from './secrets.ts';

// Goal: a secret does not survive because its name is spelled in another way or stands elsewhere, and
// neither does a private key.
// Method: the ways in which a lenient charger, or a parser that folds case, still finds the secret;
// beside them twins that must stay as they are.

const secret = 'Pa55w0rd-never-logged';

describe('T2-10: the name of a secret in another spelling, or where it does not belong', () => {
  const entry = (component: unknown, variable: unknown, more = {}) => ({
    attributeValue: secret,
    component,
    variable,
    ...more,
  });
  const controller = { name: 'SecurityCtrlr' };
  const attribute = { type: 'Actual', value: secret };
  const payloads: Readonly<Record<string, object>> = {
    'spaces around a key': { key: ' AuthorizationKey\t', value: secret },
    'a Kelvin sign in a key': { key: 'Authorization\u212aey', value: secret },
    'a key in a list': { key: ['AuthorizationKey'], value: secret },
    'a value in a list': { key: 'AuthorizationKey', value: [secret] },
    'properties in another case': { Key: 'authorizationkey', VALUE: secret },
    'spaces around a property': { ' basicAuthPassword ': secret },
    'spaces around another': { ' password': secret },
    'spaces around the property of a value': { key: 'AuthorizationKey', 'value ': secret },
    'a long s in a property': { 'ba\u017ficAuthPa\u017f\u017fword': secret },
    'spaces around a variable': {
      setVariableData: [entry(controller, { name: ' BASICAUTHPASSWORD ' })],
    },
    'a long s in a variable': {
      setVariableData: [entry(controller, { name: 'Ba\u017ficAuthPa\u017f\u017fword' })],
    },
    'a variable without a component': {
      setVariableData: [entry(undefined, { name: 'BasicAuthPassword' })],
    },
    'a variable named by an object': {
      setVariableData: [entry(controller, { name: { text: 'BasicAuthPassword' } })],
    },
    'a network slot, after an ordinary variable': {
      setVariableData: [
        { ...entry(controller, { name: 'OrganizationName' }), attributeValue: 'CPO' },
        entry({ name: 'NetworkConfiguration' }, { name: 'basicAuthPassword' }),
      ],
    },
    'a slot, in another case': { connectionData: { BASICAUTHPASSWORD: secret } },
    'a report, in another case': {
      reportData: [
        {
          component: controller,
          variable: { name: 'BASICAUTHPASSWORD' },
          variableAttribute: [attribute],
        },
      ],
    },
    'an event, in another case': {
      eventData: [
        { actualValue: secret, component: controller, variable: { name: 'basicauthpassword ' } },
      ],
    },
  };
  for (const [what, payload] of Object.entries(payloads)) {
    test(what, () => {
      const clean = redactText(JSON.stringify([2, '1', 'X', payload]));
      assert(!clean.includes(secret), clean);
      // So it is in what is passed on: nothing here is a guess.
      const passedOn = redactSecrets(payload, { guesses: false });
      assert(passedOn.found && !JSON.stringify(passedOn.value).includes(secret));
    });
  }

  test('the names themselves, and other values beside them, stay', () => {
    const asked = '[2,"1","GetConfiguration",{"key":["AuthorizationKey","HeartbeatInterval"]}]';
    assert.equal(redactText(asked), asked);
    const other = '[2,"1","X",{"key":"HeartbeatInterval","value":"AuthorizationKey"}]';
    assert.equal(redactText(other), other);
    const refused = '[3,"1",{"status":"NotSupported"}]';
    assert.equal(redactText(refused), refused);
  });

  test('what a charger says about a secret value may repeat it', () => {
    const about = (name: string) => ({
      setVariableResult: [
        {
          attributeStatus: 'Rejected',
          attributeStatusInfo: { reasonCode: 'InvalidValue', additionalInfo: `got ${secret}` },
          component: controller,
          variable: { name },
        },
      ],
    });
    assert(!redactText(JSON.stringify(about('BasicAuthPassword'))).includes(secret));
    const twin = JSON.stringify(about('OrganizationName'));
    assert.equal(redactText(twin), twin);
    // A guess: the CSMS is to know why it was rejected.
    assert.equal(redactSecrets(about('BasicAuthPassword'), { guesses: false }).found, false);
  });
});

describe('private keys are taken out', () => {
  const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  const pem = (label: string) => `-----BEGIN ${label}-----\n${secret}\n-----END ${label}-----`;
  const labels = [
    'PRIVATE KEY',
    'EC PRIVATE KEY',
    'RSA PRIVATE KEY',
    'ENCRYPTED PRIVATE KEY',
    'OPENSSH PRIVATE KEY',
    'rsa private key',
  ];
  const textOf = (data: string) => JSON.stringify([2, '1', 'X', { nested: [{ data }] }]);

  for (const label of labels) {
    test(label, () => {
      const around = redactText(textOf(`${certificate}${pem(label)}\n${certificate}`));
      assert.equal(around, textOf(`${certificate}${redacted}\n${certificate}`));
      assert.equal(
        redactText(textOf(`a${pem(label)}b${pem(label)}c`)),
        textOf(`a${redacted}b${redacted}c`),
      );
      // Its end was cut off.
      assert.equal(redactText(textOf(pem(label).slice(0, -30))), textOf(redacted));
    });
  }

  test('one that is written otherwise takes the whole text with it', () => {
    for (const label of ['PRIVATE  KEY', 'PRIVATE_KEY', 'PRIVATE\u00a0KEY', 'PRIVATE-KEY']) {
      assert(!redactText(textOf(pem(label))).includes(secret), label);
    }
    assert(!redactText(`[2,"1","X",${pem('PRIVATE KEY')}`).includes(secret));
    assert(
      !redactText(textOf(pem('PRIVATE KEY')).replace('PRIVATE', '\\u0050RIVATE')).includes(secret),
    );
  });

  test('certificates, requests and public keys stay', () => {
    for (const label of ['CERTIFICATE', 'CERTIFICATE REQUEST', 'PUBLIC KEY']) {
      assert.equal(redactText(textOf(pem(label))), textOf(pem(label)));
    }
  });

  test('a text full of beginnings takes no longer than others', () => {
    const many = '-----BEGIN PRIVATE '.repeat(20_000);
    const ends = `${'-----BEGIN PRIVATE KEY-----'}${'-----END PRIVATE '.repeat(20_000)}`;
    const before = process.cpuUsage();
    for (const text of [many, ends]) redactText(textOf(text));
    const { user } = process.cpuUsage(before);
    assert(user < 1_000_000, `${user} microseconds`);
  });
});
