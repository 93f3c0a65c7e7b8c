import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startLiveGateway } from '../../support/live-gateway.ts';
import { exchange } from '../../support/raw-websocket.ts';
import { connectCharger, startHandCsms } from '../../support/text-peer.ts';
import { connectThrough, refusalOf, talk } from './talk.ts';

// Goal: the admin server says what a supervisor and Prometheus need, and nothing about itself; and
//   two hundred chargers that come and go leave nothing behind.
// Method: HTTP requests beside a running conversation.

/** The value of a metric with exactly these labels; 0 when it has never been counted. */
function countOf(metrics: string, name: string, labels: Readonly<Record<string, string>>): number {
  const lines = metrics.split('\n').filter((line) => line.startsWith(`${name}{`));
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const line = lines.find((it) => wanted.every((label) => it.includes(label)));
  return Number(line?.split(' ').at(-1) ?? 0);
}

async function metricsOf(adminUrl: string): Promise<string> {
  return await (await fetch(`${adminUrl}/metrics`)).text();
}

describe('admin', () => {
  for (const [path, status, body] of [
    ['/healthz', 200, 'ok\n'],
    ['/readyz', 200, 'ready\n'],
    ['/readyz?x=1', 200, 'ready\n'],
    ['/', 404, 'not found\n'],
    ['/metrics/', 404, 'not found\n'],
    ['/HEALTHZ', 404, 'not found\n'],
    ['/../etc/passwd', 404, 'not found\n'],
  ] as const) {
    test(`T4-02: GET ${path} is ${status}, and no header names the software`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url);
      const request = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      const answer = await exchange(gateway.running.admin.port, request);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.ok(answer.endsWith(`\r\n\r\n${body}`) || answer.includes(`\r\n${body}`), answer);
      assert.doesNotMatch(answer, /^(?:server|x-powered-by):|gatewatt|node/im);
      assert.match(answer, /\r\ncache-control: no-store\r\n/);
    });
  }

  test('whatever is no reading is 405, and HEAD is reading', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      for (const path of ['/readyz', '/metrics', '/nothing']) {
        const response = await fetch(`${gateway.adminUrl}${path}`, { method });
        assert.equal(response.status, 405, `${method} ${path}`);
        assert.equal(response.headers.get('allow'), 'GET, HEAD');
        await response.text();
      }
    }
    assert.equal((await fetch(`${gateway.adminUrl}/healthz`, { method: 'HEAD' })).status, 200);
  });

  test('the admin server takes no chargers, and the listener shows no metrics', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    await assert.rejects(connectCharger(`${gateway.adminUrl.replace('http', 'ws')}/ocpp/CP-1`));
    const answer = await exchange(gateway.port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 426 /);
    assert.equal(csms.connections.length, 0);
  });

  test('the metrics count messages by side, version, rule and verdict', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    const through = await connectThrough(gateway, csms, 'CP-1');
    await talk(through);
    through.charger.sendMessage(3, 'unsolicited', {});
    through.upstream.sendMessage(2, 'wrong', 'BootNotification', {});
    await through.upstream.next();
    await gateway.event('FrameRefused', ({ from }) => from === 'charger');

    const response = await fetch(`${gateway.adminUrl}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    const metrics = await response.text();
    const frames = (from: string, rule: string, verdict: string): number =>
      countOf(metrics, 'gatewatt_frames_total', { from, version: 'ocpp1.6', rule, verdict });
    assert.equal(frames('charger', 'none', 'admitted'), 2);
    assert.equal(frames('csms', 'none', 'admitted'), 2);
    assert.equal(frames('charger', 'message-id', 'refused'), 1);
    assert.equal(frames('csms', 'direction', 'refused'), 1);
    assert.equal(countOf(metrics, 'gatewatt_events_total', { event: 'SessionOpened' }), 1);
    assert.match(metrics, /^gatewatt_sessions 1$/m);
    assert.match(metrics, /^gatewatt_frame_added_seconds_bucket\{/m);
    assert.match(metrics, /^process_resident_memory_bytes /m);
    // Identities are many and are nobody's business here.
    assert.doesNotMatch(metrics, /CP-1/);
    await through.charger.close();
  });

  test('refused upgrades are counted by code', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    await refusalOf(gateway.url('CP-1'), []);
    await refusalOf(gateway.url('CP-1'), ['ocpp0.1']);
    const metrics = await metricsOf(gateway.adminUrl);
    for (const code of ['SUBPROTOCOL_MISSING', 'SUBPROTOCOL_NONE_IN_COMMON']) {
      const count = countOf(metrics, 'gatewatt_events_total', { event: 'UpgradeRefused', code });
      assert.equal(count, 1, code);
    }
  });
});

describe('a crowd', () => {
  test('two hundred chargers connect at once, talk and leave, and nothing is left of them', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, { csms: { dialsPerSecond: 0 } });
    const count = 200;
    const identities = Array.from({ length: count }, (_, index) => `CP-${index}`);
    for (let round = 0; round < 2; round += 1) {
      const chargers = await Promise.all(identities.map((it) => connectCharger(gateway.url(it))));
      assert.equal(gateway.running.gateway.sessionCount(), count);
      assert.match(await metricsOf(gateway.adminUrl), /^gatewatt_sessions 200$/m);
      const upstreams = csms.connections.slice(-count);
      await Promise.all(
        chargers.map(async (charger, index) => {
          const url = `/csms/${identities[index]}`;
          const upstream = upstreams.find(({ request }) => request?.url === url);
          assert.ok(upstream !== undefined);
          await talk({ charger, upstream });
        }),
      );
      // In every way there is.
      for (const [index, charger] of chargers.entries()) {
        if (index % 2 === 0) charger.socket.close(1000);
        else charger.socket.terminate();
      }
      await Promise.all(upstreams.map(({ closed }) => closed));
      assert.equal(gateway.running.gateway.sessionCount(), 0);
    }
    assert.match(await metricsOf(gateway.adminUrl), /^gatewatt_sessions 0$/m);
    const failed = gateway.events.filter(({ name }) => name === 'SessionFailed');
    assert.deepEqual(failed, []);
    // The second round found each identity free at once: no claim has leaked, nobody was probed.
    assert.equal(
      gateway.events.some(({ name }) => name === 'DuplicateIdentity'),
      false,
    );
  });
});
