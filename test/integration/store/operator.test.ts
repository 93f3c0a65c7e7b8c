import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ConfigChanges,
  type LiveGateway,
  startLiveGateway,
} from '../../support/live-gateway.ts';
import {
  acceptText,
  connectRaw,
  type RawPeer,
  startRawCsms,
  upgradeText,
} from '../../support/raw-websocket.ts';
import { describePostgres } from '../../support/stores.ts';
import { connectCharger, startHandCsms } from '../../support/text-peer.ts';
import { run } from '../charger-command/registry-at-work.ts';
import { connectThrough, refusalOf, type Through, talk } from '../connection/talk.ts';
import { attempt, until } from './exchanges.ts';
import { sharedPlace } from './places.ts';

// Goal: what an operator says with `gatewatt charger` holds for running gateways at once, for the
//   next connection and for the one that there is.
// Method: the real command beside a real gateway. On PostgreSQL it is given the configuration of
//   another gateway than the one that has the charger.

describe('gatewatt charger, beside a gateway on SQLite', () => {
  test('takes effect without a restart', async () => {
    await takesEffect({}, (gateway) => gateway);
  });
});

describe('gatewatt charger quarantine, beside a gateway', () => {
  test('ends a connection that was on its way in when it came', async () => {
    await using csms = await startRawCsms();
    await using gateway = await startLiveGateway(csms.url, {
      gateway: { drainSeconds: 0 },
      csms: { url: csms.url, connectTimeoutSeconds: 60 },
    });
    const accept = async (upstream: RawPeer): Promise<void> => {
      upstream.write(acceptText(await upstream.head));
    };
    const witness = connectCharger(gateway.url('WITNESS'));
    await accept(await csms.nextConnection());
    const { closed } = await witness;
    using charger = await connectRaw(gateway.port);
    charger.write(upgradeText('/ocpp/CP-1'));
    const upstream = await csms.nextConnection();
    await upstream.head;
    for (const identity of ['CP-1', 'WITNESS']) {
      assert.equal((await run('quarantine', identity, '-c', gateway.configFile)).code, 0);
    }
    // Changes are taken notice of in their order: by now the gateway knows of both.
    assert.equal((await closed).code, 1008);
    await accept(upstream);
    assert.equal((await charger.head).status, 101);
    assert.equal((await charger.nextClose()).code, 1008);
  });
});

describePostgres('gatewatt charger, beside two gateways on PostgreSQL', () => {
  test('takes effect without a restart', async () => {
    await using place = await sharedPlace();
    await using csms = await startHandCsms();
    const section = await place.section();
    await using other = await startLiveGateway(csms.url, {
      gateway: { id: 'gw-other', drainSeconds: 0 },
      store: section,
      chargers: { unknown: 'reject' },
    });
    await takesEffect({ store: section }, () => other);
  });
});

async function takesEffect(
  changes: ConfigChanges,
  whereToSay: (gateway: LiveGateway) => LiveGateway,
): Promise<void> {
  await using csms = await startHandCsms();
  await using gateway = await startLiveGateway(csms.url, {
    gateway: { id: 'gw', drainSeconds: 0 },
    chargers: { unknown: 'reject' },
    ...changes,
  });
  const { configFile } = whereToSay(gateway);
  const say = async (...parameters: readonly string[]): Promise<void> => {
    const { code, stderr } = await run(...parameters, '-c', configFile);
    assert.equal(code, 0, stderr);
  };
  const url = gateway.url('CP-1');

  assert.equal((await refusalOf(url)).status, 401);
  await say('add', 'CP-1');
  await say('add', 'CP-2');
  const charger = await connectThrough(gateway, csms, 'CP-1');
  const bystander = await connectThrough(gateway, csms, 'CP-2');

  // Soft: `standard` lets it pass.
  assert.equal(await passesUntidy(charger), true);
  await say('set', 'CP-1', '--rule', 'payload=enforce');
  await until(async () => !(await passesUntidy(charger)));
  assert.equal(await passesUntidy(bystander), true);
  await talk(charger);

  await say('quarantine', 'CP-1');
  assert.deepEqual(await charger.charger.closed, {
    code: 1008,
    reason: 'The charging station identity is blocked.',
  });
  assert.equal((await refusalOf(url)).status, 403);
  await say('release', 'CP-1');
  const released = await connectThrough(gateway, csms, 'CP-1');
  // What was set is still set.
  assert.equal(await passesUntidy(released), false);
  await talk(released);

  await say('remove', 'CP-1');
  assert.deepEqual(await released.charger.closed, { code: 1008, reason: 'Not authorized.' });
  assert.equal((await refusalOf(url)).status, 401);
  await talk(bystander);
  await say('add', 'CP-1');
  const again = await attempt(url);
  assert.ok(again.charger !== undefined);
  // Its settings went with it.
  assert.equal(
    await passesUntidy({ charger: again.charger, upstream: await csms.nextConnection() }),
    true,
  );
}

let calls = 0;

/** Sends a Heartbeat with a property too many. @returns whether it was passed on. */
async function passesUntidy({ charger, upstream }: Through): Promise<boolean> {
  calls += 1;
  const id = `untidy-${calls}`;
  charger.sendMessage(2, id, 'Heartbeat', { vendorOwn: 1 });
  const answered = charger.nextMessage();
  const passed = upstream.nextMessage();
  const isPassed = await Promise.race([passed.then(() => true), answered.then(() => false)]);
  if (isPassed) {
    upstream.sendMessage(3, id, { currentTime: '2026-01-01T00:00:00Z' });
    await answered;
    return true;
  }
  const [type] = await answered;
  assert.equal(type, 4);
  // A tidy one takes the place of what did not come.
  charger.sendMessage(2, `${id}-tidy`, 'Heartbeat', {});
  assert.equal((await passed)[1], `${id}-tidy`);
  upstream.sendMessage(3, `${id}-tidy`, { currentTime: '2026-01-01T00:00:00Z' });
  await charger.nextMessage();
  return false;
}
