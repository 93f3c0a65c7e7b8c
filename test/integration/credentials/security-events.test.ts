import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import type { SecurityEventView } from '../../../src/chargers/memory/security-events.ts';
import { learnedOf } from '../../../src/cmd/charger/charger-status.ts';
import { type OcppVersion, ocppVersions } from '../../../src/ocpp/version.ts';
import { type LiveGateway, openVisitor, startLiveGateway } from '../../support/live-gateway.ts';
import { connectCharger, startHandCsms, type TextPeer } from '../../support/text-peer.ts';

// Goal: what a charger tells of its security reaches the CSMS as it is, and the operator in every
// place where he looks, without secrets; and a flood of it costs neither of them the rest.
// Method: chargers and a CSMS by hand; then the events, /metrics, the audit log, the log, and what the
// store remembers.

const timestamp = '2026-01-01T00:00:00Z';

interface Pair {
  readonly gateway: LiveGateway;
  readonly charger: TextPeer;
  readonly upstream: TextPeer;
  /** Connects another charger to the same CSMS. */
  join(identity: string): Promise<{ readonly charger: TextPeer; readonly upstream: TextPeer }>;
  [Symbol.asyncDispose](): Promise<void>;
}

async function connected(version: OcppVersion): Promise<Pair> {
  const csms = await startHandCsms();
  const gateway = await startLiveGateway(csms.url);
  const join: Pair['join'] = async (identity) => {
    const charger = await connectCharger(gateway.url(identity), [version]);
    return { charger, upstream: await csms.nextConnection() };
  };
  return {
    gateway,
    ...(await join('CP-1')),
    join,
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await csms.close();
    },
  };
}

let calls = 0;

/** Tells of one event; resolves when the CSMS has it, word for word, and has answered. */
async function tell(
  { charger, upstream }: Pick<Pair, 'charger' | 'upstream'>,
  type: string,
  techInfo?: string,
): Promise<void> {
  calls += 1;
  const id = `event-${calls}`;
  const payload = { type, timestamp, ...(techInfo !== undefined && { techInfo }) };
  const text = JSON.stringify([2, id, 'SecurityEventNotification', payload]);
  charger.send(text);
  assert.equal(await upstream.next(), text);
  upstream.sendMessage(3, id, {});
  assert.deepEqual(await charger.nextMessage(), [3, id, {}]);
}

async function answerBoot(
  { charger, upstream }: Pair,
  version: OcppVersion,
  status: string,
): Promise<void> {
  const payload =
    version === 'ocpp1.6'
      ? { chargePointVendor: 'V', chargePointModel: 'M' }
      : { reason: 'PowerUp', chargingStation: { vendorName: 'V', model: 'M' } };
  charger.sendMessage(2, 'boot', 'BootNotification', payload);
  await upstream.next();
  upstream.sendMessage(3, 'boot', { status, currentTime: timestamp, interval: 60 });
  await charger.next();
}

/** What the store remembers of a charger, and which events its audit log has. Stops the gateway. */
async function kept(
  gateway: LiveGateway,
  identity = 'CP-1',
): Promise<{ readonly view: SecurityEventView; readonly audited: readonly string[] }> {
  await gateway.stop();
  await using visitor = await openVisitor(gateway.dataDirectory);
  return visitor.store.query(async (db) => {
    const learned = await learnedOf(db, identity as ChargerId);
    assert(learned !== undefined);
    const records = await db
      .selectFrom('audit_record')
      .selectAll()
      .where('event', '=', 'ChargerSecurityEvent')
      .where('charger', '=', identity)
      .orderBy('sequence')
      .execute();
    const audited = records.map(({ document }) => document);
    return { view: learned.view.securityEvents, audited };
  });
}

async function countOf(gateway: LiveGateway, event: string): Promise<number> {
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const match = new RegExp(`^gatewatt_events_total\\{event="${event}",code=""\\} (\\d+)$`, 'm');
  return Number(match.exec(metrics)?.[1] ?? 0);
}

/** Name as the charger sends it, the name in the event, and in which versions it is critical. */
const rows: readonly (readonly [string, string, readonly OcppVersion[]])[] = [
  ['TamperDetectionActivated', 'TamperDetectionActivated', ocppVersions],
  ['FailedToAuthenticateAtCentralSystem', 'FailedToAuthenticateAtCsms', []],
  ['InvalidFirmwareSignature', 'InvalidFirmwareSignature', ['ocpp2.0.1', 'ocpp2.1']],
  ['InvalidTLSVersion', 'InvalidTLSVersion', ['ocpp2.0.1', 'ocpp2.1']],
  ['tamperdetectionactivated', 'TamperDetectionActivated', ocppVersions],
  ['DoorOpened', 'unknown', []],
  ['<script>', 'unknown', []],
];

