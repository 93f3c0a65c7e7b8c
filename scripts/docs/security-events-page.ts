import { securityEvents } from '../../src/ocpp/security-events.ts';
import { ocppVersions } from '../../src/ocpp/version.ts';
import { code, page, paragraph, table } from './markdown.ts';

/** docs/security-events.md: the security events of chargers. */
export function securityEventsPage(): string {
  return page('Security events', 'src/ocpp/security-events.ts', [
    paragraph(
      'Chargers tell of these in SecurityEventNotification. The gateway passes every such message ' +
        'on, and reports it as [ChargerSecurityEvent](events.md#chargersecurityevent) with the name ' +
        'in the first column, whichever version the charger speaks. `gatewatt charger show` has the ' +
        'last ones. An event that is not here is reported as `unknown`, with the words of the ' +
        'charger, and is not critical: anybody can make one up.',
    ),
    paragraph(
      'What is critical is to be told at once; the rest is in the log of the charger, which the ' +
        'CSMS gets with GetLog.',
    ),
    table(
      ['event', 'in OCPP 1.6', ...ocppVersions],
      securityEvents.map(({ isCritical, name, name16 }) => [
        code(name),
        isCritical['ocpp1.6'] === undefined ? '' : code(name16 ?? name),
        ...ocppVersions.map((version) => criticality(isCritical[version])),
      ]),
    ),
  ]);
}

function criticality(isCritical: boolean | undefined): string {
  if (isCritical === undefined) return 'no such event';
  return isCritical ? 'critical' : 'not critical';
}
