import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type ConfigMistake, describeMistake, loadConfig, parseConfig } from './load.ts';

// Goal: a configuration means what it says, and a wrong one is refused with every mistake and its
// place.
// Method: texts as an operator would write them, the mistakes as an operator would read them.

const smallest = `
listeners:
  - { name: field, address: 127.0.0.1:9000, securityProfile: 0, allowUnauthenticated: true }
csms: { url: ws://127.0.0.1:9001/ocpp }
`;

function mistakesIn(text: string): readonly ConfigMistake[] {
  const parsed = parseConfig(text);
  return parsed.ok ? [] : parsed.error;
}

const described = (text: string): readonly string[] =>
  mistakesIn(text).map((mistake) => describeMistake('g.yaml', mistake));

describe('a configuration that is right', () => {
  test('the smallest one has every default, and they are the safe ones', () => {
    const parsed = parseConfig(smallest);
    assert(parsed.ok);
    const { admin, chargers, csms, gateway, limits, listeners, queue, rules } = parsed.value;
    assert.deepEqual(admin.address, { host: '127.0.0.1', port: 8080 });
    assert.equal(chargers.unknown, 'reject');
    assert.equal(chargers.duplicateIdentity, 'probe');
    assert.deepEqual(chargers.versions, ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1']);
    assert.deepEqual(csms.auth, { type: 'none' });
    assert.deepEqual([gateway.id, gateway.dataDir], ['gatewatt', './data']);
    assert.equal(limits.frameBytesMax, 262_144);
    assert.deepEqual([listeners[0]?.path, listeners[0]?.identityFrom], ['/', 'path']);
    assert.deepEqual([queue.callsMax, queue.inFlightSeconds], [512, 30]);
    assert.deepEqual([rules.preset, rules.overrides], ['standard', []]);
  });

  test('a file with every section is accepted', () => {
    const parsed = parseConfig(`
gateway:
  id: depot-7
  dataDir: ./data
listeners:
  - name: field
    address: 127.0.0.1:9000
    path: /ocpp                    # the identity is the one segment after it: /ocpp/CP-1
    securityProfile: 0
    allowUnauthenticated: true
csms:
  url: ws://127.0.0.1:9001/ocpp    # the identity is appended, percent-encoded
  auth: { type: none }
  callTimeoutSeconds: 30
chargers:
  unknown: reject
  duplicateIdentity: probe
rules:
  preset: standard
  overrides:
    - match: { vendor: "Huawei*" }
      rule: payload
      mode: monitor
admin:
  address: 127.0.0.1:8080
`);
    assert(parsed.ok, JSON.stringify(parsed));
    assert.equal(parsed.value.rules.overrides[0]?.match.vendor, 'Huawei*');
  });

  test('addresses: names, IPv6 in brackets, and port 0', () => {
    const addressOf = (text: string) =>
      parseConfig(smallest.replace('127.0.0.1:9000', `"${text}"`));
    const cases: readonly (readonly [string, object | undefined])[] = [
      ['gateway.example:80', { host: 'gateway.example', port: 80 }],
      ['[::1]:9000', { host: '::1', port: 9000 }],
      ['0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
      ['0.0.0.0:65535', { host: '0.0.0.0', port: 65_535 }],
      ['0.0.0.0:65536', undefined],
      ['::1:9000', undefined],
      ['9000', undefined],
      [':9000', undefined],
      ['ws://a:1', undefined],
    ];
    for (const [text, expected] of cases) {
      const parsed = addressOf(text);
      assert.deepEqual(parsed.ok ? parsed.value.listeners[0]?.address : undefined, expected, text);
    }
  });
});

describe('a configuration that is wrong', () => {
  test('all mistakes are shown at once, in the order of the file, with line and column', () => {
    const text = `gateway: { id: "no spaces please" }
listeners:
  - name: field
    addres: 127.0.0.1:9000
    address: nonsense
    securityProfile: 2
rules:
  preset: paranoid
  strikesMax: 0
limits: { frameBytesMax: many }
extra: 1
`;
    const seen = mistakesIn(text).map(({ line, column, path: at }) => `${line}:${column} ${at}`);
    assert.deepEqual(seen, [
      '1:12 gateway.id',
      // What is missing stands at the place where it belongs.
      '1:1 csms',
      '3:5 listeners[0].tls',
      '4:5 listeners[0].addres',
      '5:5 listeners[0].address',
      '8:3 rules.preset',
      '9:3 rules.strikesMax',
      '10:11 limits.frameBytesMax',
      '11:1 extra',
    ]);
  });

  test('what a security profile needs is missing, or is there in vain', () => {
    const certificates = '{ certFile: c, keyFile: k }';
    const clients = 'clientCertificates: { caFile: a }';
    for (const [listener, ...expected] of [
      ['securityProfile: 0', 'allowUnauthenticated'],
      ['securityProfile: 0, allowUnauthenticated: true'],
      ['securityProfile: 1'],
      ['securityProfile: 1, allowUnauthenticated: true', 'allowUnauthenticated'],
      [`securityProfile: 1, tls: { certificates: [${certificates}] }`, 'tls'],
      ['securityProfile: 2', 'tls'],
      [`securityProfile: 2, tls: { certificates: [${certificates}] }`],
      ['securityProfile: 2, tls: { certificates: [] }', 'tls.certificates'],
      [
        `securityProfile: 2, tls: { certificates: [${certificates}], ${clients} }`,
        'tls.clientCertificates',
      ],
      ['securityProfile: 3', 'tls'],
      [`securityProfile: 3, tls: { certificates: [${certificates}] }`, 'tls.clientCertificates'],
      [`securityProfile: 3, tls: { certificates: [${certificates}], ${clients} }`],
      ['securityProfile: 4', 'securityProfile'],
    ] as const) {
      const text = `listeners: [{ name: f, address: a:1, ${listener} }]\ncsms: { url: ws://c/ }\n`;
      const paths = mistakesIn(text).map(({ path: at }) => at.replace('listeners[0].', ''));
      assert.deepEqual(paths, expected, listener);
    }
  });

  test('what the gateway would change and the CSMS keeps do not go together', () => {
    const text = (auth: string, credentials: string): string =>
      'listeners: [{ name: f, address: a:1, securityProfile: 1 }]\n' +
      `csms: { url: ws://c/, auth: { type: ${auth} } }\ncredentials: { ${credentials} }\n`;
    const batch = 'batches: [{ name: b, chargers: [N], passwordFile: p }]';
    const pathsIn = (auth: string, credentials: string): readonly string[] =>
      mistakesIn(text(auth, credentials)).map(({ path: at }) => at);
    assert.deepEqual(pathsIn('forward', batch), ['credentials.batches']);
    assert.deepEqual(pathsIn('forward', 'rotateDays: 30'), ['credentials.rotateDays']);
    assert.deepEqual(pathsIn('forward', 'rotateDays: 0, batches: []'), []);
    assert.deepEqual(pathsIn('none', `${batch}, rotateDays: 30`), []);
  });

  test('an unknown key is named with its place', () => {
    assert.deepEqual(described(`${smallest}queue:\n  callMax: 3\n`), [
      'g.yaml:6:3 queue.callMax: is not a known key',
    ]);
  });

  test('keys that objects inherit are unknown keys', () => {
    for (const key of ['__proto__', 'constructor', 'toString']) {
      assert.equal(mistakesIn(`${smallest}${key}: { x: 1 }\n`).length, 1, key);
    }
  });

  test('security profile 0 must be meant', () => {
    const text = smallest.replace(', allowUnauthenticated: true', '');
    assert.match(described(text).join(), /allowUnauthenticated: true if you mean it/);
  });

  test('two listeners of one name', () => {
    const entry = '{ name: a, address: a:1, securityProfile: 0, allowUnauthenticated: true }';
    const text = `listeners: [${entry}, ${entry}]\ncsms: { url: ws://c/ }\n`;
    assert.match(described(text).join(), /listeners\[1\]\.name: another listener has this name/);
  });

  test('limits that contradict each other, with what to change', () => {
    const text = `${smallest}limits: { pingSeconds: 60, silentSeconds: 30 }\n`;
    assert.match(described(text).join(), /silentSeconds: must not be below pingSeconds \(60\)/);
    assert.deepEqual(mistakesIn(`${smallest}limits: { pingSeconds: 0, silentSeconds: 10 }`), []);
  });

  test('an override for nobody in particular', () => {
    const text = `${smallest}rules:\n  overrides: [{ match: {}, rule: payload, mode: 'off' }]\n`;
    assert.match(described(text).join(), /must name at least one pattern/);
  });

  test('URLs of a CSMS that would leak, or be no WebSocket', () => {
    const urls = [
      'http://c/ocpp',
      'ws://user:secret@c/ocpp',
      'ws://c/ocpp?token=1',
      'ws://c/ocpp#x',
      'c/ocpp',
      '',
    ];
    for (const url of urls) {
      const text = smallest.replace('ws://127.0.0.1:9001/ocpp', `"${url}"`);
      assert.match(described(text).join(), /csms\.url: must be a ws:\/\/ or wss:\/\/ URL/, url);
    }
  });

  test('listener paths that could be read in two ways', () => {
    for (const bad of ['ocpp', '/ocpp/', '//', '/a//b', '/a%2Fb', '/a?b', '/ä']) {
      const text = smallest.replace('securityProfile', `path: "${bad}", securityProfile`);
      assert.equal(mistakesIn(text).length > 0, true, bad);
    }
    for (const good of ['/', '/ocpp', '/a/b-c', ['/', '/ocpp']]) {
      const text = smallest.replace(
        'securityProfile',
        `path: ${JSON.stringify(good)}, securityProfile`,
      );
      assert.deepEqual(mistakesIn(text), [], String(good));
    }
  });

  test('an empty file', () => {
    assert.deepEqual(
      mistakesIn('').map((mistake) => mistake.path),
      ['listeners', 'csms'],
    );
  });
});

describe('YAML that is not what it seems', () => {
  test('a key twice is a mistake, not a surprise', () => {
    const mistakes = mistakesIn(`${smallest}csms: { url: ws://elsewhere/ }\n`);
    assert.equal(mistakes.length, 1);
    assert.deepEqual([mistakes[0]?.line, mistakes[0]?.column], [5, 1]);
  });

  test('broken YAML is shown with its place', () => {
    const mistakes = mistakesIn('gateway: [1, 2\nlisteners: }\n');
    assert.notEqual(mistakes.length, 0);
    assert.equal(
      mistakes.every(({ line }) => line !== undefined),
      true,
    );
  });

  test('a bomb of aliases is refused at once', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const inside = level === 0 ? 'x' : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array(10).fill(inside).join(', ')}]`;
    });
    const startedAt = performance.now();
    assert.deepEqual(
      mistakesIn(levels.join('\n')).map((it) => it.message),
      ['has too many aliases'],
    );
    assert(performance.now() - startedAt < 5000);
  });

  test('a few aliases are fine', () => {
    const text = smallest.replace('csms:', 'csms: &csms').replace(/^/, '');
    assert.deepEqual(mistakesIn(text), []);
  });

  test('on and off are words, not switches', () => {
    const text = `${smallest}rules:\n  overrides: [{ match: { vendor: x }, rule: payload, mode: off }]\n`;
    assert.deepEqual(mistakesIn(text), []);
  });
});

describe('a configuration file', () => {
  test('is read, and a missing or a very large one is explained', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-config-'));
    try {
      const file = path.join(directory, 'gatewatt.yaml');
      const missing = await loadConfig(file);
      assert(!missing.ok);
      assert.deepEqual(
        missing.error.map((mistake) => describeMistake('f', mistake)),
        ['f cannot be read (ENOENT)'],
      );
      await writeFile(file, smallest);
      assert((await loadConfig(file)).ok);
      await writeFile(file, '#'.repeat(16 * 1024 * 1024 + 1));
      const large = await loadConfig(file);
      assert.equal(large.ok ? '' : large.error[0]?.message, 'is too large');
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
