import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setInterval as ticks } from 'node:timers/promises';
import { type LiveGateway, startLiveGateway } from '../../support/live-gateway.ts';
import {
  acceptText,
  connectRaw,
  connectRawCharger,
  frameBytes,
  type RawCsms,
  type RawPeer,
  startRawCsms,
  upgradeText,
} from '../../support/raw-websocket.ts';
import { startHandCsms } from '../../support/text-peer.ts';
import { connectThrough, refusalOf, talk } from './talk.ts';

// Goal: a CSMS that is away, slow or hostile costs a charger a refusal that says when to come back,
//   and nothing stays behind; what the CSMS is sent comes from the gateway, not from the charger.
// Method: a CSMS made of bytes, which answers what the test says, when the test says it.

const quickDial = { csms: { connectTimeoutSeconds: 1, retryAfterSeconds: 7 } };

/** Nothing of the refused attempt is left: the same identity gets in. */
async function assertFree(gateway: LiveGateway, csms: RawCsms): Promise<void> {
  const charger = connectRawCharger(gateway.port, '/ocpp/CP-1');
  const upstream = await csms.nextConnection();
  upstream.write(acceptText(await upstream.head));
  using connected = await charger;
  connected.send('[2,"free","Heartbeat",{}]');
  assert.equal(await upstream.nextText(), '[2,"free","Heartbeat",{}]');
}

function assertRetryAfter(headers: Readonly<Record<string, string>>): void {
  const seconds = Number(headers['retry-after']);
  assert.ok(seconds >= 7 && seconds <= 14, `Retry-After: ${seconds}`);
}

describe('a CSMS that does not take the charger', { concurrency: true }, () => {
  test('a CSMS that is down: 503 with Retry-After', async () => {
    const csms = await startRawCsms();
    await csms.close();
    await using gateway = await startLiveGateway(csms.url, quickDial);
    const { status, headers } = await refusalOf(gateway.url('CP-1'));
    assert.equal(status, 503);
    assertRetryAfter(headers);
    const { code, detail } = await gateway.event('CsmsDialFailed');
    assert.deepEqual([code, detail], ['CSMS_UNREACHABLE', 'ECONNREFUSED']);
  });

  for (const [status, line] of [
    [401, 'Unauthorized'],
    [404, 'Not Found'],
    [500, 'Internal Server Error'],
    [302, 'Found\r\nLocation: ws://127.0.0.1:1/elsewhere'],
    [200, 'OK'],
  ] as const) {
    test(`a CSMS that answers ${status}: 502 with Retry-After, and nothing of it shows`, async () => {
      await using csms = await startRawCsms();
      await using gateway = await startLiveGateway(csms.url, quickDial);
      const refused = refusalOf(gateway.url('CP-1'));
      const upstream = await csms.nextConnection();
      await upstream.head;
      upstream.write(
        `HTTP/1.1 ${status} ${line}\r\nX-Secret: s3cret\r\nContent-Length: 6\r\n\r\ns3cret`,
      );
      const refusal = await refused;
      assert.equal(refusal.status, 502);
      assertRetryAfter(refusal.headers);
      assert.equal(refusal.headers['x-secret'], undefined);
      await upstream.closed;
      const { detail } = await gateway.event('CsmsDialFailed');
      assert.equal(detail, `HTTP ${status}`);
      assert.doesNotMatch(gateway.log(), /s3cret/);
      await assertFree(gateway, csms);
    });
  }

  const neverDone: readonly (readonly [name: string, act: (peer: RawPeer) => unknown])[] = [
    ['says nothing', () => undefined],
    ['stops in the middle of its answer', (it) => it.write('HTTP/1.1 101 Switching Protocols\r\n')],
    [
      'answers byte by byte',
      async (peer) => {
        peer.write('HTTP/1.1 101 Switching Protocols\r\nX-Slow: ');
        for await (const _ of ticks(100)) {
          if (peer.socket.destroyed) return;
          peer.write('x');
        }
      },
    ],
  ];
  for (const [name, act] of neverDone) {
    test(`a CSMS that takes the connection and ${name}: 503 when the time is up`, async () => {
      await using csms = await startRawCsms();
      await using gateway = await startLiveGateway(csms.url, quickDial);
      const refused = refusalOf(gateway.url('CP-1'));
      const upstream = await csms.nextConnection();
      const acting = act(upstream);
      const { status, headers } = await refused;
      assert.equal(status, 503);
      assertRetryAfter(headers);
      await upstream.closed;
      await acting;
      const { detail } = await gateway.event('CsmsDialFailed');
      assert.equal(detail, 'timed out');
      await assertFree(gateway, csms);
    });
  }

  const nonsense: readonly (readonly [name: string, bytes: (accept: string) => string])[] = [
    ['hangs up', () => ''],
    ['speaks something else', () => 'SSH-2.0-OpenSSH_9.6\r\n'],
    [
      'proves no key',
      (accept) => accept.replace(/Accept: .*/, 'Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA='),
    ],
    ['asks for another protocol', (accept) => accept.replace('websocket', 'h2c')],
    [
      'wants an extension of its own',
      (accept) => accept.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: x-own\r\n\r\n'),
    ],
  ];
  for (const [name, bytes] of nonsense) {
    test(`a CSMS that ${name}: 503`, async () => {
      await using csms = await startRawCsms();
      await using gateway = await startLiveGateway(csms.url, quickDial);
      const refused = refusalOf(gateway.url('CP-1'));
      const upstream = await csms.nextConnection();
      const answer = bytes(acceptText(await upstream.head));
      if (answer === '') upstream.reset();
      else upstream.write(answer);
      assert.equal((await refused).status, 503);
      await upstream.closed;
      await assertFree(gateway, csms);
    });
  }
});

