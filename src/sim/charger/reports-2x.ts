import type { JsonObject } from '../../ocpp/message.ts';
import { profileMatcher } from '../electrical/charging-limits.ts';
import type { ChargingProfile } from '../electrical/charging-profile.ts';
import {
  dateTimeText,
  listOf,
  objectOf,
  optionalNumber,
  optionalText,
  textOf,
} from '../protocol/payload.ts';
import type { ChargerParts } from './charger-parts.ts';
import type { Outgoing } from './outbox.ts';
import { equalsIgnoringCase, type Setting } from './settings.ts';
import { reportOf } from './variables-2x.ts';

/** Entries in one message, so that a report has more than one part. */
const entriesPerReport = 6;

/** NotifyReport, in parts (OCPP 2.0.1 part 2 B07). */
export function variableReports(
  parts: ChargerParts,
  requestId: number,
  settings: readonly Setting[],
): readonly Outgoing[] {
  const generatedAt = dateTimeText(parts.clock.nowMs());
  const chunks = chunked(settings.map(reportOf), entriesPerReport);
  return chunks.map((reportData, seqNo) => ({
    action: 'NotifyReport',
    payload: { requestId, generatedAt, seqNo, tbc: seqNo < chunks.length - 1, reportData },
  }));
}

/** The settings that GetReport asks for. */
export function reportedSettings(parts: ChargerParts, payload: JsonObject): readonly Setting[] {
  const asked = listOf(payload, 'componentVariable');
  if (asked.length === 0) return parts.settings.all();
  return parts.settings.all().filter((setting) =>
    asked.some((entry) => {
      const component = textOf(objectOf(entry, 'component'), 'name');
      const variable = optionalText(objectOf(entry, 'variable'), 'name');
      return (
        equalsIgnoringCase(setting.component, component) &&
        (variable === undefined || equalsIgnoringCase(setting.variable, variable))
      );
    }),
  );
}

/** NotifyMonitoringReport of every monitor (N02). */
export function monitoringReports(parts: ChargerParts, requestId: number): readonly Outgoing[] {
  const generatedAt = dateTimeText(parts.clock.nowMs());
  const is21 = parts.version === 'ocpp2.1';
  const monitors = [...parts.records.monitors].map(([id, data]) => ({
    component: objectOf(data, 'component'),
    variable: objectOf(data, 'variable'),
    variableMonitoring: [
      {
        id,
        transaction: data['transaction'] === true,
        value: data['value'],
        type: data['type'],
        severity: data['severity'],
        ...(is21 && { eventNotificationType: 'CustomMonitor' }),
      },
    ],
  }));
  const chunks = chunked(monitors, entriesPerReport);
  return chunks.map((monitor, seqNo) => ({
    action: 'NotifyMonitoringReport',
    payload: { requestId, generatedAt, seqNo, tbc: seqNo < chunks.length - 1, monitor },
  }));
}

/** The profiles that GetChargingProfiles asks for (K09). */
export function askedProfiles(
  parts: ChargerParts,
  payload: JsonObject,
): readonly ChargingProfile[] {
  const criteria = objectOf(payload, 'chargingProfile');
  const evseId = optionalNumber(payload, 'evseId');
  const sources = listOf(criteria, 'chargingLimitSource');
  if (sources.length > 0 && !sources.includes('CSO')) return [];
  const matches = profileMatcher({ ...criteria, ...(evseId !== undefined && { evseId }) });
  return parts.station.limits.profiles().filter(matches);
}

/** ReportChargingProfiles: one message per EVSE. */
export function profileReports(
  requestId: number,
  profiles: readonly ChargingProfile[],
): readonly Outgoing[] {
  const groups = [...Map.groupBy(profiles, (profile) => profile.connectorId)];
  return groups.map(([evseId, ofEvse], index) => ({
    action: 'ReportChargingProfiles',
    payload: {
      requestId,
      chargingLimitSource: 'CSO',
      evseId,
      chargingProfile: ofEvse.map(({ source }) => source),
      tbc: index < groups.length - 1,
    },
  }));
}

/** NotifyDisplayMessages of every message (O03). */
export function displayReports(parts: ChargerParts, requestId: number): readonly Outgoing[] {
  const messageInfo = [...parts.records.displayMessages.values()];
  return [{ action: 'NotifyDisplayMessages', payload: { requestId, messageInfo, tbc: false } }];
}

/** What CustomerInformation asks for (N09): nothing personal is known here. */
export function customerReport(parts: ChargerParts, requestId: number): Outgoing {
  return {
    action: 'NotifyCustomerInformation',
    payload: {
      data: 'Nothing is stored about this customer.',
      seqNo: 0,
      tbc: false,
      generatedAt: dateTimeText(parts.clock.nowMs()),
      requestId,
    },
  };
}

/** By field of SetDERControl: the field of ReportDERControl, the inner name, and whether flagged. */
const derFields: Readonly<Record<string, readonly [field: string, inner: string, flags: boolean]>> =
  {
    curve: ['curve', 'curve', true],
    enterService: ['enterService', 'enterService', false],
    fixedPFAbsorb: ['fixedPFAbsorb', 'fixedPF', true],
    fixedPFInject: ['fixedPFInject', 'fixedPF', true],
    fixedVar: ['fixedVar', 'fixedVar', true],
    freqDroop: ['freqDroop', 'freqDroop', true],
    gradient: ['gradient', 'gradient', false],
    limitMaxDischarge: ['limitMaxDischarge', 'limitMaxDischarge', true],
  };

/** ReportDERControl: one message per control (2.1, R04). */
export function derReports(
  requestId: number,
  controls: readonly JsonObject[],
): readonly Outgoing[] {
  return controls.map((control, index) => {
    const payload: Record<string, unknown> = { requestId, tbc: index < controls.length - 1 };
    for (const [given, [field, inner, flags]] of Object.entries(derFields)) {
      if (!Object.hasOwn(control, given)) continue;
      payload[field] = [
        {
          id: textOf(control, 'controlId'),
          [inner]: control[given],
          ...(given === 'curve' && { curveType: control['controlType'] }),
          ...(flags && { isDefault: control['isDefault'] === true, isSuperseded: false }),
        },
      ];
    }
    return { action: 'ReportDERControl', payload };
  });
}

function chunked<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
