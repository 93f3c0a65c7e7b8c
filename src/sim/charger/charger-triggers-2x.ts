import type { JsonObject } from '../../ocpp/message.ts';
import { objectOf, optionalNumber, textOf } from '../protocol/payload.ts';
import type { ChargerAnswer, ChargerParts } from './charger-parts.ts';
import { signCertificate } from './credential-answers.ts';

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
  SignChargingStationCertificate: (parts) => signCertificate(parts, 'ChargingStationCertificate'),
  SignCombinedCertificate: (parts) => signCertificate(parts, undefined),
  SignV2GCertificate: (parts) => signCertificate(parts, 'V2GCertificate'),
  SignV2G20Certificate: (parts) => signCertificate(parts, 'V2G20Certificate'),
  StatusNotification: ({ station }, evseId) => station.notifyStatus(evseId),
  TransactionEvent: ({ station }) => station.notifyTransactions(),
};

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
