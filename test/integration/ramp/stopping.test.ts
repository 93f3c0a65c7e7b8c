import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { configFor, portOf, serve, setUp } from '../../support/serve-process.ts';
import { connectCharger, type HandCsms, startHandCsms } from '../../support/text-peer.ts';
import { profile16 } from './action-cases.ts';
import {
  type Arrival,
  assertAnswered,
  assertNothingToCharger,
  begin,
  callText,
  endlessSeconds,
  every,
  patientCsms,
  type Station,
  stopText,
  takesReleased,
  watchArrivals,
} from './ramp-site.ts';

// Goal: a gateway that is asked to stop keeps nobody waiting and loses no command that it has answered
//   for: the next one releases them, in their order.
// Method: `gatewatt serve` on SQLite gets SIGTERM while commands are held, answered and not, for a
//   window that does not end. It is started again over the same files, with a window of a second.

const drainSeconds = 10;

describe('SIGTERM while commands are held', { timeout: 60_000 }, () => {
  test('ends all connections at once, and the next start releases what was answered', async () => {
    await using csms = await startHandCsms();
    const config = (intervalSeconds: number): object => ({
      ...configFor({ csms: csms.url }),
      gateway: { dataDir: 'data', drainSeconds },
      csms: { url: csms.url, ...patientCsms },
      rampLimit: {
        reply: 'immediate',
        openSecondsMax: endlessSeconds + 1,
        unassigned: every(intervalSeconds, 1),
      },
    });
    await using setup = await setUp(config(endlessSeconds));
    using before = serve(setup.configFile);
    const stations = await connectAll(await portOf(before), csms, []);
    const [first, second, third, fourth, last] = stations;
    assert.ok(first && second && third && fourth && last);
    for (const [index, station] of stations.entries()) await begin(station, index + 1);
    const stop = (station: Station): string =>
      stopText('s', station, stations.indexOf(station) + 1);
    first.upstream.send(stop(first));
    await assertAnswered(first, 's');
    const id = await takesReleased(first, stop(first));
    first.charger.sendMessage(3, id, { status: 'Accepted' });
    await before.logged('LoadCommandReconciled');
    // Nobody answers for a limit: its caller waits.
    last.upstream.send(callText('limit', 'SetChargingProfile', profile16(0)));
    for (const station of [second, third, fourth]) {
      station.upstream.send(stop(station));
      await assertAnswered(station, 's');
    }
    await assertNothingToCharger(last);
    const received = stations.map(({ charger, upstream }) => [
      charger.received.length,
      upstream.received.length,
    ]);

    const stoppedAtMs = performance.now();
    before.child.kill('SIGTERM');
    for (const { charger, upstream } of stations) {
      await charger.closed;
      await upstream.closed;
    }
    const tookMs = performance.now() - stoppedAtMs;
    assert.ok(tookMs < (drainSeconds * 1000) / 2, `connections were kept for ${tookMs} ms`);
    assert.deepEqual(await before.exit, { code: 0, signal: null });
    assert.deepEqual(
      stations.map(({ charger, upstream }) => [charger.received.length, upstream.received.length]),
      received,
    );

    await writeFile(setup.configFile, stringify(config(1)));
    using after = serve(setup.configFile);
    const arrivals: (readonly Arrival[])[] = [];
    const back = await connectAll(await portOf(after), csms, arrivals);
    for (const station of [second, third, fourth]) {
      const again = back.find(({ identity }) => identity === station.identity);
      assert.ok(again);
      const laterId = await takesReleased(again, stop(station));
      again.charger.sendMessage(3, laterId, { status: 'Accepted' });
    }
    const inOrder = arrivals.flat().toSorted((one, other) => one.atMs - other.atMs);
    assert.deepEqual(
      inOrder.map(({ station }) => station),
      [second, third, fourth].map(({ identity }) => identity),
    );
    for (const station of back) await assertNothingToCharger(station);
    for (const { charger } of back) await charger.close();
  });
});

/** Connects five chargers, and puts what comes to each of them into `arrivals`. */
async function connectAll(
  port: number,
  csms: HandCsms,
  arrivals: (readonly Arrival[])[],
): Promise<readonly Station[]> {
  const stations: Station[] = [];
  for (let number = 1; number <= 5; number += 1) {
    const identity = `CP-${number}`;
    const charger = await connectCharger(`ws://127.0.0.1:${port}/ocpp/${identity}`);
    // At once: there may be something for it.
    arrivals.push(watchArrivals([{ identity, charger }]));
    const upstream = await csms.nextConnection();
    stations.push({ identity, version: 'ocpp1.6', charger, upstream });
  }
  return stations;
}
