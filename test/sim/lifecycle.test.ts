/**
 * Goal: a simulated charger lives the life of a real one against the simulated CSMS.
 * Method: both over loopback in all versions; hundredths of seconds stand for seconds.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/ocpp/message.ts';
import { type OcppVersion, ocppVersions } from '../../src/ocpp/version.ts';
import type { SimulatedCsms } from '../../src/sim/csms/csms.ts';
import { objectOf } from '../../src/sim/protocol/payload.ts';
import type { Traffic } from '../../src/sim/protocol/traffic.ts';
import { manualClock } from '../support/manual-clock.ts';
import { until, withPair } from './pair.ts';

const is16 = (version: OcppVersion): boolean => version === 'ocpp1.6';

function remoteStart(csms: SimulatedCsms, version: OcppVersion): Promise<JsonObject> {
  return is16(version)
    ? csms.call('CP-1', 'RemoteStartTransaction', { idTag: 'TAG', connectorId: 1 })
    : csms.call('CP-1', 'RequestStartTransaction', {
        idToken: { idToken: 'TAG', type: 'Central' },
        evseId: 1,
        remoteStartId: 5,
      });
}

function remoteStop(csms: SimulatedCsms, version: OcppVersion, id: string): Promise<JsonObject> {
  return is16(version)
    ? csms.call('CP-1', 'RemoteStopTransaction', { transactionId: Number(id) })
    : csms.call('CP-1', 'RequestStopTransaction', { transactionId: id });
}

function limitTo(csms: SimulatedCsms, version: OcppVersion, watts: number): Promise<JsonObject> {
  const schedule = {
    chargingRateUnit: 'W',
    chargingSchedulePeriod: [{ startPeriod: 0, limit: watts }],
  };
  const rest = { stackLevel: 0, chargingProfileKind: 'Absolute' };
  return is16(version)
    ? csms.call('CP-1', 'SetChargingProfile', {
        connectorId: 0,
        csChargingProfiles: {
          ...rest,
          chargingProfileId: 9,
          chargingProfilePurpose: 'ChargePointMaxProfile',
          chargingSchedule: schedule,
        },
      })
    : csms.call('CP-1', 'SetChargingProfile', {
        evseId: 0,
        chargingProfile: {
          ...rest,
          id: 9,
          chargingProfilePurpose: 'ChargingStationMaxProfile',
          chargingSchedule: [{ ...schedule, id: 1 }],
        },
      });
}

for (const version of ocppVersions) {
  test(`${version}: boot, status, transaction, meter values, stop`, async () => {
    await withPair(version, async ({ charger, csms, judge }) => {
      const id = await charger.startTransaction(1, 'CARD-1');
      const meterAction = is16(version) ? 'MeterValues' : 'TransactionEvent';
      const told = (): number => judge.actions.filter((action) => action === meterAction).length;
      await until(() => told() >= 3, 'meter values were told');
      assert.equal(charger.state().connectors[0]?.status, 'Charging');
      assert.equal(charger.state().powerKw, 11);
      assert.equal(await charger.stopTransaction(1), true);
      const [transaction] = csms.transactions();
      assert.equal(transaction?.transactionId, id);
      assert.equal(transaction?.idTag, 'CARD-1');
      assert.equal(transaction?.reason, 'Local');
      assert.ok((transaction?.meterWh ?? 0) >= (transaction?.meterStartWh ?? 0));
      assert.equal(charger.state().powerKw, 0);
      assert.equal(charger.state().connectors[0]?.status, 'Available');
      assert.deepEqual(judge.departures, []);
    });
  });

  test(`${version}: the CSMS starts and stops, and a second start is rejected`, async () => {
    await withPair(version, async ({ charger, csms, judge }) => {
      assert.deepEqual(await remoteStart(csms, version), { status: 'Accepted' });
      await until(() => csms.transactions().length === 1, 'the transaction was told');
      assert.deepEqual(await remoteStart(csms, version), { status: 'Rejected' });
      const id = csms.transactions()[0]?.transactionId ?? '';
      await until(() => charger.state().connectors[0]?.transactionId === id, 'the id is known');
      assert.deepEqual(await remoteStop(csms, version, '99'), { status: 'Rejected' });
      assert.deepEqual(await remoteStop(csms, version, id), { status: 'Accepted' });
      await until(() => csms.transactions()[0]?.endedAt !== undefined, 'the end was told');
      assert.equal(csms.transactions()[0]?.reason, 'Remote');
      assert.deepEqual(judge.departures, []);
    });
  });

  test(`${version}: a charging profile changes the power, and clearing gives it back`, async () => {
    await withPair(version, async ({ charger, csms }) => {
      await charger.startTransaction(1);
      await limitTo(csms, version, 5000);
      assert.equal(charger.state().powerKw, 5);
      await limitTo(csms, version, 0);
      assert.equal(charger.state().powerKw, 0);
      assert.equal(charger.state().connectors[0]?.status, 'SuspendedEVSE');
      assert.deepEqual(await csms.call('CP-1', 'ClearChargingProfile', {}), { status: 'Accepted' });
      assert.equal(charger.state().powerKw, 11);
    });
  });

  test(`${version}: a reset ends the transaction, reconnects and boots`, async () => {
    await withPair(version, async ({ charger, csms, judge }) => {
      await charger.startTransaction(1);
      const type = is16(version) ? 'Hard' : 'Immediate';
      assert.deepEqual(await csms.call('CP-1', 'Reset', { type }), { status: 'Accepted' });
      const boots = (): number =>
        judge.actions.filter((action) => action === 'BootNotification').length;
      await until(() => boots() === 2, 'the charger boots again');
      assert.notEqual(csms.transactions()[0]?.endedAt, undefined);
      await until(() => charger.state().connection === 'accepted', 'the boot was accepted');
      assert.deepEqual(judge.departures, []);
    });
  });

  test(`${version}: what happens without a connection is told later`, async () => {
    await withPair(version, async ({ charger, csms, judge }) => {
      await charger.startTransaction(1);
      charger.disconnect();
      assert.equal(charger.state().connection, 'disconnected');
      const stopped = charger.stopTransaction(1);
      charger.reconnect();
      assert.equal(await stopped, true);
      assert.notEqual(csms.transactions()[0]?.endedAt, undefined);
      assert.deepEqual(judge.departures, []);
    });
  });

  test(`${version}: a charger whose boot is pending asks again and sends nothing else`, async () => {
    const clock = manualClock();
    await withPair(
      version,
      async ({ charger, csms, judge }) => {
        const answers = ['Pending', 'Rejected', 'Accepted'];
        let asked = 0;
        csms.on('BootNotification', () => {
          const status = answers[asked] ?? 'Accepted';
          asked += 1;
          return { status, currentTime: '2026-01-01T00:00:00Z', interval: 60 };
        });
        const disconnected = (): boolean => charger.state().connection === 'disconnected';
        await csms.call('CP-1', 'Reset', { type: is16(version) ? 'Soft' : 'Immediate' });
        await until(disconnected, 'the charger resets');
        const before = judge.actions.length;
        clock.advance(1000);
        for (const times of [1, 2]) {
          const waits = (): boolean => asked === times && charger.state().connection === 'waiting';
          await until(waits, 'the charger waits');
          assert.deepEqual(await remoteStart(csms, version), { status: 'Rejected' });
          clock.advance(59_000);
          assert.equal(asked, times);
          clock.advance(1000);
        }
        await until(() => charger.state().connection === 'accepted', 'the boot was accepted');
        const commands = ['RemoteStartTransaction', 'RequestStartTransaction'];
        const told = judge.actions.slice(before).filter((action) => !commands.includes(action));
        assert.deepEqual(told.slice(0, 3), Array(3).fill('BootNotification'));
        assert.deepEqual(judge.departures, []);
      },
      { charger: { clock } },
    );
  });
}

test('2.x: sequence numbers rise by one from Started to Ended', async () => {
  const seen: unknown[] = [];
  const onTraffic = ({ message }: Traffic): void => {
    if (message?.kind === 'call' && message.action === 'TransactionEvent') {
      seen.push([message.payload['eventType'], message.payload['seqNo']]);
    }
  };
  await withPair(
    'ocpp2.0.1',
    async ({ charger }) => {
      await charger.startTransaction(1);
      await until(() => seen.length >= 3, 'two updates were told');
      await charger.stopTransaction(1);
    },
    { csms: { onTraffic } },
  );
  const expected = seen.map((_, index) => {
    if (index === 0) return ['Started', 0];
    return [index === seen.length - 1 ? 'Ended' : 'Updated', index];
  });
  assert.deepEqual(seen, expected);
});

test('2.x: a reset on idle waits for the end of the transaction', async () => {
  await withPair('ocpp2.0.1', async ({ charger, csms, judge }) => {
    await charger.startTransaction(1);
    const reply = await csms.call('CP-1', 'Reset', { type: 'OnIdle' });
    assert.deepEqual(reply, { status: 'Scheduled' });
    assert.equal(judge.actions.filter((action) => action === 'BootNotification').length, 1);
    await charger.stopTransaction(1);
    await until(
      () => judge.actions.filter((action) => action === 'BootNotification').length === 2,
      'the charger boots again',
    );
  });
});

test('1.6: the password is written, but never told', async () => {
  await withPair('ocpp1.6', async ({ csms }) => {
    const key = 'AuthorizationKey';
    const change = await csms.call('CP-1', 'ChangeConfiguration', {
      key,
      value: 'hunter2hunter2hu',
    });
    assert.deepEqual(change, { status: 'Accepted' });
    const all = await csms.call('CP-1', 'GetConfiguration', {});
    assert.ok(JSON.stringify(all).includes(key));
    assert.ok(!JSON.stringify(all).includes('hunter2'));
  });
});

test('2.x: the password is written, but never told', async () => {
  await withPair('ocpp2.0.1', async ({ csms, judge }) => {
    const which = {
      component: { name: 'SecurityCtrlr' },
      variable: { name: 'BasicAuthPassword' },
    };
    const attributeValue = 'hunter2hunter2hu';
    await csms.call('CP-1', 'SetVariables', { setVariableData: [{ ...which, attributeValue }] });
    const reply = await csms.call('CP-1', 'GetVariables', { getVariableData: [which] });
    assert.equal(
      objectOf({ first: (reply['getVariableResult'] as unknown[])[0] }, 'first')['attributeStatus'],
      'Rejected',
    );
    const reported = csms.waitFor('CP-1', 'NotifyReport');
    await csms.call('CP-1', 'GetBaseReport', { requestId: 1, reportBase: 'FullInventory' });
    assert.equal((await reported)['requestId'], 1);
    await until(() => judge.actions.filter((name) => name === 'NotifyReport').length === 3, 'all');
    assert.deepEqual(judge.departures, []);
  });
});

test('the CSMS disconnects, and the charger comes back with a back-off', async () => {
  await withPair('ocpp1.6', async ({ charger, csms, judge }) => {
    csms.disconnect('CP-1');
    await until(() => charger.state().connection !== 'accepted', 'the charger has noticed');
    await until(() => charger.state().connection === 'accepted', 'the charger is back');
    assert.equal(judge.actions.filter((action) => action === 'BootNotification').length, 2);
  });
});

test('TriggerMessage makes the charger send what was asked for', async () => {
  await withPair('ocpp1.6', async ({ csms }) => {
    for (const requestedMessage of ['Heartbeat', 'MeterValues', 'StatusNotification']) {
      const came = csms.waitFor('CP-1', requestedMessage);
      const reply = await csms.call('CP-1', 'TriggerMessage', { requestedMessage });
      assert.deepEqual(reply, { status: 'Accepted' });
      await came;
    }
    const asked = csms.waitFor('CP-1', 'SignCertificate');
    await csms.call('CP-1', 'ExtendedTriggerMessage', {
      requestedMessage: 'SignChargePointCertificate',
    });
    assert.match(String((await asked)['csr']), /^-----BEGIN CERTIFICATE REQUEST-----/);
  });
});

test('a firmware update tells its status in order, and downloads nothing', async () => {
  const statuses: unknown[] = [];
  await withPair('ocpp2.0.1', async ({ csms }) => {
    csms.on('FirmwareStatusNotification', (payload) => {
      statuses.push(payload['status']);
      return {};
    });
    await csms.call('CP-1', 'UpdateFirmware', {
      requestId: 3,
      firmware: {
        location: 'https://files.example/firmware',
        retrieveDateTime: '2026-01-01T00:00:00Z',
        signingCertificate: 'x',
        signature: 'x',
      },
    });
    await until(() => statuses.length === 5, 'all statuses were told');
  });
  const expected = ['Downloading', 'Downloaded', 'SignatureVerified', 'Installing', 'Installed'];
  assert.deepEqual(statuses, expected);
});

test('2.1: an answer that departs from its schema is answered with CALLRESULTERROR', async () => {
  const kinds: string[] = [];
  const onTraffic = ({ message }: Traffic): void => {
    kinds.push(message?.kind ?? 'none');
  };
  await withPair(
    'ocpp2.1',
    async ({ charger, csms }) => {
      charger.on('GetLocalListVersion', () => ({ versionNumber: 'one' }));
      const call = csms.call('CP-1', 'GetLocalListVersion', {});
      await assert.rejects(call, { code: 'FormatViolation' });
      await until(() => kinds.includes('call-result-error'), 'the complaint was sent');
    },
    { csms: { onTraffic } },
  );
});

test('the credential is sent by bytes, and the identity percent-encoded', async () => {
  const { createServer } = await import('node:http');
  const { listen } = await import('../../src/sim/protocol/listen.ts');
  const { startSimulatedCharger } = await import('../../src/sim/charger/charger.ts');
  const { systemClock } = await import('../../src/lib/clock.ts');
  const { systemRandom } = await import('../../src/lib/random.ts');
  const server = createServer();
  const upgraded = new Promise<readonly [string, string]>((resolve) => {
    server.on('upgrade', (request, socket) => {
      resolve([request.url ?? '', request.headers.authorization ?? '']);
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    });
  });
  const { port } = await listen(server, '127.0.0.1', 0);
  const charger = startSimulatedCharger({
    clock: systemClock(),
    random: systemRandom,
    url: `ws://127.0.0.1:${port}/ocpp/`,
    identity: 'RDAM 123',
    version: 'ocpp1.6',
    passwordBytes: Buffer.from([0xff, 0x00, 0x41]),
  });
  const [url, authorization] = await upgraded;
  assert.equal(url, '/ocpp/RDAM%20123');
  const credential = Buffer.from(authorization.replace('Basic ', ''), 'base64');
  assert.deepEqual(
    credential,
    Buffer.concat([Buffer.from('RDAM 123:'), Buffer.from([255, 0, 65])]),
  );
  await until(() => charger.state().lastFailure !== undefined, 'the refusal was noticed');
  assert.match(charger.state().lastFailure ?? '', /401/);
  await charger.close();
  server.close();
});
