import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configFor, portOf, serve, setUp } from '../../support/serve-process.ts';
import { connectCharger, type HandCsms, startHandCsms } from '../../support/text-peer.ts';
import { profile16 } from './action-cases.ts';
import {
  assertAnswered,
  assertNothingToCharger,
  begin,
  callText,
  every,
  type Station,
  stopText,
  takesReleased,
  watchArrivals,
} from './ramp-site.ts';

// Goal: a gateway that is asked to stop keeps nobody waiting and loses no command that it has answered
//   for: the next one releases them, in their order.
// Method: `gatewatt serve` on SQLite gets SIGTERM while commands are held, answered and not, and is
//   started again over the same files.

describe('SIGTERM while commands are held', { timeout: 60_000 }, () => {
  test('ends all connections at once, and the next start releases what was answered', async () => {
    await using csms = await startHandCsms();
    await using setup = await setUp({
      ...configFor({ csms: csms.url, drainSeconds: 10 }),
      gateway: { dataDir: 'data', drainSeconds: 10 },
      rampLimit: { reply: 'immediate', unassigned: every(2, 1) },
    });
    using before = serve(setup.configFile);
    const stations = await connectAll(await portOf(before), csms);
    for (const [index, station] of stations.entries()) await begin(station, index + 1);
    const stops = stations.slice(0, 4).map((it, index) => stopText(`s-${index}`, it, index + 1));
    const seen = watchArrivals(stations);
    for (const [index, text] of stops.entries()) {
      const station = stations[index];
      assert.ok(station);
      station.upstream.send(text);
      await assertAnswered(station, `s-${index}`);
    }
    const [first] = stations;
    const last = stations.at(-1);
    assert.ok(first && last);
    const id = await takesReleased(first, stops[0] ?? '');
    first.charger.sendMessage(3, id, { status: 'Accepted' });
    // Nobody answers for a limit: its caller waits, behind three stops.
    last.upstream.send(callText('limit', 'SetChargingProfile', profile16(0)));
    const { charger, action } = await before.logged('LoadCommandHeld');
    assert.deepEqual([charger, action], ['CP-1', 'RemoteStopTransaction']);
    const received = last.upstream.received.length;

    const stoppedAtMs = performance.now();
    before.child.kill('SIGTERM');
    for (const { charger: peer, upstream } of stations)
      await Promise.all([peer.closed, upstream.closed]);
    assert.deepEqual(await before.exit, { code: 0, signal: null });
    assert.ok(performance.now() - stoppedAtMs < 8000, 'it has waited for no held command');
    assert.equal(last.upstream.received.length, received);
    const released = seen.filter(({ text }) => text.includes('RemoteStop')).length;
    assert.ok(released >= 1 && released < stops.length);

    using after = serve(setup.configFile);
    const back = await connectAll(await portOf(after), csms);
    const later = watchArrivals(back);
    for (const [index, text] of stops.entries()) {
      const station = back[index];
      if (index < released || station === undefined) continue;
      const laterId = await takesReleased(station, text);
      station.charger.sendMessage(3, laterId, { status: 'Accepted' });
    }
    assert.deepEqual(
      later.map(({ station }) => station),
      stations.slice(released, stops.length).map(({ identity }) => identity),
    );
    for (const station of back) await assertNothingToCharger(station);
    for (const { charger: peer } of back) await peer.close();
  });
});

async function connectAll(port: number, csms: HandCsms): Promise<readonly Station[]> {
  const stations: Station[] = [];
  for (let number = 1; number <= 5; number += 1) {
    const identity = `CP-${number}`;
    const charger = await connectCharger(`ws://127.0.0.1:${port}/ocpp/${identity}`);
    const upstream = await csms.nextConnection();
    stations.push({ identity, version: 'ocpp1.6', charger, upstream });
  }
  return stations;
}
