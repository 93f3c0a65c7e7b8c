import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { type ConfigChanges, startLiveGateway } from '../../support/live-gateway.ts';
import {
  acceptText,
  connectRaw,
  connectRawCharger,
  opcodes,
  startRawCsms,
  upgradeText,
} from '../../support/raw-websocket.ts';
import { connectCharger, startHandCsms } from '../../support/text-peer.ts';
import { connectThrough, refusalOf, talk } from './talk.ts';

// Goal: one live connection per identity: a charger that lost its network gets back in, an impostor
//   does not get in while the charger is there, and no late end of one connection ends another.
// Method: a second connection of one identity, in each policy, with a first one that is alive or
//   not. A charger without a network is one that stops answering; the probe takes its one second.

const probing = (duplicateIdentity: string): ConfigChanges => ({
  chargers: { unknown: 'enroll', duplicateIdentity, probeSeconds: 1 },
});

describe('a second connection of one identity', { concurrency: true }, () => {
  test('C15, D3, T2-04: probe: a silent older connection is replaced', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      ...probing('probe'),
      limits: { pingSeconds: 1, pongSeconds: 600, silentSeconds: 3600 },
    });
    using older = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    const olderUpstream = await csms.nextConnection();
    // It has answered a ping before: only then its silence says something.
    for (let isPinged = false; !isPinged; ) {
      isPinged = (await older.nextFrame()).opcode === opcodes.ping;
    }
    older.send('', { opcode: opcodes.pong });
    older.send('[2,"1","Heartbeat",{}]');
    await olderUpstream.next();

    const newer = await connectThrough(gateway, csms, 'CP-1');
    assert.deepEqual(await older.nextClose(), {
      code: 1001,
      reason: 'A newer connection has taken over.',
    });
    assert.equal((await olderUpstream.closed).code, 1001);
    const { outcome } = await gateway.event('DuplicateIdentity');
    assert.equal(outcome, 'older-replaced');
    await talk(newer);

    // The late close of the old connection does not end the new session.
    older.sendClose(1001);
    await older.closed;
    await talk(newer);
    assert.equal(gateway.running.gateway.sessionCount(), 1);
    // And the claim is still the new session's: a third one is refused.
    assert.equal((await refusalOf(gateway.url('CP-1'))).status, 409);
    await newer.charger.close();
  });

  test('probe: an older connection that answers stays, and the newcomer gets 409', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, probing('probe'));
    const older = await connectThrough(gateway, csms, 'CP-1');
    const { status, headers } = await refusalOf(gateway.url('CP-1'));
    assert.equal(status, 409);
    assert.ok(Number(headers['retry-after']) >= 15);
    const { outcome, remoteAddress } = await gateway.event('DuplicateIdentity');
    assert.deepEqual([outcome, remoteAddress], ['newcomer-refused', '127.0.0.1']);
    assert.equal(csms.connections.length, 1);
    await talk(older);
    await older.charger.close();
    await talk(await connectThrough(gateway, csms, 'CP-1'));
  });

  test('C14: probe: an older connection that never answers pings, but spoke lately, stays', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, probing('probe'));
    const older = await connectThrough(gateway, csms, 'CP-1', { autoPong: false });
    await talk(older);
    assert.equal((await refusalOf(gateway.url('CP-1'))).status, 409);
    await talk(older);
    await older.charger.close();
  });

  test('T2-03: probe: a charger that is not read, because the CSMS is slow, is not taken for dead', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      ...probing('probe'),
      limits: { pingSeconds: 1, pongSeconds: 600, silentSeconds: 3600 },
    });
    const charger = await connectCharger(gateway.url('CP-1'), ['ocpp2.1']);
    const upstream = await csms.nextConnection();
    // It has answered a ping, so silence would count against it.
    await once(charger.socket, 'ping');
    charger.sendMessage(2, '1', 'Heartbeat', {});
    await upstream.next();
    upstream.socket.pause();
    const data = Array.from({ length: 3000 }, () => ({ t: 0, v: 'x'.repeat(40) }));
    const event = { id: 1, pending: 0, basetime: '2026-01-01T00:00:00Z', data };
    const text = JSON.stringify([6, 's', 'NotifyPeriodicEventStream', event]);
    // More than all buffers on the way take, so that the gateway has stopped reading.
    for (let sent = 0; sent < 150; sent += 1) charger.send(text);
    for (let before = -1; before !== charger.socket.bufferedAmount; ) {
      before = charger.socket.bufferedAmount;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    assert.ok(charger.socket.bufferedAmount > 0, 'it is really not read');
    assert.equal((await refusalOf(gateway.url('CP-1'))).status, 409);
    assert.equal(charger.socket.readyState, charger.socket.OPEN);
  });

  test('probe: an older connection that ends while it is asked makes room', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, probing('probe'));
    using older = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    const newer = connectCharger(gateway.url('CP-1'));
    assert.equal((await older.nextFrame()).opcode, opcodes.ping);
    older.reset();
    const charger = await newer;
    await csms.nextConnection();
    await talk({ charger, upstream: await csms.nextConnection() });
    await charger.close();
  });

  test('probe: a newcomer that leaves while the older one is asked leaves nothing behind', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, probing('probe'));
    using older = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    await csms.nextConnection();
    using newer = await connectRaw(gateway.port);
    newer.write(upgradeText('/ocpp/CP-1'));
    assert.equal((await older.nextFrame()).opcode, opcodes.ping);
    newer.reset();
    older.reset();
    // Its turn would come after the probe; the one behind it gets in then.
    const third = await connectCharger(gateway.url('CP-1'));
    await talk({ charger: third, upstream: await csms.nextConnection() });
    await third.close();
  });

  test('probe: of a crowd of newcomers to a silent connection one gets in', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      ...probing('probe'),
      limits: { pingSeconds: 1, pongSeconds: 600, silentSeconds: 3600 },
    });
    using older = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    await csms.nextConnection();
    assert.equal((await older.nextFrame()).opcode, opcodes.ping);
    older.send('', { opcode: opcodes.pong });
    older.send('[2,"1","Heartbeat",{}]');
    await gateway.event('FrameAdmitted');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => connectCharger(gateway.url('CP-1'))),
    );
    const [winner, ...others] = outcomes.filter(({ status }) => status === 'fulfilled');
    assert.equal(others.length, 0);
    assert.ok(winner?.status === 'fulfilled');
    await talk({ charger: winner.value, upstream: await csms.nextConnection() });
    assert.equal(gateway.running.gateway.sessionCount(), 1);
    await winner.value.close();
  });

  test('probe: a crowd of newcomers to a live connection makes one ping', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      ...probing('probe'),
      limits: { pingSeconds: 0 },
    });
    using older = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    await csms.nextConnection();
    const refusals = await Promise.all(
      Array.from({ length: 10 }, () => refusalOf(gateway.url('CP-1'))),
    );
    assert.deepEqual([...new Set(refusals.map(({ status }) => status))], [409]);
    older.send('ping?', { opcode: opcodes.ping });
    assert.equal((await older.nextFrame()).opcode, opcodes.ping);
    assert.equal((await older.nextFrame()).opcode, opcodes.pong);
  });

  test('reject-new: the older connection stays, alive or not, and is not asked', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, probing('reject-new'));
    using older = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    await csms.nextConnection();
    assert.equal((await refusalOf(gateway.url('CP-1'))).status, 409);
    older.send('after', { opcode: opcodes.ping });
    assert.equal((await older.nextFrame()).opcode, opcodes.pong);
    older.reset();
    await gateway.event('SessionClosed');
    await talk(await connectThrough(gateway, csms, 'CP-1'));
  });

  test('replace-old: the newcomer takes over at once', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, probing('replace-old'));
    const older = await connectThrough(gateway, csms, 'CP-1');
    const newer = await connectThrough(gateway, csms, 'CP-1');
    assert.deepEqual(await older.charger.closed, {
      code: 1001,
      reason: 'A newer connection has taken over.',
    });
    assert.equal((await older.upstream.closed).code, 1001);
    await talk(newer);
    assert.equal(gateway.running.gateway.sessionCount(), 1);
    await newer.charger.close();
  });

  test('T2-32: spellings that differ in case are one charger', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, probing('reject-new'));
    const { charger } = await connectThrough(gateway, csms, 'Depot-1');
    for (const twin of ['DEPOT-1', 'depot-1', 'dePot-1']) {
      assert.equal((await refusalOf(gateway.url(twin))).status, 409);
    }
    await charger.close();
  });

  for (const policy of ['probe', 'reject-new', 'replace-old']) {
    test(`${policy}: of two that come while the CSMS is dialled, the first gets in`, async () => {
      await using csms = await startRawCsms();
      await using gateway = await startLiveGateway(csms.url, probing(policy));
      using first = await connectRaw(gateway.port);
      first.write(upgradeText('/ocpp/CP-1'));
      const upstream = await csms.nextConnection();
      const request = await upstream.head;
      assert.equal((await refusalOf(gateway.url('cp-1'))).status, 409);
      upstream.write(acceptText(request));
      assert.equal((await first.head).status, 101);
      first.send('[2,"1","Heartbeat",{}]');
      assert.equal(await upstream.nextText(), '[2,"1","Heartbeat",{}]');
    });
  }
});
