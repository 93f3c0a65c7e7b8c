import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mayHoldSecret, redacted, redactSecrets, redactText } from './secrets.ts';

// Goal: no secret that OCPP knows survives, wherever a message carries it, and nothing else changes.
// Method: messages with the secret "Pa55w0rd-never-logged" in every known place, each looked at as
// text; beside them their twins without a secret, which must come out byte for byte.

const secret = 'Pa55w0rd-never-logged';

const hiding: Readonly<Record<string, unknown>> = {
  'ChangeConfiguration AuthorizationKey (1.6)': [
    2,
    '1',
    'ChangeConfiguration',
    { key: 'AuthorizationKey', value: secret },
  ],
  'the key in another case': [
    2,
    '1',
    'ChangeConfiguration',
    { key: 'AUTHORIZATIONKEY', value: secret },
  ],
  'the value before its key': [
    2,
    '1',
    'ChangeConfiguration',
    { value: secret, key: 'AuthorizationKey' },
  ],
  'GetConfiguration reply (1.6)': [
    3,
    '1',
    {
      configurationKey: [
        { key: 'HeartbeatInterval', readonly: false, value: '300' },
        { key: 'AuthorizationKey', readonly: false, value: secret },
      ],
    },
  ],
  'SetVariables BasicAuthPassword (2.x)': [
    2,
    '1',
    'SetVariables',
    {
      setVariableData: [
        {
          attributeValue: secret,
          component: { name: 'SecurityCtrlr' },
          variable: { name: 'BasicAuthPassword' },
        },
      ],
    },
  ],
  'GetVariables reply (2.x)': [
    3,
    '1',
    {
      getVariableResult: [
        {
          attributeStatus: 'Accepted',
          attributeValue: secret,
          component: { name: 'SecurityCtrlr' },
          variable: { name: 'BasicAuthPassword' },
        },
      ],
    },
  ],
  'NetworkConfiguration variable, named by its instance (2.1)': [
    2,
    '1',
    'SetVariables',
    {
      setVariableData: [
        {
          attributeValue: secret,
          component: { name: 'NetworkConfiguration', instance: '1' },
          variable: { name: 'Credentials', instance: 'VpnPassword' },
        },
      ],
    },
  ],
  'NotifyReport, two levels below the name (2.x)': [
    2,
    '1',
    'NotifyReport',
    {
      requestId: 1,
      seqNo: 0,
      generatedAt: '2026-01-01T00:00:00Z',
      reportData: [
        {
          component: { name: 'SecurityCtrlr' },
          variable: { name: 'BasicAuthPassword' },
          variableAttribute: [{ type: 'Actual', value: secret }],
        },
      ],
    },
  ],
  'NotifyEvent actualValue (2.x)': [
    2,
    '1',
    'NotifyEvent',
    {
      eventData: [
        {
          actualValue: secret,
          component: { name: 'SecurityCtrlr' },
          variable: { name: 'BasicAuthPassword' },
        },
      ],
    },
  ],
  'SetNetworkProfile apnPassword (2.x)': [
    2,
    '1',
    'SetNetworkProfile',
    { configurationSlot: 1, connectionData: { apn: { apn: 'net', apnPassword: secret } } },
  ],
  'SetNetworkProfile vpn password (2.x)': [
    2,
    '1',
    'SetNetworkProfile',
    { connectionData: { vpn: { server: 'v', user: 'u', password: secret, key: 'k' } } },
  ],
  'SetNetworkProfile vpn key (2.x)': [
    2,
    '1',
    'SetNetworkProfile',
    { connectionData: { vpn: { server: 'v', user: 'u', password: '', key: secret } } },
  ],
  'SetNetworkProfile basicAuthPassword (2.1)': [
    2,
    '1',
    'SetNetworkProfile',
    { connectionData: { ocppCsmsUrl: 'wss://c.example', basicAuthPassword: secret } },
  ],
  'GetDiagnostics location': [
    2,
    '1',
    'GetDiagnostics',
    { location: `ftp://user:${secret}@files.example/up` },
  ],
  'GetLog remoteLocation': [
    2,
    '1',
    'GetLog',
    { log: { remoteLocation: `HTTPS://u:${secret}@files.example:8443/up?x=1#y` } },
  ],
  'a secret that is an object': [
    2,
    '1',
    'ChangeConfiguration',
    { key: 'AuthorizationKey', value: { hex: secret } },
  ],
};

describe('secrets are taken out', () => {
  for (const [place, message] of Object.entries(hiding)) {
    test(place, () => {
      const text = JSON.stringify(message);
      assert(mayHoldSecret(text));
      const clean = redactText(text);
      assert(!clean.includes(secret), clean);
      assert(clean.includes(redacted));
      // Everything else is still there.
      assert.deepEqual(clean.split(redacted).length, 2 + Number(place.includes('vpn password')));
      assert(redactSecrets(message, { guesses: true }).found);
    });
  }

  test('a number as secret', () => {
    const { value, found } = redactSecrets({ apn: { simPin: 1234 } }, { guesses: true });
    assert(found);
    assert.deepEqual(value, { apn: { simPin: redacted } });
  });

  test('a secret behind an escape: the key is spelled \\u0070assword', () => {
    const text = `[2,"1","SetNetworkProfile",{"vpn":{"\\u0070\\u0061ssword":"${secret}"}}]`;
    assert(!redactText(text).includes(secret), redactText(text));
    const key = `[2,"1","X",{"\\u006bey":"Authorization\\u004bey","value":"${secret}"}]`;
    assert(!redactText(key).includes(secret), redactText(key));
  });
});

