import type { JsonObject } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import {
  dateTimeText,
  listOf,
  numberOf,
  objectOf,
  optionalNumber,
  optionalText,
  textOf,
} from '../protocol/payload.ts';
import type { CsmsTransactions } from './csms-transactions.ts';

/** What the answers of a simulated CSMS work with. */
export interface CsmsParts {
  readonly identity: string;
  readonly nowMs: number;
  readonly heartbeatIntervalSeconds: number;
  readonly transactions: CsmsTransactions;
  /** Notes the last status of a connector. */
  readonly noteStatus: (connectorId: number, status: string) => void;
}

/** Answers one action of a charger. */
export type CsmsAnswer = (payload: JsonObject, parts: CsmsParts) => JsonObject;

/** By action. */
export type CsmsAnswers = Readonly<Record<string, CsmsAnswer>>;

const accepted = { status: 'Accepted' } as const;
const nothing: CsmsAnswer = () => ({});
const acceptedIdTag = { idTagInfo: accepted };
const acceptedIdToken = { idTokenInfo: accepted };

/** BootNotification and Heartbeat are alike in all versions, and so is DataTransfer. */
const common: CsmsAnswers = {
  BootNotification: (_payload, { nowMs, heartbeatIntervalSeconds }) => ({
    status: 'Accepted',
    currentTime: dateTimeText(nowMs),
    interval: heartbeatIntervalSeconds,
  }),
  DataTransfer: () => ({ status: 'UnknownVendorId' }),
  FirmwareStatusNotification: nothing,
  Heartbeat: (_payload, { nowMs }) => ({ currentTime: dateTimeText(nowMs) }),
  LogStatusNotification: nothing,
  SecurityEventNotification: nothing,
  // The request is taken; a certificate is sent only when a scenario or an operator sends one.
  SignCertificate: () => accepted,
};

/** What a CSMS of OCPP 1.6 answers. Source: OCPP 1.6 chapter 4. */
const answers16: CsmsAnswers = {
  ...common,
  Authorize: () => acceptedIdTag,
  DiagnosticsStatusNotification: nothing,
  MeterValues: (payload, { identity, transactions }) => {
    const transactionId = optionalNumber(payload, 'transactionId');
    if (transactionId !== undefined) {
      const meterWh = registerOf(payload, 'meterValue');
      transactions.record(identity, String(transactionId), { meterWh });
    }
    return {};
  },
  SignedFirmwareStatusNotification: nothing,
  StartTransaction: (payload, { identity, transactions }) => {
    const transactionId = transactions.allotId();
    const meterStartWh = numberOf(payload, 'meterStart');
    transactions.record(identity, String(transactionId), {
      connectorId: numberOf(payload, 'connectorId'),
      idTag: textOf(payload, 'idTag'),
      startedAt: textOf(payload, 'timestamp'),
      meterStartWh,
      meterWh: meterStartWh,
    });
    return { transactionId, ...acceptedIdTag };
  },
  StatusNotification: (payload, { noteStatus }) => {
    noteStatus(numberOf(payload, 'connectorId'), textOf(payload, 'status'));
    return {};
  },
  StopTransaction: (payload, { identity, transactions }) => {
    transactions.record(identity, String(numberOf(payload, 'transactionId')), {
      endedAt: textOf(payload, 'timestamp'),
      meterWh: optionalNumber(payload, 'meterStop'),
      // Absent means Local (OCPP 1.6 section 6.49).
      reason: optionalText(payload, 'reason') ?? 'Local',
    });
    return acceptedIdTag;
  },
};

