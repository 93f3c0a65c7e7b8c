import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import { exchange, until } from '../store/exchanges.ts';
import {
  assertAnswered,
  assertCsmsRefused,
  assertNothingToCharger,
  assertNothingToCsms,
  assertPaced,
  begin,
  callText,
  end,
  every,
  idOf,
  passes,
  type RampSite,
  sendThrough,
  slow,
  slowAndAnswered,
  startRampSite,
  startText,
  stopText,
  takesReleased,
  watchArrivals,
} from './ramp-site.ts';

// Goal: a command that changes load passes at once where it fits; where it does not, its caller waits
//   as long as that is worth it, and else hears from the gateway what `rampLimit.reply` and
//   `onLongWait` say; and nothing else waits for it.
// Method: a real gateway between hand-driven chargers and CSMS connections, with windows of a second.
//   What shows that a message was not passed on is a later one of the same side, which was.

describe('reply: auto', { timeout: 60_000, concurrency: 4 }, () => {
  for (const version of ocppVersions) {
    test(`what fits passes at once, byte for byte, as does its answer (${version})`, async () => {
      await using site = await startRampSite(
        { unassigned: every(1, 10) },
        { version, chargers: 1 },
      );
      const station = site.station(0);
      await begin(station, 7);
      // As no gateway would write it.
      const text = stopText('s-1', station, 7).replaceAll(',"', ' ,\t"').replace('{', '{ ');
      station.upstream.send(text);
      assert.equal(await station.charger.next(), text);
      const answer = '[3,"s-1", {"status" : "Rejected"}]';
      station.charger.send(answer);
      assert.equal(await station.upstream.next(), answer);
      assert.deepEqual(loadEvents(site), []);
    });

    test(`a short wait keeps the call open for the charger's own answer (${version})`, async () => {
      await using site = await startRampSite(slow, { version, chargers: 2 });
      const [first, second] = [site.station(0), site.station(1)];
      await sendThrough(first, startText('a', first));
      const sentAtMs = performance.now();
      const text = startText('b', second);
      second.upstream.send(text);
      assert.equal(await second.charger.next(), text);
      // The window of the first one has ended.
      assert.ok(performance.now() - sentAtMs > 1000);
      const answer = '[3,"b",{"status":"Rejected"}]';
      second.charger.send(answer);
      assert.equal(await second.upstream.next(), answer);
      const held = await site.gateway.event('LoadCommandHeld');
      assert.deepEqual([held.charger, held.reason, held.answered], ['CP-2', 'budget', false]);
      const released = await site.gateway.event('LoadCommandReleased');
      assert.deepEqual([released.charger, released.lane], ['CP-2', 'ordinary']);
      assert.ok(released.waitedSeconds > 1 && released.waitedSeconds < 10);
      assert.equal(second.upstream.received.length, 1);
    });
  }

  test('what does not change load passes meanwhile, of both sides', async () => {
    await using site = await startRampSite(slow);
    const [first, second] = [site.station(0), site.station(1)];
    // A call of each side is open when the command comes.
    const heartbeat = callText('h', 'Heartbeat', {});
    second.charger.send(heartbeat);
    assert.equal(await second.upstream.next(), heartbeat);
    await sendThrough(first, startText('a', first));
    const text = startText('b', second);
    second.upstream.send(text);
    await site.gateway.event('LoadCommandHeld');

    const answer = '[3,"h",{"currentTime":"2026-01-01T00:00:00Z"}]';
    second.upstream.send(answer);
    assert.equal(await second.charger.next(), answer);
    await exchange(second, 'Heartbeat', {}, { currentTime: '2026-01-01T00:00:00Z' });
    await begin(second, 8);
    await sendThrough(second, callText('c', 'ClearCache', {}));
    const trigger = { requestedMessage: 'Heartbeat' };
    await sendThrough(second, callText('t', 'TriggerMessage', trigger));
    await end(second, 8);
    await assertNothingToCharger(first);
    await passes(second, text);
  });

  test('a held call that is sent again is one call, and nobody else may use its id', async () => {
    await using site = await startRampSite(slow);
    const [first, second] = [site.station(0), site.station(1)];
    await sendThrough(first, startText('a', first));
    const text = startText('b', second);
    second.upstream.send(text);
    await site.gateway.event('LoadCommandHeld');
    second.upstream.send(text);
    await site.gateway.event('CallRetried', ({ from }) => from === 'csms');
    // Neither a harmless call, nor another one that changes load.
    second.upstream.send(callText('b', 'ClearCache', {}));
    await site.gateway.event('FrameRefused', ({ action }) => action === 'ClearCache');
    second.upstream.send(stopText('b', second, 5));
    await site.gateway.event('FrameRefused', ({ action }) => action === 'RemoteStopTransaction');
    const refused = site.gateway.events.filter(({ name }) => name === 'FrameRefused');
    assert.deepEqual(
      refused.map((it) => 'code' in it && it.code),
      ['MATCH_ID_IN_USE', 'MATCH_ID_IN_USE'],
    );
    await passes(second, text);
    await assertNothingToCharger(second);
    await assertNothingToCsms(second);
    assert.equal(loadEvents(site).filter((name) => name === 'LoadCommandHeld').length, 1);
  });

  test('a long wait is answered by the gateway, and the charger gets the command later', async () => {
    await using site = await startRampSite(slowAndAnswered);
    const text = await answerSecondStop(site);
    const second = site.station(1);
    const held = await site.gateway.event('LoadCommandHeld');
    assert.deepEqual([held.charger, held.answered, held.waitSeconds], ['CP-2', true, 2]);
    const id = await takesReleased(second, text);
    second.charger.sendMessage(3, id, { status: 'Accepted' });
    const reconciled = await site.gateway.event('LoadCommandReconciled');
    assert.deepEqual([reconciled.charger, reconciled.action], ['CP-2', 'RemoteStopTransaction']);
    // The CSMS has its answer, and hears nothing more of it.
    await assertNothingToCsms(second);
    await assertNothingToCharger(second);
  });

  for (const answer of ['{"status":"Rejected"}', undefined]) {
    const what = answer === undefined ? 'that fails at' : 'that refuses';
    test(`a charger ${what} what was answered for it is reported`, async () => {
      await using site = await startRampSite(slowAndAnswered);
      const text = await answerSecondStop(site);
      const second = site.station(1);
      const id = await takesReleased(second, text);
      second.charger.send(
        answer === undefined ? `[4,"${id}","InternalError","",{}]` : `[3,"${id}",${answer}]`,
      );
      assert.deepEqual(await site.gateway.event('LoadCommandMismatch'), {
        name: 'LoadCommandMismatch',
        charger: 'CP-2',
        action: 'RemoteStopTransaction',
        told: 'Accepted',
        outcome: 'refused by the charger',
      });
      await assertNothingToCsms(second);
    });
  }

  test('a stop of a car that has left meanwhile is not sent, and is done', async () => {
    await using site = await startRampSite(slowAndAnswered);
    await answerSecondStop(site);
    const second = site.station(1);
    await end(second, 2);
    assert.equal((await site.gateway.event('LoadCommandReconciled')).charger, 'CP-2');
    await assertNothingToCharger(second);
  });

  test('a start that undoes a stop which waits cancels it out: the car goes on', async () => {
    await using site = await startRampSite(slow);
    const [first, second] = [site.station(0), site.station(1)];
    await begin(second, 2);
    await sendThrough(first, startText('a', first));
    second.upstream.send(stopText('b', second, 2));
    await site.gateway.event('LoadCommandHeld');
    second.upstream.send(startText('c', second));
    await assertCsmsRefused(second, 'b', 'RAMP_CANCELLED');
    await assertCsmsRefused(second, 'c', 'RAMP_CANCELLED');
    const { actions } = await site.gateway.event('LoadCommandsCancelledOut');
    assert.deepEqual(actions, ['RemoteStopTransaction', 'RemoteStartTransaction']);
    await assertNothingToCharger(second);
  });

  test('a caller that has waited longer than was foreseen is answered after all', async () => {
    await using site = await startRampSite({ openSecondsMax: 1 }, { chargers: 1 });
    const station = site.station(0);
    await begin(station, 1);
    const busy = callText('busy', 'ClearCache', {});
    station.upstream.send(busy);
    assert.equal(await station.charger.next(), busy);
    // There is room for it, but the charger has a call to answer, and takes its time.
    const text = stopText('s', station, 1);
    station.upstream.send(text);
    const held = await site.gateway.event('LoadCommandHeld');
    assert.deepEqual([held.reason, held.answered], ['busy', false]);
    await assertAnswered(station, 's');
    await site.gateway.event('LoadCommandHeld', ({ answered }) => answered);
    const answer = '[3,"busy",{"status":"Accepted"}]';
    station.charger.send(answer);
    assert.equal(await station.upstream.next(), answer);
    const id = await takesReleased(station, text);
    station.charger.sendMessage(3, id, { status: 'Accepted' });
    await site.gateway.event('LoadCommandReconciled');
    await assertNothingToCsms(station);
  });
});

