import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startLiveGateway } from '../support/live-gateway.ts';
import { connectCharger, startHandCsms } from '../support/text-peer.ts';

// Goal: what keeps the rules passes in both directions, as the very bytes that were sent.
// Method: a real gateway between two sockets that the test drives by hand.
describe('passing', () => {
  test('a call and its answer pass as the bytes that were sent', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    const charger = await connectCharger(gateway.url('CP-1'));
    const upstream = await csms.nextConnection();

    const call = '[2, "1",\n "Heartbeat", { } ]';
    charger.send(call);
    assert.equal(await upstream.next(), call);

    const answer = '[3,"1",{"currentTime" : "2026-01-01T00:00:00.000Z"}]';
    upstream.send(answer);
    assert.equal(await charger.next(), answer);
    await charger.close();
  });
});
