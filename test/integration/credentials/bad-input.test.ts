import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { stringify } from 'yaml';
import { runGateway } from '../../../src/cmd/run-gateway.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { makeAuthority, type TestAuthority } from '../../support/certificates.ts';
import {
  type CredentialGateway,
  startCredentialGateway,
} from '../../support/credential-gateway.ts';
import { upgradeText } from '../../support/raw-websocket.ts';
import { type HandCsms, startHandCsms } from '../../support/text-peer.ts';
import { type Files, makeFiles, serverNames } from '../connection/tls-world.ts';

// Goal: whatever comes in the place of a credential, the gateway says clearly to its operator what it
// was, to the peer what it says to all, writes nothing of it down, and serves the next charger.
// Method: requests made of bytes, on the listeners of profiles 1 and 2, each from an address of its
// own; then files of every wrong kind in the configuration.

const password = 'a-long-password-of-its-own';
const secret = 'hunter2-hunter2-hunter2';
const basic = (text: string | Buffer): string => Buffer.from(text).toString('base64');
/** Ends with bg==, of which bh== would be a second spelling for lenient readers. */
const good = basic(`CP-1:${password}`);
const bad = basic(`CP-1:${secret}`);

interface HeaderCase {
  readonly name: string;
  /** The lines of the header, with their ends; bytes by latin1. */
  readonly lines: string;
  readonly code: string | undefined;
}

const line = (value: string): string => `Authorization: ${value}\r\n`;
const cases: readonly HeaderCase[] = [
  { name: 'a lower-case scheme', lines: line(`basic ${good}`), code: undefined },
  { name: 'an upper-case scheme', lines: line(`BASIC ${good}`), code: undefined },
  { name: 'several spaces', lines: line(`  Basic   ${good}  `), code: undefined },
  { name: 'tabs around it', lines: line(`\tBasic ${good}\t`), code: undefined },
  { name: 'no padding', lines: line(`Basic ${good.replace(/=+$/, '')}`), code: undefined },
  { name: 'another case of the name', lines: `aUTHORIZATION: Basic ${good}\r\n`, code: undefined },
  { name: 'no value', lines: line(''), code: 'CREDENTIAL_MALFORMED' },
  { name: 'no credential', lines: line('Basic'), code: 'CREDENTIAL_MALFORMED' },
  { name: 'a tab between', lines: line(`Basic\t${bad}`), code: 'CREDENTIAL_MALFORMED' },
  { name: 'no scheme', lines: line(bad), code: 'CREDENTIAL_MALFORMED' },
  { name: 'no base64', lines: line(`Basic CP-1:${secret}`), code: 'CREDENTIAL_MALFORMED' },
  { name: 'too much padding', lines: line(`Basic ${bad}====`), code: 'CREDENTIAL_MALFORMED' },
  {
    name: 'bits that nobody reads',
    lines: line(`Basic ${good.replace('bg==', 'bh==')}`),
    code: 'CREDENTIAL_MALFORMED',
  },
  { name: 'the other base64', lines: line('Basic Q1AtMTo_Pz8-'), code: 'CREDENTIAL_MALFORMED' },
  { name: 'another scheme', lines: line(`Bearer ${secret}`), code: 'CREDENTIAL_MALFORMED' },
  {
    name: 'Digest',
    lines: line(`Digest username="CP-1", response="${secret}"`),
    code: 'CREDENTIAL_MALFORMED',
  },
  {
    name: 'two in one',
    lines: line(`Basic ${good}, Basic ${bad}`),
    code: 'CREDENTIAL_MALFORMED',
  },
  {
    name: 'two headers',
    lines: line(`Basic ${good}`) + line(`Basic ${bad}`),
    code: 'CREDENTIAL_MALFORMED',
  },
  {
    name: 'the same twice',
    lines: `${line(`Basic ${good}`)}authorization: Basic ${good}\r\n`,
    code: 'CREDENTIAL_MALFORMED',
  },
  { name: 'no colon', lines: line(`Basic ${basic(secret)}`), code: 'CREDENTIAL_MALFORMED' },
  {
    name: 'a password that is too long',
    lines: line(`Basic ${basic(`CP-1:${secret.repeat(12)}`)}`),
    code: 'CREDENTIAL_MALFORMED',
  },
  {
    name: '7 kB',
    lines: line(`Basic ${basic(`CP-1:${secret.repeat(220)}`)}`),
    code: 'CREDENTIAL_MALFORMED',
  },
  { name: 'a BOM before', lines: line(`\xef\xbb\xbfBasic ${good}`), code: 'CREDENTIAL_MALFORMED' },
  {
    name: 'a BOM inside',
    lines: line(`Basic ${basic(`\ufeffCP-1:${password}`)}`),
    code: 'CREDENTIAL_USER',
  },
  {
    name: 'a NUL in the name',
    lines: line(`Basic ${basic(`CP-1\0:${password}`)}`),
    code: 'CREDENTIAL_USER',
  },
  {
    name: 'a NUL after the password',
    lines: line(`Basic ${basic(`CP-1:${password}\0`)}`),
    code: 'PASSWORD_WRONG',
  },
  {
    name: 'the name alone',
    lines: line(`Basic ${basic('CP-1:')}`),
    code: 'PASSWORD_WRONG',
  },
  {
    name: 'a colon alone',
    lines: line(`Basic ${basic(':')}`),
    code: 'CREDENTIAL_USER',
  },
  { name: '100 kB', lines: line(`Basic ${secret.repeat(4348)}`), code: 'UPGRADE_MALFORMED' },
  { name: 'a NUL', lines: line(`Basic \0${bad}`), code: 'UPGRADE_MALFORMED' },
  {
    name: 'a folded line',
    lines: `Authorization: Basic\r\n ${bad}\r\n`,
    code: 'UPGRADE_MALFORMED',
  },
  {
    name: 'a space before the colon',
    lines: `Authorization : Basic ${bad}\r\n`,
    code: 'UPGRADE_MALFORMED',
  },
  { name: 'a bare line feed', lines: `Authorization: Basic ${bad}\n`, code: 'UPGRADE_MALFORMED' },
];

