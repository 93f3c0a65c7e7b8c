import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { signatureFormats } from '../../../src/signing/verify.ts';
import { connectCharger, startHandCsms } from '../../support/text-peer.ts';
import { startSigner } from './live-signer.ts';

// Goal: a CSMS that cannot sign speaks through the signer as if it could, and nothing else changes.
// Method: a real signer between a CSMS and a "gateway" that the test drives by hand. What arrives is
// verified with the keys that the command line has made for the gateway to pin.

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('gatewatt sign', () => {
  for (const format of signatureFormats) {
    for (const named of ['kid', 'certificate'] as const) {
      test(`${format}, key named by ${named}: messages of the CSMS arrive signed, byte for byte`, async () => {
        await using csms = await startHandCsms();
        await using signer = await startSigner(csms.url, { format, named });
        const gateway = await connectCharger(signer.url('CP 1'), ['ocpp2.0.1']);
        const upstream = await csms.nextConnection();

        const call = '[2,"a-1","DataTransfer",{ "vendorId":"x", "data": 1.50 }]';
        upstream.send(call);
        assert.equal(signer.verified(await gateway.next(), 'CP 1'), call);

        const reply = '[3,"a-1",{"status":  "Accepted"}]';
        gateway.send(reply);
        assert.equal(await upstream.next(), reply, 'byte for byte, and not signed');

        gateway.send('[2,"b-1","Heartbeat",{}]');
        await upstream.next();
        const result = '[3,"b-1",{"currentTime":"2026-01-01T00:00:00Z"}]';
        upstream.send(result);
        assert.equal(signer.verified(await gateway.next(), 'CP 1', 'Heartbeat'), result);

        gateway.send('[2,"b-2","Authorize",{}]');
        await upstream.next();
        const error = '[4,"b-2","InternalError","no",{"why":[]}]';
        upstream.send(error);
        assert.equal(signer.verified(await gateway.next(), 'CP 1', 'Authorize'), error);
      });
    }
  }

  test('errors about replies (OCPP 2.1) are signed with the action of the call', async () => {
    await using csms = await startHandCsms();
    await using signer = await startSigner(csms.url);
    const gateway = await connectCharger(signer.url('CP-1'), ['ocpp2.1']);
    const upstream = await csms.nextConnection();
    upstream.send('[2,"a-1","Reset",{"type":"Immediate"}]');
    await gateway.next();
    gateway.send('[3,"a-1",{"status":"?"}]');
    await upstream.next();
    const error = '[5,"a-1","FormatViolation","",{}]';
    upstream.send(error);
    assert.equal(signer.verified(await gateway.next(), 'CP-1', 'Reset'), error);
  });

  test('identity, subprotocol and password go through as they came', async () => {
    await using csms = await startHandCsms(['ocpp1.6']);
    await using signer = await startSigner(csms.url);
    const headers = { authorization: `Basic ${Buffer.from('A B:p:w').toString('base64')}` };
    const gateway = await connectCharger(signer.url('A B'), ['ocpp2.0.1', 'ocpp1.6'], { headers });
    const upstream = await csms.nextConnection();
    assert.equal(gateway.socket.protocol, 'ocpp1.6');
    assert.equal(upstream.request?.url, '/csms/A%20B');
    assert.equal(upstream.request?.headers.authorization, headers.authorization);
    assert.equal(upstream.request?.headers['sec-websocket-protocol'], 'ocpp2.0.1,ocpp1.6');
  });

  test('what the gateway sends goes through byte for byte, whatever it is', async () => {
    await using csms = await startHandCsms();
    await using signer = await startSigner(csms.url);
    const gateway = await connectCharger(signer.url('CP-1'));
    const upstream = await csms.nextConnection();
    for (const text of [
      'not JSON',
      '[2,"a","X-Signed",{"payload":"e30"}]',
      '{"ü":"\\u0000"}',
      '[]',
    ]) {
      gateway.send(text);
      assert.equal(await upstream.next(), text);
    }
  });

  test('what cannot be signed is not passed on, and said', async () => {
    await using csms = await startHandCsms();
    await using signer = await startSigner(csms.url);
    const gateway = await connectCharger(signer.url('CP-1'));
    const upstream = await csms.nextConnection();
    const unsignable = ['hello', '[2,"a"]', '[3,"nobody asked",{}]', '[2,"a","X-Signed",{}]'];
    for (const text of unsignable) upstream.send(text);
    upstream.send('[2,"a","ClearCache",{}]');
    signer.verified(await gateway.next(), 'CP-1');
    assert.equal(gateway.received.length, 1);
    const said = signer.events.filter(({ name }) => name === 'FrameNotSigned');
    assert.equal(said.length, unsignable.length);
  });

  test('two messages never have the same nonce', async () => {
    await using csms = await startHandCsms();
    await using signer = await startSigner(csms.url);
    const gateway = await connectCharger(signer.url('CP-1'));
    const upstream = await csms.nextConnection();
    for (let count = 0; count < 50; count += 1) upstream.send('[2,"a","ClearCache",{}]');
    const nonces = new Set<unknown>();
    for (let count = 0; count < 50; count += 1) {
      const [, , , jws] = (await gateway.nextMessage()) as [0, 0, 0, { protected: string }];
      const header = JSON.parse(Buffer.from(jws.protected, 'base64url').toString()) as {
        readonly jti: string;
      };
      nonces.add(header.jti);
    }
    assert.equal(nonces.size, 50);
  });

  test('when one side closes, the other is closed', async () => {
    await using csms = await startHandCsms();
    await using signer = await startSigner(csms.url);
    const first = await connectCharger(signer.url('CP-1'));
    const upstream = await csms.nextConnection();
    await upstream.close();
    assert.equal((await first.closed).code, 1001);
    const second = await connectCharger(signer.url('CP-1'));
    const again = await csms.nextConnection();
    await second.close();
    assert.equal((await again.closed).code, 1001);
  });

  test('a CSMS that is down is HTTP 503, and no version in common is HTTP 400', async () => {
    await using signer = await startSigner('ws://127.0.0.1:9/');
    await assert.rejects(connectCharger(signer.url('CP-1')), { status: 503 });
    await assert.rejects(connectCharger(signer.url('CP-1'), ['ocpp0.1']), { status: 400 });
    await assert.rejects(connectCharger(signer.url('CP-1'), []), { status: 400 });
  });

  test('messages beyond the limit end the connection', async () => {
    await using csms = await startHandCsms();
    await using signer = await startSigner(csms.url, { limits: { frameBytesMax: 4096 } });
    const gateway = await connectCharger(signer.url('CP-1'));
    const upstream = await csms.nextConnection();
    upstream.send(`[2,"a","DataTransfer",{"vendorId":"${'x'.repeat(5000)}"}]`);
    assert.equal((await upstream.closed).code, 1009);
    await gateway.closed;
    assert.equal(gateway.received.length, 0);
  });

  test('a gateway that takes nothing slows the CSMS down instead of filling the memory', async () => {
    await using csms = await startHandCsms();
    await using signer = await startSigner(csms.url);
    const gateway = await connectCharger(signer.url('CP-1'));
    const upstream = await csms.nextConnection();
    gateway.socket.pause();
    const text = `[2,"a","DataTransfer",{"vendorId":"${'x'.repeat(50_000)}"}]`;
    let sent = 0;
    while (upstream.socket.bufferedAmount < 4_000_000 && sent < 2000) {
      upstream.send(text);
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(sent < 2000, 'the CSMS could not send on');
    gateway.socket.resume();
    for (let count = 0; count < sent; count += 1) await gateway.next();
    assert.equal(gateway.received.length, sent);
  });

  test('a stop waits for the open call, refuses newcomers, and then closes with 1012', async () => {
    await using csms = await startHandCsms();
    await using signer = await startSigner(csms.url, { drainSeconds: 10 });
    const gateway = await connectCharger(signer.url('CP-1'));
    const upstream = await csms.nextConnection();
    gateway.send('[2,"b","Heartbeat",{}]');
    await upstream.next();
    const stopped = signer.running.stop();
    await assert.rejects(connectCharger(signer.url('CP-2')));
    await wait(100);
    assert.equal(gateway.socket.readyState, gateway.socket.OPEN);
    upstream.send('[3,"b",{}]');
    signer.verified(await gateway.next(), 'CP-1', 'Heartbeat');
    assert.equal((await gateway.closed).code, 1012);
    await stopped;
  });

  test('a stop does not wait for ever', async () => {
    await using csms = await startHandCsms();
    await using signer = await startSigner(csms.url, { drainSeconds: 0 });
    const gateway = await connectCharger(signer.url('CP-1'));
    await csms.nextConnection();
    gateway.send('[2,"b","Heartbeat",{}]');
    await wait(50);
    await signer.running.stop();
    await gateway.closed;
    const stopped = signer.events.find(({ name }) => name === 'SignerStopped');
    assert.deepEqual(stopped, { name: 'SignerStopped', sessionsCut: 1 });
  });
});
