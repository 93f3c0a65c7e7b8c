import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../store/exchanges.ts';
import {
  assertNothingToCharger,
  begin,
  endlessSeconds,
  obey,
  patientCsms,
  type RampSite,
  sendThrough,
  startRampSite,
  startText,
  stopText,
} from './ramp-site.ts';

// Goal: whoever watches a gateway sees in time that load is held back, how full the budgets are, and
//   what was released.
// Method: bursts at a real gateway, and what its admin server says at /metrics.

const north = { name: 'north', chargers: ['CP-*'], chargerRatedKw: 100 };
/** A series of the feeder of these tests. */
const of = (name: string, labels = ''): string => `gatewatt_ramp_${name}{feeder="north"${labels}}`;
const [up, down] = [',direction="up"', ',direction="down"'];

describe('metrics of the ramp limiter', { timeout: 60_000 }, () => {
  test('say what waits, what the window has, and what it may have', async () => {
    const feeder = {
      ...north,
      intervalSeconds: endlessSeconds,
      commandsPerInterval: 3,
      maxUpKwPerInterval: 900,
      maxDownKwPerInterval: 800,
    };
    await using site = await startRampSite(
      { openSecondsMax: endlessSeconds + 1, feeders: [feeder] },
      { chargers: 6, changes: { csms: patientCsms } },
    );
    const quiet = await scrape(site);
    assert.equal(quiet.get(of('waiting_commands')), 0);
    assert.equal(quiet.get(of('window_commands')), 0);

    await begin(site.station(0), 1);
    await sendThrough(site.station(0), stopText('stop', site.station(0), 1));
    await sendThrough(site.station(1), startText('start', site.station(1)));
    await sendThrough(site.station(2), startText('start', site.station(2)));
    for (const station of site.stations.slice(3)) station.upstream.send(startText('s', station));
    await until(async () => (await scrape(site)).get(of('waiting_commands')) === 3);
    const busy = await scrape(site);
    const expected = [
      [of('window_commands'), 3],
      [of('window_commands_max'), 3],
      [of('window_kilowatts', up), 200],
      [of('window_kilowatts', down), 100],
      [of('window_kilowatts_max', up), 900],
      [of('window_kilowatts_max', down), 800],
      [of('slowed'), 0],
      ['gatewatt_ramp_waiting_commands{feeder="unassigned"}', 0],
      ['gatewatt_ramp_window_commands{feeder="unassigned"}', 0],
      ['gatewatt_ramp_window_commands_max{feeder="unassigned"}', 10],
      ['gatewatt_events_total{event="LoadCommandHeld",code=""}', 3],
    ] as const;
    for (const [series, value] of expected) assert.equal(busy.get(series), value, series);
    assert.ok(!busy.has('gatewatt_ramp_window_kilowatts_max{feeder="unassigned",direction="up"}'));
    const waitedSeconds = Number(busy.get(of('oldest_wait_seconds')));
    assert.ok(waitedSeconds > 0 && waitedSeconds < 60);
    await until(async () => {
      return Number((await scrape(site)).get(of('oldest_wait_seconds'))) > waitedSeconds;
    });
    await assertNothingToCharger(site.station(5));
  });

  test('say what was released, and how long it had waited', async () => {
    const feeder = { ...north, intervalSeconds: 1, commandsPerInterval: 2 };
    await using site = await startRampSite({ feeders: [feeder] }, { chargers: 4 });
    for (const station of site.stations) {
      obey(station);
      station.upstream.send(startText('s', station));
    }
    for (const { upstream } of site.stations) await upstream.next();
    const { values } = await samples(site);
    const held = site.gateway.events.filter(({ name }) => name === 'LoadCommandReleased').length;
    assert.ok(held >= 1 && held <= 2);
    assert.equal(values.get(of('wait_seconds_count')), held);
    assert.ok(Number(values.get(of('wait_seconds_sum'))) > 0);
    assert.equal(values.get(of('released_kilowatts_total', up)), held * 100);
    assert.equal(values.get(of('released_kilowatts_total', down)), 0);
    await until(async () => (await scrape(site)).get(of('waiting_commands')) === 0);
    // The window ends, and nobody asks the store for that.
    await until(async () => (await scrape(site)).get(of('window_commands')) === 0);
  });

  test('have these names, and no label from outside', async () => {
    await using site = await startRampSite({ feeders: [north] }, { chargers: 1 });
    const { text } = await samples(site);
    const names = [...text.matchAll(/^# TYPE (gatewatt_ramp_\S+) (\S+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    assert.deepEqual(names.toSorted(), [
      'gatewatt_ramp_oldest_wait_seconds gauge',
      'gatewatt_ramp_released_kilowatts_total counter',
      'gatewatt_ramp_slowed gauge',
      'gatewatt_ramp_wait_seconds histogram',
      'gatewatt_ramp_waiting_commands gauge',
      'gatewatt_ramp_window_commands gauge',
      'gatewatt_ramp_window_commands_max gauge',
      'gatewatt_ramp_window_kilowatts gauge',
      'gatewatt_ramp_window_kilowatts_max gauge',
    ]);
    assert.doesNotMatch(text, /CP-1/);
  });
});

async function scrape(site: RampSite): Promise<ReadonlyMap<string, number>> {
  return (await samples(site)).values;
}

async function samples({ gateway }: RampSite) {
  const response = await fetch(`${gateway.adminUrl}/metrics`);
  assert.equal(response.status, 200);
  const text = await response.text();
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [series, value] = line.split(/ (?=\S+$)/);
    if (series !== undefined && value !== undefined) values.set(series, Number(value));
  }
  return { text, values };
}