describe('a charger that leaves while the CSMS is dialled', () => {
  for (const [how, leave] of [
    ['with a reset', (peer: RawPeer) => peer.reset()],
    ['with a FIN', (peer: RawPeer) => peer.destroy()],
    ['by closing its side only', (peer: RawPeer) => void peer.socket.end()],
  ] as const) {
    test(`${how}: the connection to the CSMS is ended and the identity is free`, async () => {
      await using csms = await startRawCsms();
      await using gateway = await startLiveGateway(csms.url);
      using charger = await connectRaw(gateway.port);
      charger.write(upgradeText('/ocpp/CP-1'));
      const upstream = await csms.nextConnection();
      await upstream.head;
      leave(charger);
      await upstream.closed;
      await charger.closed;
      await assertFree(gateway, csms);
      // It was the charger's doing: nobody is to look at the CSMS.
      assert.equal(
        gateway.events.some(({ name }) => name === 'CsmsDialFailed'),
        false,
      );
    });
  }
});

describe('the request to the CSMS', () => {
  test('T2-33: holds no header of the charger, whatever it sends', async () => {
    await using csms = await startRawCsms();
    await using gateway = await startLiveGateway(csms.url);
    using charger = await connectRaw(gateway.port);
    const hostile = [
      'Host: internal.example',
      'Authorization: Basic Q1AtMTpzM2NyZXQ=',
      'Authorization: Basic Q1AtMjpzM2NyZXQ=',
      'Cookie: session=s3cret',
      'Origin: http://evil.example',
      'X-Forwarded-For: 10.0.0.1',
      'X-Forwarded-Proto: https',
      'Forwarded: for=10.0.0.1',
      'X-Client-Cert: s3cret',
      'User-Agent: evil',
      'Transfer-Encoding: chunked',
      'Trailer: X-Evil',
      'X-Evil: a\tb',
    ];
    charger.write(
      `GET http://internal.example/ocpp/CP-1 HTTP/1.1\r\n${hostile.join('\r\n')}\r\n` +
        'Upgrade: websocket\r\nConnection: keep-alive, Upgrade, X-Evil\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        'Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n',
    );
    const upstream = await csms.nextConnection();
    const request = await upstream.head;
    assert.equal(request.line, 'GET /csms/CP-1 HTTP/1.1');
    assert.deepEqual(request.headers.map(([name]) => name).sort(), [
      'connection',
      'host',
      'sec-websocket-extensions',
      'sec-websocket-key',
      'sec-websocket-protocol',
      'sec-websocket-version',
      'upgrade',
      'user-agent',
    ]);
    assert.equal(request.header('host'), `127.0.0.1:${csms.port}`);
    assert.equal(request.header('user-agent'), 'gatewatt');
    assert.equal(request.header('connection'), 'Upgrade');
    assert.notEqual(request.header('sec-websocket-key'), 'dGhlIHNhbXBsZSBub25jZQ==');
    assert.doesNotMatch(gateway.log(), /s3cret|evil|Q1At/);
  });

  for (const [identity, line] of [
    ['CP-1', 'GET /csms/CP-1 HTTP/1.1'],
    ['RDAM|123', 'GET /csms/RDAM%7C123 HTTP/1.1'],
    ['A B?c#d', 'GET /csms/A%20B%3Fc%23d HTTP/1.1'],
    ['a:b@c;d=e&f', 'GET /csms/a%3Ab%40c%3Bd%3De%26f HTTP/1.1'],
  ] as const) {
    test(`C4: the identity ${identity} is percent-encoded again, once`, async () => {
      await using csms = await startRawCsms();
      await using gateway = await startLiveGateway(csms.url);
      using charger = await connectRaw(gateway.port);
      charger.write(upgradeText(`/ocpp/${encodeURIComponent(identity)}`));
      const upstream = await csms.nextConnection();
      assert.equal((await upstream.head).line, line);
    });
  }
});

