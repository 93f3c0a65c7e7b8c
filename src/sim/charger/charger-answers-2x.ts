import { profileMatcher } from '../electrical/charging-limits.ts';
import { readChargingProfile } from '../electrical/charging-profile.ts';
import {
  dateTimeText,
  listOf,
  momentOf,
  numberOf,
  objectOf,
  optionalNumber,
  optionalText,
  textOf,
} from '../protocol/payload.ts';
import type { ChargerAnswers, ChargerParts } from './charger-parts.ts';
import { triggerMessage } from './charger-triggers-2x.ts';
import {
  certificateSigned,
  changeCredential,
  deleteRoot,
  installRoot,
  setNetworkProfile,
} from './credential-answers.ts';
import type { Outgoing } from './outbox.ts';
import {
  askedProfiles,
  customerReport,
  displayReports,
  monitoringReports,
  profileReports,
  reportedSettings,
  variableReports,
} from './reports-2x.ts';
import { changeLocalList, keep } from './station-records.ts';
import { readVariable, writeVariable } from './variables-2x.ts';

const accepted = { status: 'Accepted' } as const;
const rejected = { status: 'Rejected' } as const;
const emptyResult = { status: 'EmptyResultSet' } as const;

/**
 * What a charger of OCPP 2.0.1 answers to every action of the CSMS; 2.1 answers these alike.
 *
 * Source: OCPP 2.0.1 part 2, chapters A to O.
 */
