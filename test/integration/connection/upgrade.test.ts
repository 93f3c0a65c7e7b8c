import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startLiveGateway } from '../../support/live-gateway.ts';
import {
  acceptText,
  connectRaw,
  connectRawCharger,
  exchange,
  startRawCsms,
  upgradeText,
} from '../../support/raw-websocket.ts';
import { connectCharger, startHandCsms } from '../../support/text-peer.ts';
import { connectThrough, refusalOf, talk } from './talk.ts';

// Goal: charger and CSMS speak the same version, which neither of them was made to guess, and the
//   charger learns that it is connected only when it is connected through.
// Method: a real gateway; chargers and CSMSs by hand, as bytes where a library would help too much.

describe('subprotocol', () => {
  test('T2-31: both legs have the version that the CSMS chose', async () => {
    await using csms = await startHandCsms(['ocpp2.0.1']);
    await using gateway = await startLiveGateway(csms.url);
    const charger = await connectCharger(gateway.url('CP-1'), ['ocpp2.1', 'ocpp2.0.1', 'ocpp1.6']);
    const upstream = await csms.nextConnection();
    assert.equal(charger.socket.protocol, 'ocpp2.0.1');
    assert.equal(upstream.socket.protocol, 'ocpp2.0.1');
    const { version } = await gateway.event('SessionOpened');
    assert.equal(version, 'ocpp2.0.1');
    await charger.close();
  });

  const offers: readonly (readonly [offered: readonly string[], passedOn: string])[] = [
    [['ocpp1.6', 'ocpp2.1'], 'ocpp1.6,ocpp2.1'],
    [['ocpp2.1', 'ocpp1.6'], 'ocpp2.1,ocpp1.6'],
    [['ocpp2.0.1'], 'ocpp2.0.1'],
    [['ocpp1.2', 'ocpp1.6', 'chat'], 'ocpp1.6'],
  ];
  for (const [offered, passedOn] of offers) {
    test(`an offer of ${offered} reaches the CSMS as ${passedOn}`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url);
      const charger = await connectCharger(gateway.url('CP-1'), offered);
      const upstream = await csms.nextConnection();
      assert.equal(upstream.request?.headers['sec-websocket-protocol'], passedOn);
      assert.equal(charger.socket.protocol, passedOn.split(',')[0]);
      await charger.close();
    });
  }

  test('a version that the operator does not allow is not offered to the CSMS', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      chargers: { unknown: 'enroll', versions: ['ocpp1.6'] },
    });
    const charger = await connectCharger(gateway.url('CP-1'), ['ocpp2.1', 'ocpp1.6']);
    const upstream = await csms.nextConnection();
    assert.equal(upstream.request?.headers['sec-websocket-protocol'], 'ocpp1.6');
    await charger.close();
    assert.equal((await refusalOf(gateway.url('CP-1'), ['ocpp2.1'])).status, 400);
  });

  test('T2-31: without a version that the gateway knows: 400, and the CSMS is not asked', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    for (const offered of [['ocpp0.1'], ['OCPP1.6'], ['ocpp1.6j', 'ocpp2.0']]) {
      assert.equal((await refusalOf(gateway.url('CP-1'), offered)).status, 400);
    }
    const refused = gateway.events.filter((event) => event.name === 'UpgradeRefused');
    assert.deepEqual(
      refused.map(({ code }) => code),
      Array.from({ length: 3 }, () => 'SUBPROTOCOL_NONE_IN_COMMON'),
    );
    assert.equal(csms.connections.length, 0);
  });

  test('a CSMS that knows no version of the charger makes 400, not a guess', async () => {
    await using csms = await startHandCsms(['ocpp2.1']);
    await using gateway = await startLiveGateway(csms.url);
    const { status, headers } = await refusalOf(gateway.url('CP-1'), ['ocpp1.6']);
    assert.equal(status, 400);
    // It would not help to come back.
    assert.equal(headers['retry-after'], undefined);
    const { code } = await gateway.event('CsmsDialFailed');
    assert.equal(code, 'SUBPROTOCOL_NONE_IN_COMMON');
    assert.equal(gateway.running.gateway.sessionCount(), 0);
  });

  test('T2-31: a CSMS that chooses what was not offered makes 400', async () => {
    await using csms = await startRawCsms();
    await using gateway = await startLiveGateway(csms.url);
    const refused = refusalOf(gateway.url('CP-1'), ['ocpp1.6']);
    const upstream = await csms.nextConnection();
    upstream.write(acceptText(await upstream.head, { 'Sec-WebSocket-Protocol': 'ocpp2.1' }));
    assert.equal((await refused).status, 400);
    await upstream.closed;
  });

  test('C1: a charger without a subprotocol is refused unless its record assumes one', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      chargers: { unknown: 'enroll', records: [{ id: 'MUTE-*', assumeSubprotocol: 'ocpp1.6' }] },
    });
    assert.equal((await refusalOf(gateway.url('CP-1'), [])).status, 400);
    const { code } = await gateway.event('UpgradeRefused');
    assert.equal(code, 'SUBPROTOCOL_MISSING');
    assert.equal(csms.connections.length, 0);

    using mute = await connectRawCharger(gateway.port, '/ocpp/MUTE-1', {
      'Sec-WebSocket-Protocol': undefined,
    });
    // RFC 6455 section 4.1: a client fails the connection on a subprotocol that it did not ask for.
    assert.equal((await mute.head).header('sec-websocket-protocol'), undefined);
    const upstream = await csms.nextConnection();
    assert.equal(upstream.socket.protocol, 'ocpp1.6');
    mute.send('[2,"1","Heartbeat",{}]');
    assert.equal(await upstream.next(), '[2,"1","Heartbeat",{}]');
  });

  test('C1: an assumed version does not overrule an offer', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      chargers: { records: [{ id: 'CP-1', assumeSubprotocol: 'ocpp1.6' }] },
    });
    const charger = await connectCharger(gateway.url('CP-1'), ['ocpp2.1']);
    assert.equal(charger.socket.protocol, 'ocpp2.1');
    await charger.close();
  });

  test('a list with doubled names and stray commas means what it says', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    for (const list of ['ocpp1.6,,ocpp1.6', 'ocpp1.6,', ', ocpp1.6, ocpp1.6']) {
      using charger = await connectRaw(gateway.port);
      charger.write(upgradeText('/ocpp/CP-1', { 'Sec-WebSocket-Protocol': list }));
      const head = await charger.head;
      assert.deepEqual(
        [head.status, head.header('sec-websocket-protocol')],
        [101, 'ocpp1.6'],
        list,
      );
      const upstream = await csms.nextConnection();
      charger.destroy();
      await upstream.closed;
    }
  });

  test('T2-33: a list of subprotocols that no charger sends is malformed', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    const lists = [
      Array.from({ length: 17 }, (_, index) => `ocpp1.${index}`).join(', '),
      'ocpp1.6, ocpp 2.1',
      'ocpp1.6\u00e9',
      'x'.repeat(65),
    ];
    for (const list of lists) {
      const changes = { 'Sec-WebSocket-Protocol': list };
      const answer = await exchange(gateway.port, upgradeText('/ocpp/CP-1', changes));
      assert.match(answer, /^HTTP\/1\.1 400 /, list);
    }
    assert.equal(csms.connections.length, 0);
  });
});

