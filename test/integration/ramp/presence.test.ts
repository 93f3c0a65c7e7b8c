import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  assertAnswered,
  assertCsmsRefused,
  assertNothingToCharger,
  assertNothingToCsms,
  begin,
  callText,
  every,
  passes,
  type RampSite,
  sendThrough,
  slow,
  slowAndAnswered,
  startRampSite,
  startText,
  stopText,
  takesReleased,
} from './ramp-site.ts';

// Goal: a command that the CSMS believes done waits for its charger, and nobody else waits with it;
//   one whose caller has left is given up; and nothing surprises anybody after `holdSecondsMax`.
// Method: a real gateway with one command in two seconds, and chargers that leave and come back.

describe('a charger that is away', { timeout: 60_000, concurrency: 4 }, () => {
  test('gets what was answered for it when it is back, and the others go on', async () => {
    await using site = await startRampSite(slowAndAnswered);
    const [first, second, third] = [site.station(0), site.station(1), site.station(2)];
    for (const [index, station] of site.stations.entries()) await begin(station, index + 1);
    await sendThrough(first, stopText('a', first, 1));
    second.upstream.send(stopText('b', second, 2));
    await assertAnswered(second, 'b');
    await leave(site, 1);
    third.upstream.send(stopText('c', third, 3));
    await assertAnswered(third, 'c');
    // It stands behind the second one, which is not there.
    const id = await takesReleased(third, stopText('c', third, 3));
    third.charger.sendMessage(3, id, { status: 'Accepted' });
    await site.gateway.event('LoadCommandReconciled', ({ charger }) => charger === 'CP-3');

    const back = await site.connect('CP-2');
    const laterId = await takesReleased(back, stopText('b', second, 2));
    back.charger.sendMessage(3, laterId, { status: 'Accepted' });
    await site.gateway.event('LoadCommandReconciled', ({ charger }) => charger === 'CP-2');
    await assertNothingToCharger(back);
    await assertNothingToCsms(back);
    assert.equal(released(site, 'CP-2'), 1);
  });

  test('gets several in their order, each when the one before it is done', async () => {
    await using site = await startRampSite({ reply: 'immediate', unassigned: every(1, 1) });
    const [first, second] = [site.station(0), site.station(1)];
    await begin(first, 1);
    await begin(second, 2);
    first.upstream.send(stopText('a', first, 1));
    await assertAnswered(first, 'a');
    const start = (id: string): string =>
      callText(id, 'RemoteStartTransaction', { connectorId: 1, idTag: `TAG-${id}` });
    const texts = [stopText('b', second, 2), start('c'), start('d')];
    for (const text of texts) second.upstream.send(text);
    for (const id of ['b', 'c', 'd']) await assertAnswered(second, id);
    await leave(site, 1);
    const back = await site.connect('CP-2');
    for (const [index, text] of texts.entries()) {
      const id = await takesReleased(back, text);
      assert.equal(back.charger.received.length, index + 1);
      back.charger.sendMessage(3, id, { status: 'Accepted' });
    }
  });

  test('does not get what its CSMS still waited for when it left', async () => {
    await using site = await startRampSite(slow);
    const [first, second] = [site.station(0), site.station(1)];
    await sendThrough(first, startText('a', first));
    second.upstream.send(startText('b', second));
    const held = await site.gateway.event('LoadCommandHeld');
    assert.equal(held.answered, false);
    // The end of its connection tells the CSMS.
    await leave(site, 1);
    await second.upstream.closed;
    const back = await site.connect('CP-2');
    const text = startText('c', back);
    await sendThrough(back, text);
    await assertNothingToCharger(back);
    assert.equal(released(site, 'CP-2'), 1);
  });

  test('does not get what has waited for longer than holdSecondsMax', async () => {
    await using site = await startRampSite({ ...slowAndAnswered, holdSecondsMax: 3 });
    const [first, second] = [site.station(0), site.station(1)];
    await begin(first, 1);
    await begin(second, 2);
    await sendThrough(first, stopText('a', first, 1));
    second.upstream.send(stopText('b', second, 2));
    await assertAnswered(second, 'b');
    await leave(site, 1);
    const expired = await site.gateway.event('LoadCommandExpired');
    assert.deepEqual(
      [expired.charger, expired.action, expired.wasAnswered],
      ['CP-2', 'RemoteStopTransaction', true],
    );
    const back = await site.connect('CP-2');
    await assertNothingToCharger(back);
    // There is room for it by now, and it is gone all the same.
    await sendThrough(first, startText('c', first));
    await assertNothingToCharger(back);
    assert.equal(released(site, 'CP-2'), 0);
  });
});

describe('a charger that does not come to it', { timeout: 60_000, concurrency: 4 }, () => {
  test('does not get what has waited for longer than holdSecondsMax, and the CSMS hears of it', async () => {
    await using site = await startRampSite({ holdSecondsMax: 1 }, { chargers: 1 });
    const station = site.station(0);
    const busy = callText('busy', 'ClearCache', {});
    station.upstream.send(busy);
    assert.equal(await station.charger.next(), busy);
    station.upstream.send(startText('b', station));
    await assertCsmsRefused(station, 'b', 'RAMP_EXPIRED');
    const { wasAnswered } = await site.gateway.event('LoadCommandExpired');
    assert.equal(wasAnswered, false);
    station.charger.send('[3,"busy",{"status":"Accepted"}]');
    await station.upstream.next();
    await assertNothingToCharger(station);
  });

  test('lets the others pass meanwhile', async () => {
    await using site = await startRampSite(slow);
    const [first, second] = [site.station(0), site.station(1)];
    const busy = callText('busy', 'ClearCache', {});
    first.upstream.send(busy);
    assert.equal(await first.charger.next(), busy);
    const text = startText('a', first);
    first.upstream.send(text);
    assert.equal((await site.gateway.event('LoadCommandHeld')).reason, 'busy');
    await sendThrough(second, startText('b', second));
    first.charger.send('[3,"busy",{"status":"Accepted"}]');
    assert.equal(await first.upstream.next(), '[3,"busy",{"status":"Accepted"}]');
    // The other one has taken the room of this window.
    await passes(first, text);
  });
});

/** The charger loses its connection. */
async function leave(site: RampSite, index: number): Promise<void> {
  const { charger, identity } = site.station(index);
  charger.socket.terminate();
  await site.gateway.event('SessionClosed', (it) => it.charger === identity);
}

/** How many commands to this charger had waited and were sent. */
function released({ gateway }: RampSite, identity: string): number {
  return gateway.events.filter(
    (event) => event.name === 'LoadCommandReleased' && event.charger === identity,
  ).length;
}
