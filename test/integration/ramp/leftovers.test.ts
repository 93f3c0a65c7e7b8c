import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { configFor, portOf, serve, setUp } from '../../support/serve-process.ts';
import { connectCharger, type HandCsms, startHandCsms } from '../../support/text-peer.ts';
import { until } from '../store/exchanges.ts';
import { hasten } from './kill-rounds.ts';
import {
  assertAnswered,
  assertNothingToCharger,
  begin,
  end,
  endlessSeconds,
  every,
  type Station,
  startText,
  stopText,
  takesReleased,
} from './ramp-site.ts';

// Goal: where nobody knows whether a dead gateway has sent a command, a car is stopped all the same,
//   nothing is started twice, and an operator reads of it.
// Method: `gatewatt serve` on SQLite is killed while commands are held; the test notes in the database
//   what it would have noted in the moment in which it sends them, and starts it again. Few kills come
//   in that moment by themselves.

describe('what a gateway had on its way when it died', { timeout: 60_000 }, () => {
  test('a stop is sent once more if the car still charges, and a start is not', async () => {
    await using csms = await startHandCsms();
    const config = (intervalSeconds: number): object => ({
      ...configFor({ csms: csms.url }),
      gateway: { dataDir: 'data', drainSeconds: 0 },
      rampLimit: { reply: 'immediate', dwellSeconds: 0, unassigned: every(intervalSeconds, 1) },
    });
    await using setup = await setUp(config(endlessSeconds));
    using before = serve(setup.configFile);
    const [spender, charging, leaving, starting] = await connectAll(await portOf(before), csms);
    assert.ok(spender && charging && leaving && starting);
    await begin(charging, 1);
    await begin(leaving, 2);
    spender.upstream.send(startText('s', spender));
    await assertAnswered(spender, 's');
    const id = await takesReleased(spender, startText('s', spender));
    spender.charger.sendMessage(3, id, { status: 'Accepted' });
    await before.logged('LoadCommandReconciled');
    charging.upstream.send(stopText('s', charging, 1));
    await assertAnswered(charging, 's');
    leaving.upstream.send(stopText('s', leaving, 2));
    await assertAnswered(leaving, 's');
    starting.upstream.send(startText('s', starting));
    await assertAnswered(starting, 's');
    const directory = path.join(path.dirname(setup.configFile), 'data');
    const store = await openStore({ type: 'sqlite', directory, isGateway: false }, systemClock());
    await using _ = { [Symbol.asyncDispose]: () => store.close() };
    const states = async (): Promise<readonly string[]> => {
      const rows = await store.query((db) =>
        db.selectFrom('ramp_command').select('state').execute(),
      );
      return rows.map(({ state }) => state);
    };
    // Both cars are on disk, so that the next gateway knows them.
    await until(async () => (await transactions(store)) === 2);
    before.child.kill('SIGKILL');
    await before.exit;
    assert.deepEqual(await states(), ['waiting', 'waiting', 'waiting']);
    await store.transact((db) =>
      db.updateTable('ramp_command').set({ state: 'sent', sent_ms: store.nowMs() }).execute(),
    );

    await writeFile(setup.configFile, stringify(config(1)));
    using after = serve(setup.configFile);
    const port = await portOf(after);
    const unclear = await after.logged('LoadCommandUnclear');
    assert.deepEqual([unclear['charger'], unclear['action']], ['CP-4', 'RemoteStartTransaction']);
    const [, again, gone, started] = await connectAll(port, csms);
    assert.ok(again && gone && started);
    // Not at once: a charger may be doing what it was told.
    for (const station of [again, gone, started]) await assertNothingToCharger(station);
    assert.deepEqual(await states(), ['waiting', 'waiting']);
    await end(gone, 2);
    await hasten(store);
    const text = stopText('s', charging, 1);
    again.charger.sendMessage(3, await takesReleased(again, text), { status: 'Accepted' });
    await until(async () => (await states()).length === 0);
    for (const station of [again, gone, started]) await assertNothingToCharger(station);
    for (const { charger } of [again, gone, started]) await charger.close();
  });
});

async function transactions(store: Awaited<ReturnType<typeof openStore>>): Promise<number> {
  const rows = await store.query((db) =>
    db.selectFrom('charger_transaction').select('transaction_id').execute(),
  );
  return rows.length;
}

async function connectAll(port: number, csms: HandCsms): Promise<readonly Station[]> {
  const stations: Station[] = [];
  for (let number = 1; number <= 4; number += 1) {
    const identity = `CP-${number}`;
    const charger = await connectCharger(`ws://127.0.0.1:${port}/ocpp/${identity}`);
    const upstream = await csms.nextConnection();
    stations.push({ identity, version: 'ocpp1.6', charger, upstream });
  }
  return stations;
}
