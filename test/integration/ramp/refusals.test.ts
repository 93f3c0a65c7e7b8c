import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GatewayEvent } from '../../../src/events/catalogue.ts';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import { startLiveGateway } from '../../support/live-gateway.ts';
import { startHandCsms } from '../../support/text-peer.ts';
import { badCommands } from './bad-profiles.ts';
import {
  assertCsmsRefused,
  assertNothingToCharger,
  begin,
  callText,
  endlessSeconds,
  every,
  patientCsms,
  type RampSite,
  sendThrough,
  startRampSite,
  startText,
  stopText,
} from './ramp-site.ts';

// Goal: what nobody can count, or nobody may do, never reaches a charger; an operator who only
//   watches sees what would happen and breaks nothing; and whoever has no protection reads that at
//   each start.
// Method: a real gateway; each bad command is sent with all the room that there is, and a harmless
//   one after it shows that it was not passed on.

describe('commands that are refused whatever the budgets have left', { timeout: 60_000 }, () => {
  for (const version of ocppVersions) {
    test(`profiles that contradict themselves, and feeding in (${version})`, async () => {
      await using site = await startRampSite({ unassigned: every(1, 100) }, { version });
      const station = site.station(0);
      await begin(station, 1);
      for (const [index, { action, code, payload, what }] of badCommands(version).entries()) {
        const id = `bad-${index}`;
        station.upstream.send(callText(id, action, payload));
        await assert.doesNotReject(assertCsmsRefused(station, id, code), what);
        const refused = await site.gateway.event(
          'CallRefused',
          (it) => it.action === action && it.code === code,
        );
        assert.equal(refused.from, 'csms');
      }
      await assertNothingToCharger(station);
      const refusals = site.gateway.events.filter(({ name }) => name === 'LoadCommandRefused');
      assert.equal(refusals.length, badCommands(version).length);
    });
  }

  test('larger than a budget, where the operator wants that', async () => {
    const unassigned = { maxUpKwPerInterval: 100, maxDownKwPerInterval: 200 };
    await using site = await startRampSite({ oversized: 'refuse', unassigned });
    const station = site.station(0);
    await begin(station, 1);
    // Nobody has said a rating: 150 kW.
    station.upstream.send(startText('a', station));
    await assertCsmsRefused(station, 'a', 'RAMP_OVERSIZED');
    await sendThrough(station, stopText('b', station, 1));
  });

  test('more than may wait', async () => {
    await using site = await startRampSite(
      {
        openSecondsMax: 599,
        heldCommandsMax: 3,
        heldCommandsPerChargerMax: 2,
        unassigned: every(100, 1),
      },
      { changes: { csms: patientCsms } },
    );
    const [first, second, third] = [site.station(0), site.station(1), site.station(2)];
    await sendThrough(first, startText('spent', first));
    for (const id of ['a', 'b', 'c']) second.upstream.send(startText(id, second));
    await assertCsmsRefused(second, 'c', 'RAMP_FULL');
    third.upstream.send(startText('d', third));
    await site.gateway.event('LoadCommandHeld', ({ charger }) => charger === third.identity);
    first.upstream.send(startText('e', first));
    await assertCsmsRefused(first, 'e', 'RAMP_FULL');
    await assertNothingToCharger(second);
  });
});

describe('an operator who watches', { timeout: 60_000 }, () => {
  const spent = { unassigned: every(endlessSeconds, 1) };
  const choices = [
    ['the preset monitor', {}, { rules: { preset: 'monitor' } }],
    ['rampLimit.mode: monitor', { mode: 'monitor' }, {}],
  ] as const;
  for (const [what, rampLimit, changes] of choices) {
    test(`with ${what} everything passes, and the log says what would have become of it`, async () => {
      await using site = await startRampSite({ ...spent, ...rampLimit }, { changes });
      const [first, second] = [site.station(0), site.station(1)];
      await sendThrough(first, startText('a', first));
      assert.deepEqual(wouldHold(site), []);
      await sendThrough(second, startText('b', second));
      await sendThrough(second, startText('c', second));
      const [bad] = badCommands('ocpp1.6');
      assert.ok(bad);
      await sendThrough(second, callText('d', bad.action, bad.payload));
      assert.deepEqual(wouldHold(site), [
        ['CP-2', 'RemoteStartTransaction', endlessSeconds, undefined],
        ['CP-2', 'RemoteStartTransaction', endlessSeconds, undefined],
        ['CP-2', 'SetChargingProfile', undefined, 'RAMP_PROFILE_INVALID'],
      ]);
      assert.ok(!site.gateway.events.some(({ name }) => name.startsWith('LoadCommand')));
    });
  }

  test('with rampLimit.mode: enforce, the preset monitor holds', async () => {
    await using site = await startRampSite(
      { ...spent, mode: 'enforce', onLongWait: { starts: 'refuse' } },
      { changes: { rules: { preset: 'monitor' } } },
    );
    const [first, second] = [site.station(0), site.station(1)];
    await sendThrough(first, startText('a', first));
    second.upstream.send(startText('b', second));
    await assertCsmsRefused(second, 'b', 'RAMP_BUSY');
    await assertNothingToCharger(second);
  });
});

describe('an operator without protection', { timeout: 60_000 }, () => {
  test('with rampLimit.mode: off everything passes, and each start says so', async () => {
    await using site = await startRampSite({ mode: 'off', unassigned: every(endlessSeconds, 1) });
    assert.deepEqual(warnings(site.gateway.events), [{ name: 'RampLimiterOff' }]);
    for (const station of site.stations) {
      await sendThrough(station, startText('a', station));
      await sendThrough(station, startText('b', station));
    }
    const [bad] = badCommands('ocpp1.6');
    assert.ok(bad);
    await sendThrough(site.station(0), callText('c', bad.action, bad.payload));
    assert.ok(!site.gateway.events.some(({ name }) => name.startsWith('Load')));
  });

  test('without feeders, each start says what all chargers have together', async () => {
    const missing = { name: 'RampFeedersMissing', intervalSeconds: 10 };
    assert.deepEqual(await warningsAtStart({}), [{ ...missing, commandsPerInterval: 10 }]);
    assert.deepEqual(await warningsAtStart({ reply: 'immediate' }), [
      { ...missing, commandsPerInterval: 2 },
    ]);
    const unassigned = { maxUpKwPerInterval: 100, maxDownKwPerInterval: 100 };
    assert.deepEqual(await warningsAtStart({ unassigned }), [
      { ...missing, commandsPerInterval: undefined },
    ]);
  });

  test('with feeders, nothing is to be said', async () => {
    assert.deepEqual(await warningsAtStart({ feeders: [{ name: 'north' }] }), []);
  });
});

async function warningsAtStart(rampLimit: object): Promise<readonly GatewayEvent[]> {
  await using csms = await startHandCsms();
  await using gateway = await startLiveGateway(csms.url, { rampLimit });
  return warnings(gateway.events);
}

function warnings(events: readonly GatewayEvent[]): readonly GatewayEvent[] {
  return events.filter(({ name }) => name.startsWith('Ramp'));
}

function wouldHold({ gateway }: RampSite): readonly unknown[] {
  return gateway.events.flatMap((event) =>
    event.name === 'LoadPacingWouldHold'
      ? [[event.charger, event.action, event.waitSeconds, event.code]]
      : [],
  );
}
