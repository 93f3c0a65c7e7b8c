import type { SimulatedCharger } from '../peers/charger.ts';
import type { CsmsRecords } from '../peers/csms-records.ts';
import { BrokenInvariant } from './broken-invariant.ts';

/** What is looked at when everything should be well again. */
export interface RestTools {
  readonly honest: readonly SimulatedCharger[];
  readonly records: CsmsRecords;
  /** Commands that were answered for and are still to be sent. */
  readonly commandsLeft: number;
  readonly sessions: number;
}

/** What keeps a simulation from being at rest, and whom; undefined when it is. */
export function whyNoRest({
  commandsLeft,
  honest,
  records,
  sessions,
}: RestTools): { readonly subject: string | undefined; readonly detail: string } | undefined {
  for (const charger of honest) {
    const { plan, work } = charger;
    const { identity: subject } = plan;
    if (!charger.isAtWork) return { subject, detail: 'is not connected' };
    if (!charger.hasToldAll || work.isCharging) {
      return { subject, detail: 'has not told all of its transactions' };
    }
    for (const { token } of work.begun) {
      const known = records.transaction(subject, token);
      if (known === undefined) return { subject, detail: `nobody knows of transaction ${token}` };
      if (!known.isStopped) return { subject, detail: `transaction ${token} has not ended` };
    }
  }
  if (sessions < honest.length) {
    return { subject: undefined, detail: `has ${sessions} sessions for ${honest.length} chargers` };
  }
  if (commandsLeft > 0) {
    return { subject: undefined, detail: `${commandsLeft} answered commands are left` };
  }
  return undefined;
}

/** @throws BrokenInvariant unless everything is at rest. */
export function checkRest(tools: RestTools): void {
  const why = whyNoRest(tools);
  if (why !== undefined) throw new BrokenInvariant('all-comes-to-rest', why.subject, why.detail);
}
