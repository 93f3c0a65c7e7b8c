import type { JsonObject } from '../../ocpp/message.ts';
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
import type { ChargerAnswer, ChargerAnswers, ChargerParts } from './charger-parts.ts';
import {
  certificateSigned,
  changeCredential,
  deleteRoot,
  installRoot,
  signCertificate,
} from './credential-answers.ts';
import type { Outgoing } from './outbox.ts';
import { changeLocalList } from './station-records.ts';

const accepted = { status: 'Accepted' } as const;
const rejected = { status: 'Rejected' } as const;

/** What ChangeConfiguration answers to each outcome. */
const changeStatuses = {
  changed: 'Accepted',
  unknown: 'NotSupported',
  'read-only': 'Rejected',
  'bad-value': 'Rejected',
  'after-reset': 'RebootRequired',
} as const;

/**
 * What a charger of OCPP 1.6 answers to every action of the CSMS.
 *
 * Source: OCPP 1.6 chapter 5; "Improved security for OCPP 1.6-J" edition 3 chapter 5.
 */
export const chargerAnswers16: ChargerAnswers = {
  CancelReservation: (payload, { records, station }, afterReply) => {
    const reservationId = numberOf(payload, 'reservationId');
    const connectorId = records.reservations.get(reservationId);
    if (connectorId === undefined) return rejected;
    records.reservations.delete(reservationId);
    afterReply(() => station.unreserve(connectorId));
    return accepted;
  },
  CertificateSigned: certificateSigned,
  ChangeAvailability: (payload, { station }) => ({
    status: station.setOperative(
      numberOf(payload, 'connectorId'),
      textOf(payload, 'type') === 'Operative',
    ),
  }),
  ChangeConfiguration: (payload, parts, afterReply) => {
    const { settings, heartbeatEvery } = parts;
    const key = textOf(payload, 'key');
    const value = textOf(payload, 'value');
    const change = changeCredential(key, value, parts, afterReply) ?? settings.change(key, value);
    if (change === 'changed' && key === 'HeartbeatInterval') {
      heartbeatEvery(settings.integer(key, 0));
    }
    return { status: changeStatuses[change] };
  },
  ClearCache: () => accepted,
  ClearChargingProfile: (payload, { station }, afterReply) => {
    const cleared = station.limits.clear(profileMatcher(payload));
    afterReply(() => station.refresh());
    return { status: cleared > 0 ? 'Accepted' : 'Unknown' };
  },
  DataTransfer: () => ({ status: 'UnknownVendorId' }),
  DeleteCertificate: deleteRoot,
  ExtendedTriggerMessage: triggerMessage,
  GetCompositeSchedule: (payload, { station, clock }) => {
    const connectorId = numberOf(payload, 'connectorId');
    const duration = numberOf(payload, 'duration');
    const unit = textOf(payload, 'chargingRateUnit') === 'A' ? 'A' : 'W';
    const question = station.limitQuestion(connectorId);
    return {
      status: 'Accepted',
      connectorId,
      scheduleStart: dateTimeText(clock.nowMs()),
      chargingSchedule: {
        duration,
        chargingRateUnit: unit,
        chargingSchedulePeriod: station.limits.composite(question, duration, unit),
      },
    };
  },
  GetConfiguration: (payload, { settings }) => {
    const asked = listOf(payload, 'key').filter((key) => typeof key === 'string');
    const known = settings.all().filter(({ key }) => asked.length === 0 || asked.includes(key));
    const keys = new Set(known.map(({ key }) => key));
    const unknownKey = asked.filter((key) => !keys.has(key));
    return {
      configurationKey: known.map(({ key, access, value }) => ({
        key,
        readonly: access === 'ReadOnly',
        // A write-only key is named, but its value is never told.
        ...(access !== 'WriteOnly' && { value }),
      })),
      ...(unknownKey.length > 0 && { unknownKey }),
    };
  },
  GetDiagnostics: (_payload, parts, afterReply) => {
    afterReply(() => parts.sequence('log', statuses('Diagnostics', ['Uploading', 'Uploaded']), 0));
    return { fileName: `${parts.identity.slice(0, 200)}-diagnostics.log` };
  },
  GetInstalledCertificateIds: (payload, { records }) => {
    const found = records.certificates.ids([textOf(payload, 'certificateType')]);
    if (found.length === 0) return { status: 'NotFound' };
    return { status: 'Accepted', certificateHashData: found.map(({ hashData }) => hashData) };
  },
  GetLocalListVersion: (_payload, { records }) => ({ listVersion: records.localListVersion }),
  GetLog: (payload, parts, afterReply) => {
    const requestId = numberOf(payload, 'requestId');
    const status = parts.isSequenceRunning('log') ? 'AcceptedCanceled' : 'Accepted';
    afterReply(() => {
      parts.sequence('log', statuses('Log', ['Uploading', 'Uploaded'], requestId), 0);
    });
    return { status, filename: `${parts.identity.slice(0, 200)}-${requestId}.log` };
  },
  InstallCertificate: installRoot,
  RemoteStartTransaction: (payload, { station, clock }, afterReply) => {
    const idTag = textOf(payload, 'idTag');
    const connectorId = station.freeConnector(optionalNumber(payload, 'connectorId'), idTag);
    if (connectorId === undefined) return rejected;
    const profile = objectOf(payload, 'chargingProfile');
    if (Object.keys(profile).length > 0) {
      station.limits.set(readChargingProfile(connectorId, profile, clock.nowMs()));
    }
    afterReply(() => {
      // Two starts for one connector may both have been accepted; the second finds it taken.
      station.startTransaction(connectorId, { idTag, authorizes: false }).catch(() => undefined);
    });
    return accepted;
  },
  RemoteStopTransaction: (payload, { station }, afterReply) => {
    const connectorId = station.connectorOf(String(numberOf(payload, 'transactionId', -1)));
    if (connectorId === undefined) return rejected;
    afterReply(() => station.stopTransaction(connectorId, 'Remote'));
    return accepted;
  },
  ReserveNow: (payload, { station, records }) => {
    const reserved = station.reserve(numberOf(payload, 'connectorId'), textOf(payload, 'idTag'));
    if (reserved === undefined) return { status: 'Occupied' };
    records.reservations.set(numberOf(payload, 'reservationId'), reserved);
    return accepted;
  },
  Reset: (payload, { reset }, afterReply) => {
    afterReply(() => reset(textOf(payload, 'type') === 'Hard' ? 'HardReset' : 'SoftReset'));
    return accepted;
  },
  SendLocalList: (payload, { records }) => {
    const entries = listOf(payload, 'localAuthorizationList').map((entry) => ({
      tag: textOf(entry, 'idTag'),
      entry: objectOf({ entry }, 'entry'),
      info: Object.keys(objectOf(entry, 'idTagInfo')).length > 0,
    }));
    const updateType = textOf(payload, 'updateType');
    const isNew = changeLocalList(records, numberOf(payload, 'listVersion'), updateType, entries);
    return { status: isNew ? 'Accepted' : 'VersionMismatch' };
  },
  SetChargingProfile: (payload, { station, clock }, afterReply) => {
    const connectorId = numberOf(payload, 'connectorId');
    const source = objectOf(payload, 'csChargingProfiles');
    const profile = readChargingProfile(connectorId, source, clock.nowMs());
    // OCPP 1.6 section 5.16: a TxProfile needs a running transaction.
    const isLate = profile.purpose === 'transaction' && !isCharging(station, connectorId);
    station.refresh();
    if (isLate || !station.limits.set(profile)) return rejected;
    afterReply(() => station.refresh());
    return accepted;
  },
  SignedUpdateFirmware: (payload, parts, afterReply) => {
    const status = parts.isSequenceRunning('firmware') ? 'AcceptedCanceled' : 'Accepted';
    const steps = ['Downloading', 'Downloaded', 'SignatureVerified', 'Installing', 'Installed'];
    const delay = secondsUntil(parts, objectOf(payload, 'firmware'), 'retrieveDateTime');
    const messages = statuses('SignedFirmware', steps, numberOf(payload, 'requestId'));
    afterReply(() => parts.sequence('firmware', messages, delay));
    return { status };
  },
  TriggerMessage: triggerMessage,
  UnlockConnector: (payload, { station }, afterReply) => {
    const connectorId = numberOf(payload, 'connectorId');
    if (!station.connectors().some((connector) => connector.connectorId === connectorId)) {
      return { status: 'NotSupported' };
    }
    afterReply(() => station.stopTransaction(connectorId, 'UnlockCommand'));
    return { status: 'Unlocked' };
  },
  UpdateFirmware: (payload, parts, afterReply) => {
    const steps = ['Downloading', 'Downloaded', 'Installing', 'Installed'];
    const delay = secondsUntil(parts, payload, 'retrieveDate');
    afterReply(() => parts.sequence('firmware', statuses('Firmware', steps), delay));
    return {};
  },
};