/** What comes back until the other side closes, or until it has said 101. */
function conversation(socket: Socket, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.on('error', done);
    socket.on('close', done);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.startsWith('HTTP/1.1 101 ') && text.includes('\r\n\r\n')) done();
    });
    socket.write(bytes);
  });
}

describe('at the door', () => {
  const open = new AsyncDisposableStack();
  let csms: HandCsms;
  let gateway: CredentialGateway;
  let addresses = 1;

  before(async () => {
    csms = open.use(await startHandCsms());
    gateway = open.use(await startCredentialGateway(csms.url));
    await gateway.add('CP-1', password);
    await gateway.add('CP-2', password);
  });
  after(() => open.disposeAsync());

  const port = (profile: number): number => gateway.running.gateway.listeners[profile]?.port ?? 0;

  /** What it gets that sends these bytes, from an address that nobody has come from. */
  async function send(profile: number, bytes: string | Buffer): Promise<string> {
    addresses += 1;
    const from = { host: '127.0.0.1', port: port(profile), localAddress: `127.0.0.${addresses}` };
    if (profile === 1) return conversation(connectTcp(from), bytes);
    const socket = connectTcp(from);
    const secure = connectTls({
      socket,
      ca: gateway.authority.certificatePem,
      servername: 'localhost',
    });
    return conversation(secure, bytes);
  }

  async function isServed(): Promise<void> {
    addresses += 1;
    const localAddress = `127.0.0.${addresses}`;
    assert.equal(await gateway.status('CP-2', { password, localAddress }), 101);
  }

  for (const profile of [1, 2]) {
    for (const { code, lines, name } of cases) {
      test(`T2-01: profile ${profile}, ${name}: ${code ?? 'is understood'}`, async () => {
        const dialled = csms.connections.length;
        const seen = gateway.events.length;
        const head = upgradeText('/ocpp/CP-1').replace(/\r\n\r\n$/, `\r\n${lines}\r\n`);
        const answer = await send(profile, Buffer.from(head, 'latin1'));
        if (code === undefined) {
          assert.match(answer, /^HTTP\/1.1 101 /);
          return;
        }
        const refusal = gateway.events.slice(seen).find((it) => it.name === 'UpgradeRefused');
        assert(refusal?.name === 'UpgradeRefused');
        assert.equal(refusal.code, code);
        assert.equal(refusal.remoteAddress, `127.0.0.${addresses}`);
        assert.equal(csms.connections.length, dialled);
        const expected =
          code === 'UPGRADE_MALFORMED'
            ? /^HTTP\/1.1 400 /
            : // The same bytes as without any header.
              await send(profile, upgradeText('/ocpp/CP-1'));
        if (typeof expected === 'string') assert.equal(answer, expected);
        else assert.match(answer, expected);
      });
    }

    test(`profile ${profile}: after all that, a good charger is served`, isServed);
  }

  test('nothing of any header is in the log, nor in an event', async () => {
    const all = gateway.log() + JSON.stringify(gateway.events);
    for (const hidden of [secret, password, good, bad, basic(secret).slice(0, 20)]) {
      assert(!all.includes(hidden));
    }
    await isServed();
  });

  for (const [name, bytes] of [
    ['garbage', Buffer.from('00ff16030100ffff4854545020', 'hex')],
    [
      'a record of TLS that is longer than one may be',
      Buffer.concat([Buffer.from('160301ffff', 'hex'), Buffer.alloc(70_000)]),
    ],
    ['plain HTTP with a password', upgradeText('/ocpp/CP-1', { Authorization: `Basic ${bad}` })],
  ] as const) {
    test(`${name} in the place of TLS ends that connection, and is told`, async () => {
      const seen = gateway.events.length;
      addresses += 1;
      const from = { host: '127.0.0.1', port: port(2), localAddress: `127.0.0.${addresses}` };
      const answer = await conversation(connectTcp(from), bytes);
      assert.doesNotMatch(answer, /HTTP/);
      const event = await gateway.event(
        'TlsHandshakeFailed',
        (it) => gateway.events.indexOf(it) >= seen,
      );
      assert.equal(event.remoteAddress, `127.0.0.${addresses}`);
      await isServed();
    });
  }

  test('T2-08: a chain of 60 and of 150 kB opens nothing', async () => {
    const { authority } = gateway;
    await gateway.bind('CP-3', { kind: 'common-name', value: 'SN-3' });
    const leaf = await authority.issue({ commonName: 'SN-3' });
    const junk = await authority.issue({
      commonName: 'Junk',
      organization: Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(50)}`),
    });
    const size = Buffer.byteLength(junk.certificatePem) * 0.73;
    for (const [bytes, code] of [
      [60_000, 'CERTIFICATE_UNREADABLE'],
      [150_000, undefined],
    ] as const) {
      const seen = gateway.events.length;
      const isNew = (it: (typeof gateway.events)[number]): boolean =>
        gateway.events.indexOf(it) >= seen;
      const chainPem = leaf.certificatePem + junk.certificatePem.repeat(Math.ceil(bytes / size));
      const shown = { profile: 3, certificate: { chainPem, keyPem: leaf.keyPem } };
      if (code === undefined) {
        await assert.rejects(gateway.status('CP-3', shown));
        await gateway.event('TlsHandshakeFailed', isNew);
      } else {
        assert.equal(await gateway.status('CP-3', shown), 403);
        await gateway.event('UpgradeRefused', (it) => isNew(it) && it.code === code);
      }
    }
    assert.equal(await gateway.status('CP-3', { profile: 3, certificate: leaf }), 101);
    await isServed();
  });

  test('the gateway has found no defect of its own', () => {
    const defects = ['SessionFailed', 'HousekeepingFailed', 'AuditFailed'];
    assert.deepEqual(
      gateway.events.filter(({ name }) => defects.includes(name)),
      [],
    );
  });
});

describe('files of the configuration', () => {
  const open = new AsyncDisposableStack();
  let files: Files;
  let authority: TestAuthority;
  let certFile: string;
  let keyFile: string;

  before(async () => {
    files = open.use(await makeFiles());
    authority = await makeAuthority();
    const server = await authority.issue({ commonName: 'localhost', ...serverNames });
    certFile = await files.write('good.pem', server.chainPem);
    keyFile = await files.write('good.key', server.keyPem);
    await files.write('ca.pem', authority.certificatePem);
    await files.write('empty', '');
    await mkdir(files.at('directory'));
  });
  after(() => open.disposeAsync());

  let runs = 0;
  /** Runs a gateway with these sections; resolves when it runs, and stops it. */
  async function run(sections: object, tls: object, profile = 2): Promise<void> {
    runs += 1;
    const directory = files.at(`run-${runs}`);
    await mkdir(directory);
    const config = parseConfig(
      stringify({
        gateway: { dataDir: 'data' },
        csms: { url: 'ws://127.0.0.1:1/' },
        admin: { address: '127.0.0.1:0' },
        listeners: [{ name: 'field', address: '127.0.0.1:0', securityProfile: profile, tls }],
        ...sections,
      }),
    );
    assert(config.ok, JSON.stringify(config.ok || config.error));
    const running = await runGateway(config.value, {
      configFile: path.join(directory, 'gatewatt.yaml'),
      log: { write: () => {} },
    });
    await running.stop();
  }

  const pair = async (
    name: string,
    { certificatePem, keyPem }: { readonly certificatePem: string; readonly keyPem: string },
  ): Promise<object> => ({
    certFile: await files.write(`${name}.pem`, certificatePem),
    keyFile: await files.write(`${name}.key`, keyPem),
  });

  test('good ones start it', async () => {
    const certificates = [{ certFile, keyFile }];
    await run({}, { certificates });
    await run({}, { certificates, clientCertificates: { caFile: files.at('ca.pem') } }, 3);
  });

  const servers: readonly (readonly [name: string, file: RegExp, make: () => Promise<object>])[] = [
    [
      'no certificate',
      /missing\.pem/,
      async () => ({ certFile: files.at('missing.pem'), keyFile }),
    ],
    ['no key', /missing\.key/, async () => ({ certFile, keyFile: files.at('missing.key') })],
    ['an empty certificate', /empty/, async () => ({ certFile: files.at('empty'), keyFile })],
    ['an empty key', /empty/, async () => ({ certFile, keyFile: files.at('empty') })],
    ['a directory', /directory/, async () => ({ certFile: files.at('directory'), keyFile })],
    ['a directory as key', /directory/, async () => ({ certFile, keyFile: files.at('directory') })],
    [
      'certificate and key the wrong way round',
      /good\.key/,
      async () => ({ certFile: keyFile, keyFile: certFile }),
    ],
    [
      'the key of another certificate',
      /other\.key/,
      async () => ({
        certFile,
        keyFile: await files.write(
          'other.key',
          (await authority.issue({ commonName: 'x' })).keyPem,
        ),
      }),
    ],
    [
      'a key with a passphrase',
      /locked\.key/,
      async () => {
        const { certificatePem, keyPem } = await authority.issue({ commonName: 'x' });
        const locked = createPrivateKey(keyPem).export({
          type: 'pkcs8',
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: secret,
        });
        return pair('locked', { certificatePem, keyPem: locked.toString() });
      },
    ],
    [
      'a DSA key',
      /dsa\.pem/,
      async () => pair('dsa', await authority.issue({ commonName: 'x', algorithm: 'dsa-2048' })),
    ],
    [
      'an Ed25519 key',
      /ed\.pem/,
      async () => pair('ed', await authority.issue({ commonName: 'x', algorithm: 'ed25519' })),
    ],
    [
      'an RSA key of 1024 bits',
      /weak\.(?:pem|key)/,
      async () => pair('weak', await authority.issue({ commonName: 'x', algorithm: 'rsa-1024' })),
    ],
  ];
  for (const [name, file, make] of servers) {
    test(`${name} for a listener keeps it from starting, and the file is named`, async () => {
      const certificates = [await make()];
      await assert.rejects(run({}, { certificates }), (error: Error) => {
        assert.match(error.message, file);
        assert.doesNotMatch(error.message, /BEGIN|hunter2/);
        return true;
      });
    });
  }

  const clients: readonly (readonly [name: string, make: () => Promise<object>])[] = [
    ['no file of authorities', async () => ({ caFile: files.at('bad-ca') })],
    ['an empty one', async () => ({ caFile: await files.write('bad-ca-empty', '') })],
    ['one with a key', async () => ({ caFile: await files.write('bad-ca-key', authority.keyPem) })],
    [
      'one without an authority',
      async () => {
        const { certificatePem } = await authority.issue({ commonName: 'SN-1' });
        return { caFile: await files.write('bad-ca-leaf', certificatePem) };
      },
    ],
    [
      'a revocation list that is none',
      async () => ({
        caFile: files.at('ca.pem'),
        crlFile: await files.write('bad-ca-list', authority.certificatePem),
      }),
    ],
    [
      'a revocation list with a wrong signature',
      async () => {
        const other = await makeAuthority({ commonName: 'Other' });
        const crl = await other.crl([], { issuer: authority });
        return { caFile: files.at('ca.pem'), crlFile: await files.write('bad-ca-forged', crl) };
      },
    ],
  ];
  for (const [name, make] of clients) {
    test(`${name} for certificates of chargers keeps it from starting`, async () => {
      const tls = { certificates: [{ certFile, keyFile }], clientCertificates: await make() };
      await assert.rejects(run({}, tls, 3), /bad-ca/);
    });
  }

  const others: readonly (readonly [name: string, make: () => Promise<object>])[] = [
    [
      'no default password of a batch',
      async () => ({
        credentials: {
          batches: [{ name: 'b', chargers: ['*'], passwordFile: files.at('bad-file') }],
        },
      }),
    ],
    [
      'an empty default password',
      async () => {
        const passwordFile = await files.write('bad-file-empty', '\n');
        return { credentials: { batches: [{ name: 'b', chargers: ['*'], passwordFile }] } };
      },
    ],
    [
      'a default password of 300 bytes',
      async () => {
        const passwordFile = await files.write('bad-file-long', 'x'.repeat(300));
        return { credentials: { batches: [{ name: 'b', chargers: ['*'], passwordFile }] } };
      },
    ],
    [
      'a sealing key that is too short',
      async () => {
        const keyFile = await files.write('bad-file-key', '00ff'.repeat(15));
        return { csms: { url: 'ws://127.0.0.1:1/', auth: { type: 'perCharger', keyFile } } };
      },
    ],
    [
      'authorities of the CSMS that are none',
      async () => {
        const caFile = await files.write('bad-file-ca', 'no certificate');
        return { csms: { url: 'wss://127.0.0.1:1/', tls: { caFile } } };
      },
    ],
    [
      'a certificate for the CSMS with another key',
      async () => {
        const { keyPem } = await authority.issue({ commonName: 'x' });
        const auth = {
          type: 'clientCertificate',
          certFile,
          keyFile: await files.write('bad-file-other', keyPem),
        };
        return { csms: { url: 'wss://127.0.0.1:1/', auth } };
      },
    ],
  ];
  for (const [name, make] of others) {
    test(`${name} keeps it from starting, and the file is named`, async () => {
      const sections = await make();
      await assert.rejects(run(sections, { certificates: [{ certFile, keyFile }] }), /bad-file/);
    });
  }
});
