import type { Rule, Violation } from '../rules/rule.ts';
import { isNeverLost } from '../rules/soft.ts';
import type { PolicyInput } from './context.ts';

/** What a charger may always send: to be accepted, and to tell of an attack while it is not. */
const alwaysAllowed: ReadonlySet<string> = new Set([
  'BootNotification',
  'SecurityEventNotification',
]);

/** What would start to charge at a charger that the CSMS does not know. */
const starts: ReadonlySet<string> = new Set(['RemoteStartTransaction', 'RequestStartTransaction']);

/**
 * Before the CSMS has accepted a charger, the charger sends BootNotification and what it was asked
 * for; and nobody starts to charge there. Stopping is always allowed.
 *
 * A charger that the gateway has never seen boot is another matter: it may have booted long before
 * the gateway was there, and chargers may connect again without booting. That is soft: the CSMS
 * knows better, and refuses by itself what it must.
 *
 * Source: OCPP 1.6 errata section 3.10 and section 4.2; OCPP 2.0.1 part 2, B02.FR.05, B02.FR.09 and
 * B03; docs/divergences.md, C16 and C20.
 */
export const bootState: Rule<PolicyInput> = {
  id: 6,
  name: 'boot-state',
  factor: 'System state',
  demand:
    'Before the CSMS has accepted a charger, it sends BootNotification and what it was asked.',
  source: 'PNNL-35706 section 4.0; OCPP 2.0.1 part 2, B02.FR.09',
  onFail: { call: 'call-error', reply: 'drop' },
  concerns: { kinds: ['call', 'send'] },

  check({ context, frame, from }: PolicyInput): Violation | undefined {
    const status = context.bootStatus;
    if (status === 'Accepted' || status === 'assumed') return undefined;
    if (frame.kind !== 'call' && frame.kind !== 'send') return undefined;
    const { action } = frame;
    if (from === 'csms') {
      const isRefused = status === 'Pending' || status === 'Rejected';
      return starts.has(action) && isRefused ? violation('hard', status) : undefined;
    }
    if (alwaysAllowed.has(action) || context.wasTriggered(action)) return undefined;
    const isUncertain = status === 'unknown' || status === 'unaccepted';
    const isSoft = isUncertain || isNeverLost(frame);
    return violation(isSoft ? 'soft' : 'hard', status);
  },
};

function violation(severity: 'hard' | 'soft', status: string): Violation {
  return {
    rule: 'boot-state',
    code: 'BOOT_NOT_ACCEPTED',
    severity,
    detail: `the registration is ${status}`,
  };
}