for (const version of ocppVersions) {
  describe(`security events, ${version}`, () => {
    test('A04: each is passed on, emitted, counted, audited and remembered', async () => {
      await using it = await connected(version);
      const { gateway } = it;
      await answerBoot(it, version, 'Accepted');
      for (const [type] of rows) await tell(it, type, `about ${type}`);
      const emitted = gateway.events.filter((event) => event.name === 'ChargerSecurityEvent');
      const expected = rows.map(([type, name, critical]) => ({
        name: 'ChargerSecurityEvent',
        charger: 'CP-1',
        version,
        type: name,
        isCritical: critical.includes(version),
        report: `${type}: about ${type}`,
      }));
      assert.deepEqual(emitted, expected);
      assert.equal(await countOf(gateway, 'ChargerSecurityEvent'), rows.length);
      for (const [type] of rows) assert(gateway.log().includes(`about ${type}`), type);

      const { audited, view } = await kept(gateway);
      assert.equal(audited.length, rows.length);
      for (const [index, [type]] of rows.entries()) {
        assert(audited[index]?.includes(JSON.stringify(`${type}: about ${type}`).slice(1, -1)));
      }
      assert.equal(view.count, rows.length);
      const criticalCount = expected.filter(({ isCritical }) => isCritical).length;
      assert.equal(view.criticalCount, criticalCount);
      assert.deepEqual(
        view.last.map(({ chargerAt, isCritical, type }) => [type, isCritical, chargerAt]),
        rows.map(([type, , critical]) => [type, critical.includes(version), timestamp]),
      );
    });

    for (const status of ['none', 'Pending', 'Rejected']) {
      test(`C20: before the boot is accepted (${status}) as well`, async () => {
        await using it = await connected(version);
        if (status !== 'none') await answerBoot(it, version, status);
        await tell(it, 'TamperDetectionActivated');
        const { isCritical, report } = await it.gateway.event('ChargerSecurityEvent');
        assert.deepEqual([isCritical, report], [true, 'TamperDetectionActivated']);
        const refused = it.gateway.events.filter((event) => event.name === 'FrameRefused');
        assert.deepEqual(refused, []);
        assert.equal((await kept(it.gateway)).view.criticalCount, 1);
      });
    }
  });
}

describe('security events', () => {
  test('T2-10: secrets in what they say reach the CSMS and nobody else', async () => {
    const secret = 'c0ffee00c0ffee00c0ffee00c0ffee00';
    await using it = await connected('ocpp1.6');
    const { gateway } = it;
    for (const techInfo of [
      `AuthorizationKey changed to ${secret}`,
      `password=${secret}`,
      JSON.stringify({ key: 'AuthorizationKey', value: secret }),
      `Authorization: Basic ${secret}`,
    ]) {
      await tell(it, 'ReconfigurationOfSecurityParameters', techInfo);
    }
    await tell(it, `password ${secret.slice(0, 20)}`);
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    const { audited, view } = await kept(gateway);
    assert.equal(view.count, 5);
    const everything = [
      gateway.log(),
      JSON.stringify(gateway.events),
      metrics,
      JSON.stringify(view),
      ...audited,
    ].join('\n');
    assert(!everything.includes(secret.slice(0, 16)));
    assert.match(everything, /\[redacted\]/);
  });

  test('T2-34: what a terminal would obey does not get into the log', async () => {
    await using it = await connected('ocpp2.0.1');
    const { gateway } = it;
    await tell(it, 'DoorOpened', 'a\u001b[2J\r\nb\u202ec');
    const { report } = await gateway.event('ChargerSecurityEvent');
    assert.equal(report, 'DoorOpened: a?[2J??b?c');
    const lines = gateway
      .log()
      .split('\n')
      .filter((line) => line.includes('DoorOpened'));
    assert.equal(lines.length, 1);
    assert.equal((await kept(gateway)).view.last[0]?.techInfo, 'a?[2J??b?c');
  });

  test('T4-03: of a flood none is lost to the CSMS; log and audit log are not drowned', async () => {
    const count = 600;
    await using it = await connected('ocpp2.0.1');
    const { gateway } = it;
    for (let index = 0; index < count; index += 1) await tell(it, `Made up ${index}`);
    // Others are heard all the same.
    const other = await it.join('CP-2');
    await tell(other, 'TamperDetectionActivated');
    assert.equal(await countOf(gateway, 'ChargerSecurityEvent'), count + 1);
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    assert.doesNotMatch(metrics, /Made up/);
    const logged = gateway
      .log()
      .split('\n')
      .filter((line) => line.includes('Made up'));
    assert(logged.length >= 50 && logged.length < count / 2, `${logged.length} lines`);
    assert.match(gateway.log(), /TamperDetectionActivated/);

    const { audited, view } = await kept(gateway);
    assert(audited.length >= 200 && audited.length < count, `${audited.length} records`);
    assert.equal(view.count, count);
    assert.equal(view.last.length, 20);
    assert.equal(view.last.at(-1)?.type, `Made up ${count - 1}`);
    const neighbour = await kept(gateway, 'CP-2');
    assert.equal(neighbour.audited.length, 1);
    assert.equal(neighbour.view.criticalCount, 1);
  });
});
