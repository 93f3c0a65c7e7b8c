import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadActions } from '../../../src/ocpp/load-actions.ts';
import { type OcppVersion, ocppVersions } from '../../../src/ocpp/version.ts';
import {
  type ActionCase,
  actionCases,
  profile2,
  profile16,
  pullCase,
  type Situation,
  transactionNumber,
} from './action-cases.ts';
import {
  assertNothingToCharger,
  begin,
  callText,
  endlessSeconds,
  patientCsms,
  type RampSite,
  reportIdle,
  reportWatts,
  type Station,
  sendThrough,
  startRampSite,
} from './ramp-site.ts';

// Goal: nothing by which a CSMS can change the load of a charger goes past the limiter, in any
//   version; and the same actions pass where they move nothing, though the budgets are used up.
// Method: each action has a feeder of its own, with room for what one charger takes in a window that
//   outlasts the test. It is sent to two chargers of that feeder, of which the second one has to
//   wait, and to a third one where it moves nothing.

/** What a charger can take here, and a feeder per window. */
const chargerKw = 150;
const budgets = {
  intervalSeconds: endlessSeconds,
  maxUpKwPerInterval: chargerKw,
  maxDownKwPerInterval: chargerKw,
};
const pull = 'PullDynamicScheduleUpdate';
/** Of one action: what hangs must not hide the others. */
const timeout = 10_000;

for (const version of ocppVersions) {
  describe(`actions that change load (${version})`, { timeout: 60_000 }, () => {
    test('are all in this table', () => {
      assert.deepEqual(
        Object.keys(actionCases[version]).toSorted(),
        Object.keys(loadActions[version]).toSorted(),
      );
    });

    test('wait for their feeder, but for those that move nothing', async (t) => {
      const entries = Object.entries(actionCases[version]);
      await using site = await startSite(version, [...entries.map(([action]) => action), pull]);
      for (const [action, entry] of entries) {
        await t.test(action, { timeout }, () => runCase(site, action, entry));
      }
      if (version === 'ocpp2.1') {
        await t.test(`the reply to ${pull}`, { timeout }, () => runPull(site));
      }
    });
  });
}

async function startSite(version: OcppVersion, actions: readonly string[]): Promise<RampSite> {
  const feeders = actions.map((action) => ({
    name: action,
    chargers: [`${action}-*`],
    chargerRatedKw: chargerKw,
    ...budgets,
  }));
  const rampLimit = { openSecondsMax: endlessSeconds + 1, derControls: 'count', feeders };
  // Unsigned firmware is not for the limiter to refuse.
  const rules = { overrides: [{ match: { charger: '*' }, rule: 'secure-firmware', mode: 'off' }] };
  const changes = { csms: patientCsms, rules };
  return startRampSite(rampLimit, { version, chargers: 0, changes });
}

async function runCase(site: RampSite, action: string, entry: ActionCase): Promise<void> {
  const { answer, benign, moves } = entry;
  const isDynamic = action === 'UpdateDynamicSchedule';
  const first = await connectAs(site, `${action}-1`, moves.when, isDynamic);
  const second = await connectAs(site, `${action}-2`, moves.when, isDynamic);
  assert.deepEqual(countedOf(site, action), [], 'what leads to the situations takes nothing');
  await sendThrough(first, callText('m', action, moves.payload), answer);
  second.upstream.send(callText('m', action, moves.payload));
  const held = await site.gateway.event('LoadCommandHeld', (it) => it.charger === second.identity);
  assert.deepEqual([held.action, held.feeder, held.reason], [action, action, 'budget']);
  await assertNothingToCharger(second);

  if (typeof benign === 'string') return;
  const third = await connectAs(site, `${action}-3`, benign.when, isDynamic);
  await sendThrough(third, callText('b', action, benign.payload), answer);
  assert.deepEqual(countedOf(site, action), [`LoadCommandHeld ${second.identity}`]);
}

async function runPull(site: RampSite): Promise<void> {
  const pulling = callText('p', pull, { chargingProfileId: 1 });
  const ask = async (index: number, when: Situation): Promise<Station> => {
    const station = await connectAs(site, `${pull}-${index}`, when, true);
    station.charger.send(pulling);
    assert.equal(await station.upstream.next(), pulling);
    return station;
  };
  const reply = (answer: object): string => JSON.stringify([3, 'p', answer]);
  const first = await ask(1, pullCase.moves.when);
  first.upstream.send(reply(pullCase.moves.answer));
  assert.equal(await first.charger.next(), reply(pullCase.moves.answer));
  const second = await ask(2, pullCase.moves.when);
  second.upstream.send(reply(pullCase.moves.answer));
  const held = await site.gateway.event('LoadCommandHeld', (it) => it.charger === second.identity);
  assert.deepEqual([held.action, held.reason, held.answered], [pull, 'budget', false]);
  await assertNothingToCharger(second);
  const third = await ask(3, pullCase.benign.when);
  third.upstream.send(reply(pullCase.benign.answer));
  assert.equal(await third.charger.next(), reply(pullCase.benign.answer));
}

/** Connects a charger and brings it into `situation`. */
async function connectAs(
  site: RampSite,
  identity: string,
  situation: Situation,
  isDynamic: boolean,
): Promise<Station> {
  const station = await site.connect(identity);
  await reportIdle(station);
  // While nobody charges there, a profile moves nothing.
  if (situation === 'zero') await setProfile(station, 0, isDynamic);
  if (situation.startsWith('limited')) await setProfile(station, 6, isDynamic);
  if (['charging', 'full', 'limited'].includes(situation)) {
    await begin(station, transactionNumber);
  }
  if (situation === 'full') await reportWatts(station, transactionNumber, 0);
  return station;
}

async function setProfile(station: Station, limit: number, isDynamic: boolean): Promise<void> {
  const payload =
    station.version === 'ocpp1.6'
      ? profile16(limit)
      : profile2(limit, isDynamic ? 'Dynamic' : 'Absolute');
  await sendThrough(station, callText('profile', 'SetChargingProfile', payload));
}

/** What was held, refused or reported of the chargers of one feeder. */
function countedOf({ gateway }: RampSite, action: string): readonly string[] {
  return gateway.events.flatMap((event) =>
    event.name.startsWith('Load') && 'charger' in event && event.charger?.startsWith(`${action}-`)
      ? [`${event.name} ${event.charger}`]
      : [],
  );
}
