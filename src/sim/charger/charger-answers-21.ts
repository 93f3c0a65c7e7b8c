import { withDynamicLimit } from '../electrical/charging-limits.ts';
import {
  dateTimeText,
  listOf,
  numberOf,
  objectOf,
  optionalText,
  textOf,
} from '../protocol/payload.ts';
import { chargerAnswers2x } from './charger-answers-2x.ts';
import type { ChargerAnswers } from './charger-parts.ts';
import { derReports } from './reports-2x.ts';
import { keep } from './station-records.ts';

const accepted = { status: 'Accepted' } as const;
const rejected = { status: 'Rejected' } as const;

/**
 * What a charger of OCPP 2.1 answers: as 2.0.1, and to the actions that are new.
 *
 * Source: OCPP 2.1 part 2, chapters I (tariffs), K, N (streams), Q, R (DER), S (battery swap).
 */
export const chargerAnswers21: ChargerAnswers = {
  ...chargerAnswers2x,
  // No car here discharges, so there is nothing that follows the signal.
  AFRRSignal: () => rejected,
  AdjustPeriodicEventStream: () => rejected,
  ChangeTransactionTariff: (payload, { station }) => {
    const evseId = station.connectorOf(textOf(payload, 'transactionId'));
    return evseId === undefined ? { status: 'TxNotFound' } : accepted;
  },
  ClearDERControl: (payload, { records }) => {
    const controlId = optionalText(payload, 'controlId');
    const isDefault = payload['isDefault'] === true;
    const type = optionalText(payload, 'controlType');
    const found = [...records.derControls].filter(
      ([id, control]) =>
        (controlId === undefined || id === controlId) &&
        (type === undefined || control['controlType'] === type) &&
        (control['isDefault'] === true) === isDefault,
    );
    for (const [id] of found) records.derControls.delete(id);
    return { status: found.length > 0 ? 'Accepted' : 'NotFound' };
  },
  ClearTariffs: (payload, { records }) => {
    const asked = listOf(payload, 'tariffIds').filter((id) => typeof id === 'string');
    const known = [...new Set(records.tariffs.values())];
    const results = (asked.length > 0 ? asked : known).map((tariffId) => {
      const cleared = [...records.tariffs].filter(([, id]) => id === tariffId);
      for (const [evseId] of cleared) records.tariffs.delete(evseId);
      return { tariffId, status: cleared.length > 0 ? 'Accepted' : 'NoTariff' };
    });
    return { clearTariffsResult: results.length > 0 ? results : [{ status: 'NoTariff' }] };
  },
  GetDERControl: (payload, { records, notify }, afterReply) => {
    const controlId = optionalText(payload, 'controlId');
    const controls = [...records.derControls.values()].filter(
      (control) => controlId === undefined || control['controlId'] === controlId,
    );
    if (controls.length === 0) return { status: 'NotFound' };
    const reports = derReports(numberOf(payload, 'requestId'), controls);
    afterReply(() => reports.forEach(notify));
    return accepted;
  },
  GetPeriodicEventStream: () => ({}),
  GetTariffs: (payload, { records }) => {
    const evseId = numberOf(payload, 'evseId');
    const found = [...records.tariffs].filter(([evse]) => evseId === 0 || evse === evseId);
    if (found.length === 0) return { status: 'NoTariff' };
    const assignments = [...Map.groupBy(found, ([, tariffId]) => tariffId)];
    return {
      status: 'Accepted',
      tariffAssignments: assignments.map(([tariffId, evses]) => ({
        tariffId,
        tariffKind: 'DefaultTariff',
        evseIds: evses.map(([evse]) => evse),
      })),
    };
  },
  NotifyAllowedEnergyTransfer: (payload, { station }) =>
    station.connectorOf(textOf(payload, 'transactionId')) === undefined ? rejected : accepted,
  NotifyWebPaymentStarted: () => ({}),
  // A charging station has no batteries to give out.
  RequestBatterySwap: () => rejected,
  SetDERControl: (payload, { records, clock, notify }, afterReply) => {
    const controlId = textOf(payload, 'controlId');
    if (!keep(records.derControls, controlId, payload)) return rejected;
    if (payload['isDefault'] !== true) {
      const timestamp = dateTimeText(clock.nowMs());
      const started = { controlId, started: true, timestamp };
      afterReply(() => notify({ action: 'NotifyDERStartStop', payload: started }));
    }
    return accepted;
  },
  SetDefaultTariff: (payload, { records }) => {
    const tariffId = textOf(objectOf(payload, 'tariff'), 'tariffId');
    return keep(records.tariffs, numberOf(payload, 'evseId'), tariffId) ? accepted : rejected;
  },
  UpdateDynamicSchedule: (payload, { station }, afterReply) => {
    const id = numberOf(payload, 'chargingProfileId', -1);
    const profile = station.limits.profiles().find((other) => other.id === id);
    // K28.FR.02: only a profile of kind Dynamic takes updates.
    if (profile === undefined || profile.kind !== 'Dynamic') return rejected;
    station.refresh();
    station.limits.set(withDynamicLimit(profile, objectOf(payload, 'scheduleUpdate')));
    afterReply(() => station.refresh());
    return accepted;
  },
  UsePriorityCharging: (payload, { station, notify }, afterReply) => {
    const transactionId = textOf(payload, 'transactionId');
    if (station.connectorOf(transactionId) === undefined) return rejected;
    const activated = payload['activate'] === true;
    station.refresh();
    if (!station.limits.setPriority(transactionId, activated)) return { status: 'NoProfile' };
    afterReply(() => {
      station.refresh();
      const notification = { transactionId, activated };
      notify({ action: 'NotifyPriorityCharging', payload: notification });
    });
    return accepted;
  },
};