function isCharging(station: ChargerParts['station'], connectorId: number): boolean {
  return station
    .connectors()
    .some((connector) => connector.connectorId === connectorId && connector.isCharging);
}

/** Nothing is ever downloaded; only the messages of a download are sent. */
function statuses(
  subject: 'Diagnostics' | 'Firmware' | 'SignedFirmware' | 'Log',
  steps: readonly string[],
  requestId?: number,
): readonly Outgoing[] {
  return steps.map((status) => ({
    action: `${subject}StatusNotification`,
    payload: { status, ...(requestId !== undefined && { requestId }) },
  }));
}

/** Seconds until the moment under `key`; 0 when it has passed. */
function secondsUntil({ clock }: ChargerParts, payload: JsonObject, key: string): number {
  return Math.max(0, ((momentOf(payload, key) ?? 0) - clock.nowMs()) / 1000);
}

type Trigger = (parts: ChargerParts, connectorId: number | undefined) => void;

const triggers: Readonly<Record<string, Trigger>> = {
  BootNotification: ({ bootAgain }) => bootAgain(),
  DiagnosticsStatusNotification: ({ notify }) => statuses('Diagnostics', ['Idle']).forEach(notify),
  FirmwareStatusNotification: ({ notify }) => statuses('Firmware', ['Idle']).forEach(notify),
  Heartbeat: ({ notify }) => notify({ action: 'Heartbeat', payload: {} }),
  LogStatusNotification: ({ notify }) => statuses('Log', ['Idle']).forEach(notify),
  MeterValues: ({ station }, connectorId) => station.notifyMeterValues(connectorId),
  SignChargePointCertificate: (parts) => signCertificate(parts, undefined),
  StatusNotification: ({ station }, connectorId) => station.notifyStatus(connectorId),
};

function triggerMessage(...[payload, parts, afterReply]: Parameters<ChargerAnswer>): JsonObject {
  const requested = optionalText(payload, 'requestedMessage') ?? '';
  const trigger = Object.hasOwn(triggers, requested) ? triggers[requested] : undefined;
  if (trigger === undefined) return { status: 'NotImplemented' };
  afterReply(() => trigger(parts, optionalNumber(payload, 'connectorId')));
  return accepted;
}
