import { type CallErrorCode, isCallErrorCode } from '../errors/catalogue.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import { messageIdLengthMax } from './decode.ts';
import type { Frame, Unreadable } from './frame.ts';
import type { PresetName } from './presets.ts';
import type { Violation } from './rule.ts';
import { rules } from './table.ts';

/** What becomes of the sender, and of who waits, when a message is refused. */
export interface Penalty {
  readonly is: /** The connection is closed. */
    | 'close'
    /** The sender gets a CallError. */
    | 'call-error'
    /** The message was a reply: the caller gets a CallError in its place. */
    | 'answer-caller'
    /** Nobody is told. */
    | 'drop';
  /** The CallError's message id; "-1" where the refused message has none that can be read. */
  readonly id?: string;
  readonly code?: CallErrorCode;
  /** Does it count towards the strikes that end a connection? */
  readonly isStrike: boolean;
}

/**
 * The penalty for a message that broke a rule.
 *
 * `strict` takes it from Table 1. The other presets close nothing at once, because chargers in the
 * field send broken JSON by the minute and still charge cars; and they never leave a caller waiting
 * for a reply that was refused.
 *
 * Source: PNNL-35706 Table 1; docs/divergences.md.
 */
export function penaltyFor(
  frame: Frame | Unreadable,
  violation: Violation,
  version: OcppVersion,
  preset: PresetName,
): Penalty {
  return preset === 'strict'
    ? tablePenalty(frame, violation)
    : fieldPenalty(frame, violation, version);
}

function tablePenalty(frame: Frame | Unreadable, violation: Violation): Penalty {
  const rule = rules.find((candidate) => candidate.name === violation.rule);
  const isReply = frame.kind === 'call-result' || frame.kind === 'call-error';
  // The table has no row for the rules of context; what it does about payloads fits them.
  const onFail = isReply ? (rule?.onFail.reply ?? 'drop') : (rule?.onFail.call ?? 'call-error');
  if (onFail === 'close') return { is: 'close', isStrike: true };
  // The table has no limit for replies to nothing; a flood of them must end all the same.
  const isStrike = violation.rule === 'message-id' && isMisdeed(frame, violation);
  // A SEND has no answer, and a CALLRESULTERROR is one.
  if (onFail === 'call-error' && frame.kind === 'call' && isCallErrorCode(violation.code)) {
    return { is: 'call-error', id: frame.id, code: violation.code, isStrike: false };
  }
  return { is: 'drop', isStrike };
}

/** Some replies that answer nothing are nobody's fault. */
function isMisdeed(frame: Frame | Unreadable, { code }: Pick<Violation, 'code'>): boolean {
  // The peer could not read an id, and says so as OCPP 2.x wants it.
  const saysUnreadable = frame.kind === 'call-error' && frame.id === '-1';
  return code !== 'MATCH_LATE' && code !== 'MATCH_STALE' && !saysUnreadable;
}

function fieldPenalty(
  frame: Frame | Unreadable,
  { code, rule }: Violation,
  version: OcppVersion,
): Penalty {
  // Whoever cannot show that he is the CSMS settles no call of the charger, and answers none.
  if (rule === 'signature' && frame.kind !== 'call') return { is: 'drop', isStrike: true };
  const isNobodysFault = code === 'MATCH_LATE' || code === 'MATCH_STALE';
  if (code === 'FORMAT_EMPTY' || isNobodysFault) return { is: 'drop', isStrike: false };
  const isStrike =
    rule === 'signature' ||
    ((rule === 'format' || rule === 'message-id') && isMisdeed(frame, { code }));
  const isReply = frame.kind === 'call-result' || frame.kind === 'call-error';
  if (isReply && rule !== 'message-id') {
    return { is: 'answer-caller', id: frame.id, code: 'REPLY_REFUSED', isStrike };
  }
  if (!isCallErrorCode(code)) return { is: 'drop', isStrike };
  switch (frame.kind) {
    case 'call':
      return callErrorPenalty(frame.id, code, version, isStrike);
    case 'unreadable':
      return unreadablePenalty(frame, code, version);
    case 'call-result':
    case 'call-error':
    case 'call-result-error':
    case 'send':
      return { is: 'drop', isStrike };
  }
}

function unreadablePenalty(frame: Unreadable, code: CallErrorCode, version: OcppVersion): Penalty {
  const isStrike = true;
  // A broken reply must not be answered: its sender would take that for an answer to a call.
  const isReply = frame.typeId === 3 || frame.typeId === 4 || frame.typeId === 5;
  if (isReply) {
    return frame.id === undefined
      ? { is: 'drop', isStrike }
      : { is: 'answer-caller', id: frame.id, code: 'REPLY_REFUSED', isStrike };
  }
  // OCPP 1.6 and 2.1 ignore unknown message types; 2.0.1 part 4 section 4.4 answers them.
  if (code === 'FORMAT_MESSAGE_TYPE' && version !== 'ocpp2.0.1') return { is: 'drop', isStrike };
  if (frame.typeId === 6) return { is: 'drop', isStrike };
  return callErrorPenalty(frame.id, code, version, isStrike);
}

/**
 * A CallError under the id of the refused message. Without an id that can be sent back, OCPP 2.x
 * uses "-1"; OCPP 1.6 has nothing, and the refusal is silent.
 */
function callErrorPenalty(
  id: string | undefined,
  code: CallErrorCode,
  version: OcppVersion,
  isStrike: boolean,
): Penalty {
  if (id !== undefined && id !== '' && id.length <= messageIdLengthMax) {
    return { is: 'call-error', id, code, isStrike };
  }
  return version === 'ocpp1.6'
    ? { is: 'drop', isStrike }
    : { is: 'call-error', id: '-1', code, isStrike };
}