describe('onLongWait: refuse, and reply: defer', { timeout: 60_000, concurrency: 4 }, () => {
  for (const version of ocppVersions) {
    test(`starts that would wait too long are refused, stops are not (${version})`, async () => {
      await using site = await startRampSite(
        { ...slowAndAnswered, onLongWait: { starts: 'refuse' } },
        { version },
      );
      const [first, second, third] = [site.station(0), site.station(1), site.station(2)];
      await begin(third, 3);
      await sendThrough(first, startText('a', first));
      second.upstream.send(startText('b', second));
      // With the error code of the version.
      await assertCsmsRefused(second, 'b', 'RAMP_BUSY');
      const refused = await site.gateway.event('LoadCommandRefused');
      assert.deepEqual([refused.charger, refused.code], ['CP-2', 'RAMP_BUSY']);
      third.upstream.send(stopText('c', third, 3));
      await assertAnswered(third, 'c');
      const id = await takesReleased(third, stopText('c', third, 3));
      third.charger.sendMessage(3, id, { status: 'Accepted' });
      await site.gateway.event('LoadCommandReconciled');
      await assertNothingToCharger(second);
    });
  }

  test('a start that has waited longer than was foreseen is refused', async () => {
    await using site = await startRampSite(
      { openSecondsMax: 1, onLongWait: { starts: 'refuse' } },
      { chargers: 1 },
    );
    const station = site.station(0);
    const busy = callText('busy', 'ClearCache', {});
    station.upstream.send(busy);
    assert.equal(await station.charger.next(), busy);
    station.upstream.send(startText('s', station));
    await assertCsmsRefused(station, 's', 'RAMP_EXPIRED');
    station.charger.send('[3,"busy",{"status":"Accepted"}]');
    assert.equal(idOf(await station.upstream.next()), 'busy');
    await assertNothingToCharger(station);
  });

  test('defer never answers for a charger', async () => {
    await using site = await startRampSite({
      ...slow,
      reply: 'defer',
      openSecondsMax: 3,
      onLongWait: { starts: 'answer', stops: 'answer' },
    });
    const [first, second, third] = [site.station(0), site.station(1), site.station(2)];
    for (const [index, station] of site.stations.entries()) await begin(station, index + 1);
    await sendThrough(first, stopText('a', first, 1));
    second.upstream.send(stopText('b', second, 2));
    await site.gateway.event('LoadCommandHeld');
    third.upstream.send(stopText('c', third, 3));
    // There is no time for a third one before its caller gives up.
    await assertCsmsRefused(third, 'c', 'RAMP_BUSY');
    assert.equal(await second.charger.next(), stopText('b', second, 2));
    // Nor does it know better than the charger.
    second.charger.send('[3,"b",{"status":"Rejected"}]');
    assert.equal(await second.upstream.next(), '[3,"b",{"status":"Rejected"}]');
    await assertNothingToCharger(third);
  });
});

