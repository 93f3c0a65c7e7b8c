import type { Peer } from '../ocpp/version.ts';
import type { Rule, Violation } from '../rules/rule.ts';
import { isNeverLost } from '../rules/soft.ts';
import type { PolicyInput, Restriction } from './context.ts';

/** What leads to a better credential, tells of an attack, or ends a transaction. */
const allowed: Readonly<Record<Restriction, Readonly<Record<Peer, ReadonlySet<string>>>>> = {
  'default-password': {
    charger: new Set(['BootNotification', 'Heartbeat', 'SecurityEventNotification']),
    // The gateway stands in for the CSMS here; its own calls do not pass the rules.
    csms: new Set(),
  },
  'expired-certificate': {
    charger: new Set([
      'BootNotification',
      'Heartbeat',
      'SecurityEventNotification',
      'SignCertificate',
    ]),
    csms: new Set([
      'CertificateSigned',
      'ExtendedTriggerMessage',
      'GetInstalledCertificateIds',
      'InstallCertificate',
      // A car must be stoppable, whatever its charger may not.
      'RemoteStopTransaction',
      'RequestStopTransaction',
      // A cable that stays locked strands the car.
      'UnlockConnector',
      'Reset',
      'TriggerMessage',
    ]),
  },
};

/**
 * A charger that has connected with a default password, or with a certificate that has expired, gets
 * a better one and does nothing else: whoever knows a batch's default password would otherwise be
 * every charger of the batch. Replies pass, since they only answer what was let through.
 *
 * Source: OCPP 2.0.1 part 2, A00.FR.429 and A00.FR.430, and A00.FR.806.
 */
export const restricted: Rule<PolicyInput> = {
  id: 8,
  name: 'restricted',
  factor: 'System state',
  demand: 'With a credential that only serves to get a better one, a charger gets a better one.',
  source: 'OCPP 2.0.1 part 2, A00.FR.429, A00.FR.430 and A00.FR.806',
  onFail: { call: 'call-error', reply: 'drop' },
  concerns: { kinds: ['call', 'send'] },

  check({ context, frame, from }: PolicyInput): Violation | undefined {
    const { restriction } = context;
    if (restriction === undefined) return undefined;
    if (frame.kind !== 'call' && frame.kind !== 'send') return undefined;
    if (allowed[restriction][from].has(frame.action)) return undefined;
    return {
      rule: 'restricted',
      code: 'RESTRICTED',
      severity: from === 'charger' && isNeverLost(frame) ? 'soft' : 'hard',
      detail:
        restriction === 'default-password'
          ? 'connected with a default password'
          : 'connected with a certificate that has expired',
    };
  },
};