/** What a CSMS of OCPP 2.0.1 answers. Source: OCPP 2.0.1 part 2. */
const answers201: CsmsAnswers = {
  ...common,
  Authorize: () => acceptedIdToken,
  ClearedChargingLimit: nothing,
  // There is no contract certificate pool behind a simulator.
  Get15118EVCertificate: () => ({ status: 'Failed', exiResponse: '' }),
  GetCertificateStatus: () => ({ status: 'Failed' }),
  MeterValues: nothing,
  NotifyChargingLimit: nothing,
  NotifyCustomerInformation: nothing,
  NotifyDisplayMessages: nothing,
  NotifyEVChargingNeeds: () => accepted,
  NotifyEVChargingSchedule: () => accepted,
  NotifyEvent: nothing,
  NotifyMonitoringReport: nothing,
  NotifyReport: nothing,
  PublishFirmwareStatusNotification: nothing,
  ReportChargingProfiles: nothing,
  ReservationStatusUpdate: nothing,
  StatusNotification: (payload, { noteStatus }) => {
    noteStatus(numberOf(payload, 'evseId'), textOf(payload, 'connectorStatus'));
    return {};
  },
  TransactionEvent: transactionEvent,
};

/** What a CSMS of OCPP 2.1 answers. Source: OCPP 2.1 part 2. */
const answers21: CsmsAnswers = {
  ...answers201,
  BatterySwap: nothing,
  ClosePeriodicEventStream: nothing,
  GetCertificateChainStatus: (payload, { nowMs }) => ({
    certificateStatus: listOf(payload, 'certificateStatusRequests').map((request) => ({
      certificateHashData: objectOf(request, 'certificateHashData'),
      source: textOf(request, 'source'),
      status: 'Unknown',
      nextUpdate: dateTimeText(nowMs),
    })),
  }),
  NotifyDERAlarm: nothing,
  NotifyDERStartStop: nothing,
  // A SEND: what is returned here goes nowhere.
  NotifyPeriodicEventStream: nothing,
  NotifyPriorityCharging: nothing,
  NotifySettlement: nothing,
  OpenPeriodicEventStream: () => accepted,
  PullDynamicScheduleUpdate: () => ({ status: 'Rejected' }),
  ReportDERControl: nothing,
  VatNumberValidation: (payload) => ({
    status: 'Accepted',
    vatNumber: textOf(payload, 'vatNumber'),
  }),
};

function transactionEvent(payload: JsonObject, parts: CsmsParts): JsonObject {
  const info = objectOf(payload, 'transactionInfo');
  const eventType = textOf(payload, 'eventType');
  const timestamp = textOf(payload, 'timestamp');
  const meterWh = registerOf(payload, 'meterValue');
  const idToken = optionalText(objectOf(payload, 'idToken'), 'idToken');
  parts.transactions.record(parts.identity, textOf(info, 'transactionId'), {
    seqNo: optionalNumber(payload, 'seqNo'),
    meterWh,
    connectorId: optionalNumber(objectOf(payload, 'evse'), 'id'),
    idTag: idToken,
    ...(eventType === 'Started' && { startedAt: timestamp, meterStartWh: meterWh }),
    ...(eventType === 'Ended' && {
      endedAt: timestamp,
      reason: optionalText(info, 'stoppedReason') ?? 'Local',
    }),
  });
  return idToken === undefined ? {} : acceptedIdToken;
}

/** The last energy register in a list of meter values, in Wh. */
function registerOf(payload: JsonObject, key: string): number | undefined {
  const samples = listOf(payload, key).flatMap((value) => listOf(value, 'sampledValue'));
  const register = samples.findLast(
    (sample) => textOf(sample, 'measurand') === 'Energy.Active.Import.Register',
  );
  // A text in 1.6, a number in 2.x.
  const value = optionalNumber(register, 'value') ?? Number(optionalText(register, 'value') ?? NaN);
  if (!Number.isFinite(value)) return undefined;
  const unit =
    optionalText(register, 'unit') ?? textOf(objectOf(register, 'unitOfMeasure'), 'unit');
  return unit === 'kWh' ? value * 1000 : value;
}

/** By version and action. */
export const csmsAnswers: Readonly<Record<OcppVersion, CsmsAnswers>> = {
  'ocpp1.6': answers16,
  'ocpp2.0.1': answers201,
  'ocpp2.1': answers21,
};
