import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OcppVersion, ocppVersions } from '../../../src/ocpp/version.ts';
import { exchange } from '../store/exchanges.ts';
import {
  assertNothingToCharger,
  begin,
  endlessSeconds,
  every,
  passes,
  patientCsms,
  type RampSite,
  reportStatus,
  sendThrough,
  startRampSite,
  startText,
  stopText,
} from './ramp-site.ts';

// Goal: a car at a place that has failed is stopped at once, whatever has used up the budgets; and
//   that is no way around them for anything else.
// Method: a real gateway whose only command of an endless window is spent. What waits then waits for
//   ever, and what passes has used the reserve for emergencies.

const changes = { csms: patientCsms };
const spent = { openSecondsMax: endlessSeconds + 1, unassigned: every(endlessSeconds, 1) };

/** A site of which the first charger has used up the budget. */
async function startSpentSite(version: OcppVersion = 'ocpp1.6'): Promise<RampSite> {
  const site = await startRampSite(spent, { version, changes });
  await sendThrough(site.station(0), startText('spent', site.station(0)));
  return site;
}

describe('an emergency', { timeout: 60_000 }, () => {
  for (const version of ocppVersions) {
    test(`a stop at a place that reports a fault passes at once (${version})`, async () => {
      await using site = await startSpentSite(version);
      const [second, third] = [site.station(1), site.station(2)];
      for (const station of [second, third]) await begin(station, 7);
      third.upstream.send(stopText('ordinary', third, 7));
      await site.gateway.event('LoadCommandHeld');
      await reportStatus(second, 'Faulted');
      await sendThrough(second, stopText('s', second, 7));
      const used = await site.gateway.event('EmergencyLaneUsed');
      assert.deepEqual(
        [used.charger, used.feeder, used.reason],
        ['CP-2', 'unassigned', 'the charger reports a fault'],
      );
      await assertNothingToCharger(third);
    });
  }

  test('overtakes what its charger waits for', async () => {
    await using site = await startSpentSite();
    const second = site.station(1);
    await begin(second, 7);
    second.upstream.send(startText('waits', second));
    await site.gateway.event('LoadCommandHeld');
    await reportStatus(second, 'Faulted');
    await sendThrough(second, stopText('s', second, 7));
    await assertNothingToCharger(second);
  });

  test('has a reserve that ends as well', async () => {
    const unassigned = { ...every(endlessSeconds, 2), emergencyCommandsPerInterval: 1 };
    await using site = await startRampSite({ ...spent, unassigned }, { changes });
    const [first, second, third] = [site.station(0), site.station(1), site.station(2)];
    await sendThrough(first, startText('a', first));
    await sendThrough(first, startText('b', first));
    for (const station of [second, third]) {
      await begin(station, 7);
      await reportStatus(station, 'Faulted');
    }
    await sendThrough(second, stopText('s', second, 7));
    third.upstream.send(stopText('s', third, 7));
    assert.equal((await site.gateway.event('LoadCommandHeld')).charger, third.identity);
    await assertNothingToCharger(third);
  });

  test('is none for a start', async () => {
    await using site = await startSpentSite();
    const second = site.station(1);
    await reportStatus(second, 'Faulted');
    second.upstream.send(startText('s', second));
    await site.gateway.event('LoadCommandHeld');
    await assertNothingToCharger(second);
  });

  test('is none for a stop at another place of the charger', async () => {
    await using site = await startSpentSite();
    const second = site.station(1);
    await begin(second, 7);
    const fault = { connectorId: 2, errorCode: 'OverVoltage', status: 'Faulted' };
    await exchange(second, 'StatusNotification', fault);
    second.upstream.send(stopText('s', second, 7));
    await site.gateway.event('LoadCommandHeld');
    await assertNothingToCharger(second);
  });

  test('is one as soon as the whole charger reports a fault', async () => {
    await using site = await startSpentSite();
    const second = site.station(1);
    await begin(second, 7);
    const fault = { connectorId: 0, errorCode: 'GroundFailure', status: 'Faulted' };
    await exchange(second, 'StatusNotification', fault);
    const text = stopText('s', second, 7);
    second.upstream.send(text);
    await passes(second, text);
  });
});
