/**
 * As a CSMS: waits for charger CP-1, starts a transaction, limits it to nothing, and stops it: the
 * careless command that a gateway is there to soften.
 *
 *   gatewatt simulate csms --listen 127.0.0.1:9001 --scenario stop-all.ts
 */
import type { ScenarioTools } from '../../../src/sim/scenario.ts';

/** Throws when the charger does not do as it is told. */
export async function scenario({ csms, log }: Required<ScenarioTools>): Promise<void> {
  csms.on('Authorize', () => ({ idTagInfo: { status: 'Blocked' } }));
  const { identity, version } = await csms.waitForCharger('CP-1');
  log(`${identity} speaks ${version}`);

  const started = csms.waitFor(identity, 'StartTransaction');
  const reply = await csms.call(identity, 'RemoteStartTransaction', { idTag: 'CARD-1' });
  if (reply['status'] !== 'Accepted') throw new Error('the charger did not start');
  await started;

  const paused = csms.waitFor(identity, 'StatusNotification', {
    where: ({ status }) => status === 'SuspendedEVSE',
  });
  await csms.call(identity, 'SetChargingProfile', {
    connectorId: 0,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: 'ChargePointMaxProfile',
      chargingProfileKind: 'Absolute',
      chargingSchedule: {
        chargingRateUnit: 'W',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: 0 }],
      },
    },
  });
  log(`the charger says ${String((await paused)['status'])}`);

  const stopped = csms.waitFor(identity, 'StopTransaction');
  const transactionId = Number(csms.transactions()[0]?.transactionId);
  await csms.call(identity, 'RemoteStopTransaction', { transactionId });
  await stopped;
}
