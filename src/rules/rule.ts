import type { ErrorCode } from '../errors/catalogue.ts';
import type { MessageKind } from '../ocpp/message.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';
import type { Frame } from './frame.ts';

/**
 * The rules, by the names that configuration and logs use: first those of PNNL-35706 Table 1, then
 * those of context, which are in `policy/`.
 */
export const ruleNames = [
  'signature',
  'format',
  'direction',
  'message-id',
  'payload',
  'secure-firmware',
  'boot-state',
  'transaction-owner',
  'restricted',
  'credential-change',
  'security-profile',
  'certificates',
] as const;

/** The name of a rule. */
export type RuleName = (typeof ruleNames)[number];

/** Is `text` the name of a rule? */
export function isRuleName(text: string): text is RuleName {
  return (ruleNames as readonly string[]).includes(text);
}

/**
 * How bad a violation is.
 *
 * - `hard`: dangerous or meaningless; passing it on helps nobody.
 * - `soft`: wrong, but seen from healthy chargers and understood by most systems.
 * - `benign`: wrong by the letter only; passes in both directions by default.
 */
export type Severity = 'hard' | 'soft' | 'benign';

/** One broken rule. */
export interface Violation {
  readonly rule: RuleName;
  readonly code: ErrorCode;
  readonly severity: Severity;
  /** Where and what, for the log. Holds names from the official schemas, never peer text. */
  readonly detail: string;
}

/** What the conversation so far says about a frame. Made by the session, read by rule 3. */
export type Correlation =
  /** The frame is no reply, and its id is new. */
  | { readonly is: 'new' }
  /** The reply answers an open call, which was of `action`. */
  | { readonly is: 'answer'; readonly action: string }
  /** Same id and bytes as a call that is still open, or that was answered shortly before. */
  | { readonly is: 'retry'; readonly open: boolean }
  /** Same id as an open or recent call, but other bytes. */
  | {
      readonly is: 'conflict';
      readonly open: boolean;
      /** May a reply to the other call still come? It would be taken for this one's. */
      readonly isUnanswered: boolean;
    }
  /** A reply to a call that was answered, or given up, shortly before. */
  | { readonly is: 'late' }
  /** A reply to a call of an earlier connection. */
  | { readonly is: 'stale' }
  /** A reply to nothing. */
  | { readonly is: 'unsolicited' };

/** What a rule may look at. */
export interface RuleInput {
  readonly frame: Frame;
  readonly from: Peer;
  readonly version: OcppVersion;
  readonly correlation: Correlation;
}

/** What happens to a message that breaks a rule, by PNNL-35706 Table 1. */
export type RulePenalty = 'close' | 'call-error' | 'drop';

/** A reply is never answered: a CallError to a reply would be a reply to nothing. */
export type ReplyPenalty = Exclude<RulePenalty, 'call-error'>;

/** One row of PNNL-35706 Table 1, or a rule of context. */
export interface Rule<Input extends RuleInput = RuleInput> {
  /** The row; from 6 on, the rules that Table 1 does not have. */
  readonly id: number;
  readonly name: RuleName;
  /** The row's name in the table, "Figure 2 Factor". */
  readonly factor: string;
  /** What the rule demands, for the documentation. */
  readonly demand: string;
  readonly source: string;
  readonly onFail: { readonly call: RulePenalty; readonly reply: ReplyPenalty };
  /**
   * The only messages that can break it: of one side, of some kinds. Without it, any can. It is not
   * asked about others, which spares the calls of most messages.
   */
  readonly concerns?: {
    readonly from?: Peer;
    readonly kinds?: readonly MessageKind[];
  };
  /** The worst violation, or undefined when the frame keeps the rule. Never throws. */
  check(input: Input): Violation | undefined;
}

const severityOrder: Readonly<Record<Severity, number>> = { hard: 2, soft: 1, benign: 0 };

/** The violation with the highest severity; the first of equals. */
export function worst(violations: readonly Violation[]): Violation | undefined {
  let found: Violation | undefined;
  for (const violation of violations) {
    if (found === undefined || severityOrder[violation.severity] > severityOrder[found.severity]) {
      found = violation;
    }
  }
  return found;
}