describe('a text that cannot be parsed keeps its structure alone', () => {
  const texts = [
    `[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"${secret}"}`,
    `[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"${secret}`,
    `[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":${secret}}]`,
    `[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"x"${secret}"}]`,
    `[2,"1","SetNetworkProfile",{"password":"x\\\n${secret}"}]`,
    `{'password':'${secret}'}`,
    // The parser keeps the last of two equal keys, the text has both.
    `[2,"1","X",{"password":"${secret}","password":""}]`,
    `[2,"1","X",{"key":"AuthorizationKey","key":"CpoName","value":"${secret}"}]`,
    `[2,"1","X",${'['.repeat(5000)}{"password":"${secret}"}${']'.repeat(5000)}]`,
  ];
  for (const text of texts) {
    test(JSON.stringify(text).slice(0, 90), () => {
      assert(!redactText(text).includes(secret), redactText(text));
      assert(redactText(text).includes(redacted));
    });
  }

  test('brackets stay, so that what was broken can be seen', () => {
    assert.equal(
      redactText('[2,"1",{"password":"x"'),
      `[2,"${redacted}",{"${redacted}":"${redacted}"`,
    );
  });

  test('without a mention of secrets it stays as it is', () => {
    const text = '[2,"1","Heartbeat",{"transactionId":,}]';
    assert.equal(redactText(text), text);
  });
});

describe('a secret in an unusual place does not survive', () => {
  const hidden = 'Pa55w0rd-never-logged';
  const nested = JSON.stringify({ key: 'AuthorizationKey', value: hidden });
  const texts: Readonly<Record<string, string>> = {
    'a value twice': `[2,"1","X",{"key":"AuthorizationKey","value":"${hidden}","value":""}]`,
    'a key twice': `[2,"1","X",{"key":"AuthorizationKey","value":"${hidden}","key":"a"}]`,
    'JSON inside a string': JSON.stringify([
      2,
      '1',
      'DataTransfer',
      { vendorId: 'V', data: nested },
    ]),
    'a space after the name': `[2,"1","X",{"key":"AuthorizationKey ","value":"${hidden}"}]`,
    'the name as a property': `[2,"1","X",{"AuthorizationKey":"${hidden}"}]`,
    'a name where an object belongs': `[2,"1","X",{"variable":"BasicAuthPassword","attributeValue":"${hidden}"}]`,
    'a space before a URL': `[2,"1","X",{"location":" ftp://u:${hidden}@h/f"}]`,
    'a URL in a text': `[2,"1","X",{"info":"see ftp://u:${hidden}@h/f"}]`,
    'a slash in a password': `[2,"1","X",{"location":"ftp://u:a/${hidden}@h/f"}]`,
    'an @ in a password': `[2,"1","X",{"location":"ftp://u:a@${hidden}@h/f"}]`,
  };
  for (const [where, text] of Object.entries(texts)) {
    test(where, () => {
      assert(text.includes(hidden));
      assert(!redactText(text).includes(hidden), redactText(text));
    });
  }
});

describe('what is no secret stays as it is, byte for byte', () => {
  const texts = [
    '[2, "1",  "Heartbeat", { }]',
    '[3,"1",{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"}]}]',
    '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false}]}]',
    '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":""}]}]',
    '[2,"1","GetConfiguration",{"key":["AuthorizationKey"]}]',
    '[2,"1","GetVariables",{"getVariableData":[{"variable":{"name":"BasicAuthPassword"}}]}]',
    '[2,"1","GetDiagnostics",{"location":"ftp://files.example/a@b"}]',
    '[2,"1","Authorize",{"idTag":"someone@example"}]',
    '[2,"1","StartTransaction",{"meterStart":9223372036854775807,"limit":1.10}]',
  ];
  for (const text of texts) {
    test(text, () => {
      assert.equal(redactText(text), text);
      assert.equal(redactSecrets(JSON.parse(text), { guesses: true }).found, false);
    });
  }

  test('user information stays where only credentials of the charger are asked for', () => {
    const value = { location: 'ftp://u:p@files.example/' };
    assert.deepEqual(redactSecrets(value, { guesses: false }), {
      value,
      found: false,
      isSuspect: false,
    });
  });

  test('a neighbour of the secret keeps its value', () => {
    const list = [
      { key: 'AuthorizationKey', value: secret },
      { key: 'CpoName', value: 'PNNL' },
    ];
    const { value } = redactSecrets({ configurationKey: list }, { guesses: true });
    assert.deepEqual(value, {
      configurationKey: [
        { key: 'AuthorizationKey', value: redacted },
        { key: 'CpoName', value: 'PNNL' },
      ],
    });
  });

  test('a key named __proto__ stays a key', () => {
    const { value } = redactSecrets(JSON.parse('{"__proto__":{"password":"x"}}'), {
      guesses: true,
    });
    assert.equal(JSON.stringify(value), `{"__proto__":{"password":"${redacted}"}}`);
  });
});

describe('texts made to be slow', () => {
  test('a frame full of URL marks keeps every character, and takes no time to speak of', () => {
    // Quadratic, this took minutes; the test would time out.
    const text = `["@ ${'a://:'.repeat(400_000)}"]`;
    assert.equal(redactText(text), text);
  });
});

describe('names that OCPP does not have', () => {
  const hidden = 'hunter2-hunter2';
  test('are taken for secrets in what is kept, and not in what is passed on', () => {
    const payloads = [
      { wifiPassword: hidden },
      { configurationKey: [{ key: 'WifiPsk', readonly: false, value: hidden }] },
      { info: `Authorization: Basic ${hidden}` },
    ];
    for (const payload of payloads) {
      const text = JSON.stringify([3, '1', payload]);
      assert(!redactText(text).includes(hidden), text);
      assert.equal(redactSecrets(payload, { guesses: false }).found, false);
    }
  });
});