describe('order of the two handshakes', () => {
  test('D7: the charger is answered only after the CSMS has answered', async () => {
    await using csms = await startRawCsms();
    await using gateway = await startLiveGateway(csms.url);
    using charger = await connectRaw(gateway.port);
    charger.write(upgradeText('/ocpp/CP-1'));
    const upstream = await csms.nextConnection();
    const request = await upstream.head;
    assert.equal(charger.socket.bytesRead, 0);
    assert.equal(gateway.running.gateway.sessionCount(), 0);
    upstream.write(acceptText(request));
    assert.equal((await charger.head).status, 101);
  });
});

describe('compression', () => {
  const offers = [
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate; client_max_window_bits=10; server_max_window_bits=10',
    'permessage-deflate; server_max_window_bits=8; server_no_context_takeover',
    'permessage-deflate; client_no_context_takeover, permessage-deflate',
  ];
  for (const offer of offers) {
    test(`a charger that offers "${offer}" is let in, compressed`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url);
      using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1', {
        'Sec-WebSocket-Extensions': offer,
      });
      const { headers } = await charger.head;
      const [, chosen = ''] = headers.find(([name]) => name === 'sec-websocket-extensions') ?? [];
      assert.match(chosen, /^permessage-deflate/);
      charger.send('[2,"1","Heartbeat",{}]');
      const upstream = await csms.nextConnection();
      assert.equal(await upstream.next(), '[2,"1","Heartbeat",{}]');
    });
  }

  test('an unknown extension is ignored', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1', {
      'Sec-WebSocket-Extensions': 'x-webkit-deflate-frame',
    });
    assert.equal((await charger.head).header('sec-websocket-extensions'), undefined);
  });

  test('malformed extensions make 400 and an event, and leave no claim behind', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    for (const extensions of ['permessage-deflate; ;', 'permessage-deflate; level=9', ';']) {
      const changes = { 'Sec-WebSocket-Extensions': extensions };
      const answer = await exchange(gateway.port, upgradeText('/ocpp/CP-1', changes));
      assert.match(answer, /^HTTP\/1\.1 400 /, extensions);
      await (await csms.nextConnection()).closed;
    }
    const refused = gateway.events.filter((event) => event.name === 'UpgradeRefused');
    assert.equal(refused.length, 3);
    const through = await connectThrough(gateway, csms, 'CP-1');
    await talk(through);
    await through.charger.close();
  });
});
