import type { ErrorCode } from '../errors/catalogue.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';
import type { Decoded } from './decode.ts';
import type { Admitted, Frame, Unreadable } from './frame.ts';
import { type Penalty, penaltyFor } from './penalty.ts';
import type { Modes } from './presets.ts';
import type { Correlation, Rule, Violation } from './rule.ts';
import { isNeverLost } from './soft.ts';

/** What `admit` needs to know beside the frame. */
export interface AdmitContext {
  readonly from: Peer;
  readonly version: OcppVersion;
  readonly correlation: Correlation;
  readonly modes: Modes;
}

/** The judgement on one message. */
export type Verdict =
  | {
      readonly is: 'admitted';
      readonly frame: Admitted;
      /** What it broke, but may. */
      readonly flagged: readonly Violation[];
    }
  | {
      readonly is: 'refused';
      readonly frame: Frame | Unreadable;
      readonly violation: Violation;
      readonly penalty: Penalty;
      readonly flagged: readonly Violation[];
    };

/**
 * Runs `rules` in order over a decoded message and stops at the first violation that the modes
 * enforce. Never throws.
 *
 * Source: PNNL-35706 section 4.0: rules are checked "in order".
 */
export function admit<Context extends AdmitContext>(
  decoded: Decoded,
  context: Context,
  rules: readonly Rule<Context & { readonly frame: Frame }>[],
): Verdict {
  const { frame } = decoded;
  const flagged: Violation[] = [];
  for (const violation of decoded.violations) {
    if (isEnforced(violation, frame, context)) return refuse(frame, violation, context, flagged);
    flag(violation, context, flagged);
  }
  if (frame.kind !== 'unreadable') {
    const input = { ...context, frame };
    for (const rule of rules) {
      const violation = rule.check(input);
      if (violation === undefined) continue;
      if (isEnforced(violation, frame, context)) return refuse(frame, violation, context, flagged);
      flag(violation, context, flagged);
    }
  }
  // The one place where an Admitted is made.
  return { is: 'admitted', frame: frame as Admitted, flagged };
}

function isEnforced(
  violation: Violation,
  frame: Frame | Unreadable,
  { modes, from }: AdmitContext,
): boolean {
  const { rule, severity } = violation;
  if (modes.modeOf(rule, severity, from) !== 'enforce') return false;
  if (modes.preset === 'strict' || from === 'csms' || frame.kind === 'unreadable') return true;
  return !(isNeverLost(frame) && isBearable(violation));
}

/** May a frame that must never be lost pass in spite of this? */
function isBearable({ code, rule, severity }: Violation): boolean {
  if (severity !== 'hard') return true;
  // A CSMS must take a StopTransaction whatever it thinks of its contents (OCPP 1.6 section 4.10):
  // what it makes of a wrong type is its business. Not what breaks databases, or reads in two ways.
  const bearable: readonly ErrorCode[] = ['PAYLOAD_DATE', 'PAYLOAD_MISSING', 'PAYLOAD_TYPE'];
  return rule === 'payload' && bearable.includes(code);
}

function flag(violation: Violation, { modes, from }: AdmitContext, flagged: Violation[]): void {
  if (modes.modeOf(violation.rule, violation.severity, from) !== 'off') flagged.push(violation);
}

function refuse(
  frame: Frame | Unreadable,
  violation: Violation,
  context: AdmitContext,
  flagged: readonly Violation[],
): Verdict {
  const penalty = penaltyFor(frame, violation, context.version, context.modes.preset);
  return { is: 'refused', frame, violation, penalty, flagged };
}
