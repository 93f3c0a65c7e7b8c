import type { ChargerSettings } from '../../chargers/charger-entry.ts';
import type { ChargingSchedule } from '../../chargers/memory/charging-schedule.ts';
import type { Variable } from '../../chargers/memory/variables.ts';
import { printable, textTable } from '../text-table.ts';
import type { ClaimStatus, TransactionStatus } from './charger-status.ts';
import { credentialRows } from './credential-text.ts';
import { timeOf } from './json-text.ts';
import type { ChargerReport } from './show.ts';

type Learned = NonNullable<ChargerReport['learned']>;
type Rows = readonly (readonly string[])[];

/** The report for people: one section after the other, those that hold nothing left out. */
export function reportText(report: ChargerReport): string {
  const { learned, reported } = report;
  const sections = [
    section(report.identity, generalRows(report)),
    section('Set by the operator', settingRows(report.settings)),
    section('Credential', credentialRows(report.credential)),
    section('Said by the charger', [
      ...row('vendor', reported.vendor),
      ...row('model', reported.model),
      ...row('serial number', reported.serialNumber),
      ...row('firmware', reported.firmware),
    ]),
    ...(learned === null ? [] : learnedSections(learned)),
    section('Last transactions', report.transactions.map(transactionRow), transactionHeadings),
    section('Variables', (report.variables ?? []).map(variableRow), ['NAME', 'VALUE', '']),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

/** A heading, and a table that is indented below it. */
function section(heading: string, rows: Rows, headings: readonly string[] = []): string {
  if (rows.length === 0) return '';
  const table = textTable(rows, headings).replace(/^(?=.)/gm, '  ');
  return `${printable(heading)}\n${table}`;
}

/** No row for what is not known. */
function row(name: string, value: string | null | undefined): Rows {
  return value === null || value === undefined ? [] : [[name, value]];
}

function generalRows({ origin, claim, ...report }: ChargerReport): Rows {
  return [
    ['origin', origin ?? 'not in the registry'],
    ...row('since', report.createdAt),
    ...row('first seen', report.firstSeenAt),
    ['last seen', report.lastSeenAt ?? 'never'],
    ...(claim === null ? [['connected', 'no']] : claimRows(claim)),
  ];
}

function claimRows(claim: ClaimStatus): Rows {
  const { claimedAt, connectedTo, takeovers, quarantinedUntil } = claim;
  const isConnected = connectedTo !== null;
  return [
    ['connected', isConnected ? `to gateway ${connectedTo} since ${claimedAt ?? '?'}` : 'no'],
    ...row('last connected', isConnected ? null : claimedAt),
    ['connections', `${claim.epoch}`],
    ...row('take-overs', takeovers === 0 ? null : `${takeovers} since ${claim.takeoversSince}`),
    ...row('quarantined', quarantinedUntil && `until ${quarantinedUntil}`),
    ...row('reason', claim.quarantineReason),
  ];
}

function settingRows(settings: ChargerSettings): Rows {
  const { requiredSecurityProfile, recordsMessages } = settings;
  return [
    ...row('vendor', settings.vendor),
    ...row('model', settings.model),
    ...row('firmware', settings.firmware),
    ...row('serial number', settings.serialNumber),
    ...row('basic user', settings.basicUser),
    ...row('assumed subprotocol', settings.assumeSubprotocol),
    ...row('errors spelled as', settings.spellErrorsAs),
    ...row('pings', pings(settings.pingSeconds)),
    ...row(
      'security profile',
      requiredSecurityProfile === undefined ? null : `${requiredSecurityProfile} or higher`,
    ),
    ...row('feeder', settings.feeder),
    ...row('rating', settings.ratedKw === undefined ? null : `${settings.ratedKw} kW`),
    ...row('signed messages', signedMessages[settings.signedMessages ?? 'default']),
    ...row('messages', recordsMessages === true ? 'each is put into the audit log' : null),
    ...(settings.ruleModes ?? []).map(({ rule, mode, from }) => [
      `rule ${rule}`,
      from === undefined ? mode : `${mode} from the ${from}`,
    ]),
    ...row('notes', settings.notes),
  ];
}

const signedMessages = {
  strip: 'come without their signatures',
  keep: 'come with their signatures',
  default: undefined,
} as const;

function pings(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  return seconds === 0 ? 'none' : `every ${seconds} s`;
}

function learnedSections(learned: Learned): readonly string[] {
  const { boot, counts, connectors, limits, meterValues, outstanding, securityEvents } = learned;
  const interval = boot.intervalSeconds === undefined ? '' : `, every ${boot.intervalSeconds} s`;
  const since = boot.sinceMs === 0 ? '' : ` since ${time(boot.sinceMs)}`;
  const open = learned.transactions.filter(({ status }) => status === 'open');
  const messages =
    `${counts.fromCharger} from the charger, ${counts.fromCsms} from the CSMS, ` +
    `${counts.refused} refused`;
  return [
    section('Learned from messages', [
      ['registration', `${boot.status}${since}${interval}`],
      ['messages', messages],
      ...outstanding.map(({ from, action, sentAtMs }) => [
        'unanswered',
        `${action} from the ${from} since ${time(sentAtMs)}`,
      ]),
      ...row('as of', learned.updatedAt),
    ]),
    section(
      'Connectors',
      connectors.map((it) => [
        number(it.evseId),
        number(it.connectorId),
        it.status ?? '-',
        it.errorCode ?? '-',
        `${it.availability ?? '-'}${it.isScheduled ? ' (scheduled)' : ''}`,
        time(it.atMs),
      ]),
      ['EVSE', 'CONNECTOR', 'STATUS', 'ERROR', 'AVAILABILITY', 'SAID'],
    ),
    section(
      `Last security events (${securityEvents.count}, critical: ${securityEvents.criticalCount})`,
      securityEvents.last.map((it) => [
        it.type,
        it.isCritical ? 'critical' : '-',
        it.techInfo ?? '-',
        it.chargerAt ?? '-',
        time(it.atMs),
      ]),
      ['EVENT', '', 'SAID', 'HAPPENED', 'HEARD'],
    ),
    section(
      'Open transactions',
      open.map((it) => [
        it.transactionId,
        number(it.evseId),
        number(it.connectorId),
        it.chargingState ?? '-',
        it.startedBy.by,
        time(it.startedAtMs),
      ]),
      ['TRANSACTION', 'EVSE', 'CONNECTOR', 'STATE', 'STARTED BY', 'STARTED'],
    ),
    section(
      'Meter values',
      meterValues.flatMap(({ place, readings }) =>
        readings.map((it) => [
          `${place}`,
          [it.measurand, it.phase].filter((part) => part !== undefined).join(' '),
          it.location,
          `${it.value} ${it.unit ?? ''}`,
          time(it.atMs),
        ]),
      ),
      ['PLACE', 'MEASURAND', 'LOCATION', 'VALUE', 'SEEN'],
    ),
    section('Limits', limitRows(limits), ['PLACE', 'FROM', 'PURPOSE', 'LIMITS', 'SEEN']),
  ];
}

function limitRows({ profiles, external, composite }: Learned['limits']): Rows {
  const rows = [
    ...profiles.map((it) => [
      `${it.place}`,
      `profile ${it.chargingProfileId}`,
      it.chargingProfilePurpose,
      it.chargingSchedule.map(periods).join(' | '),
      time(it.atMs),
    ]),
    ...external.map((it) => [
      number(it.evseId),
      it.source,
      it.isGridCritical ? 'critical to the grid' : '-',
      it.chargingSchedule.map(periods).join(' | '),
      time(it.atMs),
    ]),
  ];
  if (composite === undefined) return rows;
  const { place, schedule, atMs } = composite;
  return [...rows, [`${place}`, 'the charger', 'all in all', periods(schedule), time(atMs)]];
}

function periods({ chargingRateUnit, chargingSchedulePeriod, isCut }: ChargingSchedule): string {
  const unit = chargingRateUnit ?? '';
  const texts = chargingSchedulePeriod.map(({ startPeriod, limit, setpoint }) => {
    return `${limit ?? setpoint ?? '?'} ${unit} from ${startPeriod} s`;
  });
  return [...texts, ...(isCut ? ['...'] : [])].join(', ');
}

const transactionHeadings = ['TRANSACTION', 'STATUS', 'STARTED', 'ENDED'];

function transactionRow(it: TransactionStatus): readonly string[] {
  return [it.transactionId, it.status, it.startedAt ?? '-', it.endedAt ?? '-'];
}

function variableRow(it: Variable): readonly string[] {
  const name = withInstance(it.name, it.instance);
  const component = it.component && withInstance(it.component, it.componentInstance);
  const place = [it.evseId, it.connectorId].filter((part) => part !== undefined).join('.');
  const owner = [component, place].filter((part) => part).join(' ');
  const remarks = [
    ...(it.isReadOnly === true ? ['read-only'] : []),
    ...(it.isCut === true ? ['cut'] : []),
    ...(it.needsReboot === true ? ['after a reboot'] : []),
  ];
  return [
    [owner, [name, it.attributeType].filter((part) => part).join(' ')]
      .filter((part) => part !== '')
      .join(': '),
    it.value ?? '-',
    remarks.join(', '),
  ];
}

function withInstance(name: string, instance: string | undefined): string {
  return instance === undefined ? name : `${name}[${instance}]`;
}

function number(value: number | undefined): string {
  return value === undefined ? '-' : `${value}`;
}

function time(atMs: number): string {
  return timeOf(atMs) ?? '-';
}