export const chargerAnswers2x: ChargerAnswers = {
  CancelReservation: (payload, { records, station }, afterReply) => {
    const reservationId = numberOf(payload, 'reservationId');
    const evseId = records.reservations.get(reservationId);
    if (evseId === undefined) return rejected;
    records.reservations.delete(reservationId);
    afterReply(() => station.unreserve(evseId));
    return accepted;
  },
  CertificateSigned: certificateSigned,
  ChangeAvailability: (payload, { station }) => ({
    status: station.setOperative(
      numberOf(objectOf(payload, 'evse'), 'id'),
      textOf(payload, 'operationalStatus') === 'Operative',
    ),
  }),
  ClearCache: () => accepted,
  ClearChargingProfile: (payload, { station }, afterReply) => {
    const id = optionalNumber(payload, 'chargingProfileId');
    const criteria = objectOf(payload, 'chargingProfileCriteria');
    const matches = profileMatcher({ ...criteria, ...(id !== undefined && { id }) });
    const cleared = station.limits.clear(matches);
    afterReply(() => station.refresh());
    return { status: cleared > 0 ? 'Accepted' : 'Unknown' };
  },
  ClearDisplayMessage: (payload, { records }) => ({
    status: records.displayMessages.delete(numberOf(payload, 'id')) ? 'Accepted' : 'Unknown',
  }),
  ClearVariableMonitoring: (payload, { records }) => ({
    clearMonitoringResult: listOf(payload, 'id').map((id) => ({
      id,
      status: typeof id === 'number' && records.monitors.delete(id) ? 'Accepted' : 'NotFound',
    })),
  }),
  CostUpdated: () => ({}),
  CustomerInformation: (payload, parts, afterReply) => {
    const requestId = numberOf(payload, 'requestId');
    if (payload['report'] === true) {
      afterReply(() => parts.notify(customerReport(parts, requestId)));
    }
    return accepted;
  },
  DataTransfer: () => ({ status: 'UnknownVendorId' }),
  DeleteCertificate: deleteRoot,
  GetBaseReport: (payload, parts, afterReply) => {
    const reports = variableReports(parts, numberOf(payload, 'requestId'), parts.settings.all());
    afterReply(() => reports.forEach(parts.notify));
    return accepted;
  },
  GetChargingProfiles: (payload, parts, afterReply) => {
    const profiles = askedProfiles(parts, payload);
    if (profiles.length === 0) return { status: 'NoProfiles' };
    const reports = profileReports(numberOf(payload, 'requestId'), profiles);
    afterReply(() => reports.forEach(parts.notify));
    return accepted;
  },
  GetCompositeSchedule: (payload, { station, clock }) => {
    const evseId = numberOf(payload, 'evseId');
    const duration = numberOf(payload, 'duration');
    const unit = textOf(payload, 'chargingRateUnit') === 'A' ? 'A' : 'W';
    const question = station.limitQuestion(evseId);
    return {
      status: 'Accepted',
      schedule: {
        evseId,
        duration,
        scheduleStart: dateTimeText(clock.nowMs()),
        chargingRateUnit: unit,
        chargingSchedulePeriod: station.limits.composite(question, duration, unit),
      },
    };
  },
  GetDisplayMessages: (payload, parts, afterReply) => {
    if (parts.records.displayMessages.size === 0) return { status: 'Unknown' };
    const reports = displayReports(parts, numberOf(payload, 'requestId'));
    afterReply(() => reports.forEach(parts.notify));
    return accepted;
  },
  GetInstalledCertificateIds: (payload, { records }) => {
    const found = records.certificates.ids(listOf(payload, 'certificateType'));
    if (found.length === 0) return { status: 'NotFound' };
    return {
      status: 'Accepted',
      certificateHashDataChain: found.map(({ type, hashData }) => ({
        certificateType: type,
        certificateHashData: hashData,
      })),
    };
  },
  GetLocalListVersion: (_payload, { records }) => ({ versionNumber: records.localListVersion }),
  GetLog: (payload, parts, afterReply) => {
    const requestId = numberOf(payload, 'requestId');
    const status = parts.isSequenceRunning('log') ? 'AcceptedCanceled' : 'Accepted';
    const messages = statuses('Log', ['Uploading', 'Uploaded'], requestId);
    afterReply(() => parts.sequence('log', messages, 0));
    return { status, filename: `${parts.identity.slice(0, 200)}-${requestId}.log` };
  },
  GetMonitoringReport: (payload, parts, afterReply) => {
    const reports = monitoringReports(parts, numberOf(payload, 'requestId'));
    if (reports.length === 0) return emptyResult;
    afterReply(() => reports.forEach(parts.notify));
    return accepted;
  },
  GetReport: (payload, parts, afterReply) => {
    const settings = reportedSettings(parts, payload);
    if (settings.length === 0) return emptyResult;
    const reports = variableReports(parts, numberOf(payload, 'requestId'), settings);
    afterReply(() => reports.forEach(parts.notify));
    return accepted;
  },
  GetTransactionStatus: (payload, { station }) => {
    const transactionId = optionalText(payload, 'transactionId');
    if (transactionId === undefined) return { messagesInQueue: false };
    const isOngoing = station.connectorOf(transactionId) !== undefined;
    return { ongoingIndicator: isOngoing, messagesInQueue: false };
  },
  GetVariables: (payload, { settings }) => ({
    getVariableResult: listOf(payload, 'getVariableData').map((asked) =>
      readVariable(settings, asked),
    ),
  }),
  InstallCertificate: installRoot,
  // Only a Local Controller publishes firmware (L03).
  PublishFirmware: () => rejected,
  RequestStartTransaction: (payload, { station, clock }, afterReply) => {
    const idTag = textOf(objectOf(payload, 'idToken'), 'idToken');
    const evseId = station.freeConnector(optionalNumber(payload, 'evseId'), idTag);
    if (evseId === undefined) return rejected;
    const profile = objectOf(payload, 'chargingProfile');
    if (Object.keys(profile).length > 0) {
      station.limits.set(readChargingProfile(evseId, profile, clock.nowMs()));
    }
    const request = { idTag, authorizes: false, remoteStartId: numberOf(payload, 'remoteStartId') };
    // Two starts for one EVSE may both have been accepted; the second finds it taken.
    afterReply(() => station.startTransaction(evseId, request).catch(() => undefined));
    return accepted;
  },
  RequestStopTransaction: (payload, { station }, afterReply) => {
    const evseId = station.connectorOf(textOf(payload, 'transactionId'));
    if (evseId === undefined) return rejected;
    afterReply(() => station.stopTransaction(evseId, 'Remote'));
    return accepted;
  },
  ReserveNow: (payload, { station, records }) => {
    const idTag = textOf(objectOf(payload, 'idToken'), 'idToken');
    const reserved = station.reserve(numberOf(payload, 'evseId'), idTag);
    if (reserved === undefined) return { status: 'Occupied' };
    records.reservations.set(numberOf(payload, 'id'), reserved);
    return accepted;
  },
  Reset: (payload, { station, reset, resetWhenIdle }, afterReply) => {
    const evseId = optionalNumber(payload, 'evseId') ?? 0;
    if (evseId > 0) {
      // One EVSE restarts without a reboot of the station (B11.FR.08).
      afterReply(() => station.stopTransaction(evseId, 'HardReset'));
      return accepted;
    }
    if (textOf(payload, 'type') === 'OnIdle' && station.isBusy()) {
      afterReply(resetWhenIdle);
      return { status: 'Scheduled' };
    }
    afterReply(() => reset('HardReset'));
    return accepted;
  },
  SendLocalList: (payload, { records }) => {
    const entries = listOf(payload, 'localAuthorizationList').map((entry) => ({
      tag: textOf(objectOf(entry, 'idToken'), 'idToken'),
      entry: objectOf({ entry }, 'entry'),
      info: Object.keys(objectOf(entry, 'idTokenInfo')).length > 0,
    }));
    const updateType = textOf(payload, 'updateType');
    const isNew = changeLocalList(records, numberOf(payload, 'versionNumber'), updateType, entries);
    return { status: isNew ? 'Accepted' : 'VersionMismatch' };
  },
  SetChargingProfile: (payload, { station, clock }, afterReply) => {
    const evseId = numberOf(payload, 'evseId');
    const source = objectOf(payload, 'chargingProfile');
    const profile = readChargingProfile(evseId, source, clock.nowMs());
    // K01.FR.09: a TxProfile needs the transaction that it names.
    const isLate =
      profile.purpose === 'transaction' &&
      station.connectorOf(profile.transactionId ?? '') !== evseId;
    station.refresh();
    if (isLate || !station.limits.set(profile)) return rejected;
    afterReply(() => station.refresh());
    return accepted;
  },
  SetDisplayMessage: (payload, { records }) => {
    const message = objectOf(payload, 'message');
    const isKept = keep(records.displayMessages, numberOf(message, 'id'), message);
    return isKept ? accepted : rejected;
  },
  SetMonitoringBase: () => accepted,
  SetMonitoringLevel: () => accepted,
  SetNetworkProfile: setNetworkProfile,
  SetVariableMonitoring: (payload, parts) => ({
    setMonitoringResult: listOf(payload, 'setMonitoringData').map((data) =>
      setMonitor(parts, data),
    ),
  }),
  SetVariables: (payload, parts, afterReply) => {
    const { settings, heartbeatEvery } = parts;
    const before = settings.integer('HeartbeatInterval', 0);
    const setVariableResult = listOf(payload, 'setVariableData').map((asked) =>
      writeVariable(settings, asked, (key, value) =>
        changeCredential(key, value, parts, afterReply),
      ),
    );
    const after = settings.integer('HeartbeatInterval', 0);
    if (after !== before) heartbeatEvery(after);
    return { setVariableResult };
  },
  TriggerMessage: triggerMessage,
  UnlockConnector: (payload, { station }) => {
    const evseId = numberOf(payload, 'evseId');
    const connector = station.connectors().find((other) => other.connectorId === evseId);
    if (connector === undefined) return { status: 'UnknownConnector' };
    // Unlike 1.6, 2.x does not end a transaction to unlock (F05.FR.02).
    return { status: connector.isCharging ? 'OngoingAuthorizedTransaction' : 'Unlocked' };
  },
  UnpublishFirmware: () => ({ status: 'NoFirmware' }),
  UpdateFirmware: (payload, parts, afterReply) => {
    const firmware = objectOf(payload, 'firmware');
    const isSigned = optionalText(firmware, 'signature') !== undefined;
    const verified = isSigned ? ['SignatureVerified'] : [];
    const steps = ['Downloading', 'Downloaded', ...verified, 'Installing', 'Installed'];
    const startMs = momentOf(firmware, 'retrieveDateTime') ?? 0;
    const delaySeconds = Math.max(0, (startMs - parts.clock.nowMs()) / 1000);
    const status = parts.isSequenceRunning('firmware') ? 'AcceptedCanceled' : 'Accepted';
    const messages = statuses('Firmware', steps, numberOf(payload, 'requestId'));
    afterReply(() => parts.sequence('firmware', messages, delaySeconds));
    return { status };
  },
};

/** Nothing is ever downloaded or uploaded; only its messages are sent. */
function statuses(
  subject: 'Firmware' | 'Log',
  steps: readonly string[],
  requestId: number,
): readonly Outgoing[] {
  return steps.map((status) => ({
    action: `${subject}StatusNotification`,
    payload: { status, requestId },
  }));
}

function setMonitor({ records, settings }: ChargerParts, data: unknown): object {
  const component = objectOf(data, 'component');
  const given = { type: textOf(data, 'type'), severity: numberOf(data, 'severity') };
  const echo = { ...given, component, variable: objectOf(data, 'variable') };
  if (settings.ofComponent(textOf(component, 'name')).length === 0) {
    return { status: 'UnknownComponent', ...echo };
  }
  const id = optionalNumber(data, 'id') ?? Math.max(0, ...records.monitors.keys()) + 1;
  const isKept = keep(records.monitors, id, objectOf({ data }, 'data'));
  return isKept ? { status: 'Accepted', id, ...echo } : { status: 'Rejected', ...echo };
}
