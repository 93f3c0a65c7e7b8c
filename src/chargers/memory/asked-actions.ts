import { senderOf } from '../../ocpp/actions.ts';
import { ownProperty } from '../../ocpp/message.ts';
import { ocppVersions } from '../../ocpp/version.ts';

/** Commands of the CSMS that make the charger send further calls, and which. */
export const askedBy: Readonly<Record<string, string>> = {
  CustomerInformation: 'NotifyCustomerInformation',
  GetBaseReport: 'NotifyReport',
  GetChargingProfiles: 'ReportChargingProfiles',
  GetDERControl: 'ReportDERControl',
  GetDiagnostics: 'DiagnosticsStatusNotification',
  GetDisplayMessages: 'NotifyDisplayMessages',
  GetLog: 'LogStatusNotification',
  GetMonitoringReport: 'NotifyMonitoringReport',
  GetReport: 'NotifyReport',
  PublishFirmware: 'PublishFirmwareStatusNotification',
  SignedUpdateFirmware: 'SignedFirmwareStatusNotification',
  UpdateFirmware: 'FirmwareStatusNotification',
};

/** Names in a TriggerMessage that are not the name of the action they ask for. */
const triggerNames: ReadonlyMap<unknown, string> = new Map([
  ['SignChargePointCertificate', 'SignCertificate'],
  ['SignChargingStationCertificate', 'SignCertificate'],
  ['SignCombinedCertificate', 'SignCertificate'],
  ['SignV2G20Certificate', 'SignCertificate'],
  ['SignV2GCertificate', 'SignCertificate'],
]);

/**
 * What the CSMS has asked the charger to send since the charger was last accepted.
 *
 * Before it is accepted a charger may send little else than what it is asked for. Bounded: it holds
 * only actions that exist.
 *
 * Source: OCPP 1.6 section 4.2.1 (TriggerMessage while Pending); OCPP 2.0.1 part 2 B02.
 */
export class AskedActions {
  #actions: readonly string[] = [];

  constructor(saved: unknown) {
    if (Array.isArray(saved)) for (const action of saved) this.add(action);
  }

  /** Was `action` asked for? */
  has(action: string): boolean {
    return this.#actions.includes(action);
  }

  /** The CSMS asks for `action`. @returns whether that is new. */
  add(action: unknown): boolean {
    if (typeof action !== 'string' || this.has(action) || !isSentByCharger(action)) return false;
    this.#actions = [...this.#actions, action];
    return true;
  }

  /** The CSMS sends a TriggerMessage, or an ExtendedTriggerMessage. @returns whether it is new. */
  addTriggered(payload: unknown): boolean {
    const requested = ownProperty(payload, 'requestedMessage');
    return this.add(triggerNames.get(requested) ?? requested);
  }

  /** The charger was accepted: from now on it needs no asking. */
  clear(): void {
    this.#actions = [];
  }

  /** What is to be saved. */
  saved(): readonly string[] {
    return this.#actions;
  }
}

function isSentByCharger(action: string): boolean {
  return ocppVersions.some((version) => senderOf(version, action) === 'charger');
}
