import { acceptedCharger } from '../../scripts/docs/judge-example.ts';
import type { OcppVersion } from '../../src/ocpp/version.ts';
import type { PolicyContext } from '../../src/policy/context.ts';

/** The context of a charger that the CSMS has accepted and that speaks of nobody else's affairs. */
export function acceptedContext(
  version: OcppVersion,
  changes: Partial<PolicyContext> = {},
): PolicyContext {
  return { ...acceptedCharger(version), credentialChanges: 'track', ...changes };
}
