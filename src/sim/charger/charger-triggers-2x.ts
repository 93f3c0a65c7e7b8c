import type { JsonObject } from '../../ocpp/message.ts';
import { objectOf, optionalNumber, textOf } from '../protocol/payload.ts';
import { certificateRequest } from './certificate-request.ts';
import type { ChargerAnswer, ChargerParts } from './charger-parts.ts';

type Trigger = (parts: ChargerParts, evseId: number | undefined) => void;

/** What TriggerMessage of 2.x makes a charger send (OCPP 2.0.1 part 2 F06). */
const triggers: Readonly<Record<string, Trigger>> = {
  BootNotification: ({ bootAgain }) => bootAgain(),
  FirmwareStatusNotification: ({ notify }) =>
    notify({ action: 'FirmwareStatusNotification', payload: { status: 'Idle' } }),
  Heartbeat: ({ notify }) => notify({ action: 'Heartbeat', payload: {} }),
  LogStatusNotification: ({ notify }) =>
    notify({ action: 'LogStatusNotification', payload: { status: 'Idle' } }),
  MeterValues: ({ station }, evseId) => station.notifyMeterValues(evseId),
  SignChargingStationCertificate: (parts) => sign(parts, 'ChargingStationCertificate'),
  SignCombinedCertificate: (parts) => sign(parts, undefined),
  SignV2GCertificate: (parts) => sign(parts, 'V2GCertificate'),
  SignV2G20Certificate: (parts) => sign(parts, 'V2G20Certificate'),
  StatusNotification: ({ station }, evseId) => station.notifyStatus(evseId),
  TransactionEvent: ({ station }) => station.notifyTransactions(),
};

function sign({ notify, identity, settings }: ChargerParts, type: string | undefined): void {
  const csr = certificateRequest(identity, settings.byKey('CpoName')?.value ?? '');
  const certificateType = type === undefined ? {} : { certificateType: type };
  notify({ action: 'SignCertificate', payload: { csr, ...certificateType } });
}

/** Answers TriggerMessage, and sends what it asks for. */
export function triggerMessage(
  ...[payload, parts, afterReply]: Parameters<ChargerAnswer>
): JsonObject {
  const requested = textOf(payload, 'requestedMessage');
  const trigger = Object.hasOwn(triggers, requested) ? triggers[requested] : undefined;
  if (trigger === undefined) return { status: 'NotImplemented' };
  afterReply(() => trigger(parts, optionalNumber(objectOf(payload, 'evse'), 'id')));
  return { status: 'Accepted' };
}