describe('reply: immediate', { timeout: 60_000, concurrency: 4 }, () => {
  test('PNNL-35706: all are answered at once, and two an interval are released, in order', async () => {
    // Two commands an interval are its default.
    await using site = await startRampSite(
      { reply: 'immediate', unassigned: { intervalSeconds: 1 } },
      { chargers: 7 },
    );
    for (const [index, station] of site.stations.entries()) await begin(station, index + 1);
    const arrivals = watchArrivals(site.stations);
    const texts = site.stations.map((station, index) => {
      const id = `n-${index}`;
      return index % 3 === 0 ? startText(id, station) : stopText(id, station, index + 1);
    });
    const sentAtMs = performance.now();
    for (const [index, station] of site.stations.entries()) {
      station.upstream.send(texts[index] ?? '');
      await assertAnswered(station, `n-${index}`);
    }
    assert.ok(performance.now() - sentAtMs < 3000, 'nobody has waited for the last release');
    for (const [index, station] of site.stations.entries()) {
      const id = await takesReleased(station, texts[index] ?? '');
      station.charger.sendMessage(3, id, { status: 'Accepted' });
    }
    assert.deepEqual(
      arrivals.map(({ station }) => station),
      site.stations.map(({ identity }) => identity),
    );
    assertPaced(
      arrivals.map(({ atMs }) => atMs),
      { budget: 2, intervalMs: 1000 },
    );
    await until(
      () => loadEvents(site).filter((name) => name === 'LoadCommandReconciled').length === 7,
    );
    // The answers of the chargers stay at the gateway.
    for (const station of site.stations) await assertNothingToCsms(station);
  });

  test('what OCPP 1.6 lets nobody answer for the charger is answered by the charger', async () => {
    await using site = await startRampSite({ reply: 'immediate' });
    const station = site.station(0);
    const limit = {
      connectorId: 1,
      csChargingProfiles: {
        chargingProfileId: 1,
        stackLevel: 0,
        chargingProfilePurpose: 'TxDefaultProfile',
        chargingProfileKind: 'Absolute',
        chargingSchedule: {
          chargingRateUnit: 'A',
          chargingSchedulePeriod: [{ startPeriod: 0, limit: 6 }],
        },
      },
    };
    await sendThrough(station, callText('p', 'SetChargingProfile', limit), { status: 'Rejected' });
    await sendThrough(station, callText('u', 'UnlockConnector', { connectorId: 1 }), {
      status: 'NotSupported',
    });
  });
});

/**
 * The first charger is stopped at once; the second stop has to wait, and is answered.
 *
 * @returns its text.
 */
async function answerSecondStop(site: RampSite): Promise<string> {
  const [first, second] = [site.station(0), site.station(1)];
  await begin(first, 1);
  await begin(second, 2);
  await sendThrough(first, stopText('s-1', first, 1));
  const text = stopText('s-2', second, 2);
  second.upstream.send(text);
  await assertAnswered(second, 's-2');
  return text;
}

/** The names of what was told of commands that change load. */
function loadEvents({ gateway }: RampSite): readonly string[] {
  return gateway.events.map(({ name }) => name).filter((name) => name.startsWith('LoadCommand'));
}