// Unsolicited replies are forwarded as they come, so they show the order of frames by themselves.
const watching = { rules: { preset: 'monitor' } };
const numbered = (count: number, from = 0): readonly string[] =>
  Array.from({ length: count }, (_, index) => `[3,"early-${from + index}",{}]`);

describe('frames that come early', () => {
  test('in the segment of the answer of the CSMS: all arrive, in order', async () => {
    await using csms = await startRawCsms();
    await using gateway = await startLiveGateway(csms.url, watching);
    const connecting = connectRawCharger(gateway.port, '/ocpp/CP-1');
    const upstream = await csms.nextConnection();
    const texts = numbered(200);
    const frames = texts.map((text) => frameBytes(text, { masked: false }));
    const answer = Buffer.from(acceptText(await upstream.head));
    upstream.write(Buffer.concat([answer, ...frames]));
    using charger = await connecting;
    for (const text of texts) assert.equal(await charger.nextText(), text);
  });

  test('C19: with the request of the charger and before its answer: all arrive, in order', async () => {
    await using csms = await startRawCsms();
    await using gateway = await startLiveGateway(csms.url, watching);
    using charger = await connectRaw(gateway.port);
    const texts = numbered(200);
    const frames = texts.map((text) => frameBytes(text));
    charger.write(Buffer.concat([Buffer.from(upgradeText('/ocpp/CP-1')), ...frames.slice(0, 100)]));
    const upstream = await csms.nextConnection();
    const request = await upstream.head;
    charger.write(Buffer.concat(frames.slice(100)));
    upstream.write(acceptText(request));
    for (const text of texts) assert.equal(await upstream.nextText(), text);
    assert.equal((await charger.head).status, 101);
  });

  test('C19: a flood before the answer is slowed, not kept', async () => {
    await using csms = await startRawCsms();
    await using gateway = await startLiveGateway(csms.url, watching);
    using charger = await connectRaw(gateway.port);
    charger.write(upgradeText('/ocpp/CP-1'));
    const upstream = await csms.nextConnection();
    const request = await upstream.head;
    // More than two kernels buffer; the rest must stay with the charger until somebody reads.
    const texts = numbered(600).map((text) => text.replace('{}', `{"x":"${'x'.repeat(50_000)}"}`));
    for (const text of texts) charger.send(text);
    assert.ok(charger.socket.writableLength > 0);
    upstream.write(acceptText(request));
    for (const text of texts) assert.equal(await upstream.nextText(), text);
  });

  test('frames just before the close of either side arrive before it', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, watching);
    for (const side of ['charger', 'upstream'] as const) {
      const through = await connectThrough(gateway, csms, 'CP-1');
      await talk(through);
      const other = through[side === 'charger' ? 'upstream' : 'charger'];
      const texts = numbered(100);
      for (const text of texts) through[side].send(text);
      const ended = once(other.socket, 'close');
      through[side].socket.close(1000);
      await ended;
      assert.deepEqual(other.received.slice(-100), texts);
      await gateway.event(
        'SessionClosed',
        ({ endedBy }) => (endedBy === 'charger') === (side === 'charger'),
      );
    }
  });
});
