import { isCloseErrorCode } from '../errors/catalogue.ts';
import type { FrameFinding } from '../events/fields.ts';
import { callHandlerFor, replyHandlerFor } from '../handlers/table.ts';
import { isActionName } from '../ocpp/actions.ts';
import { credentialChangesIn } from '../ocpp/credential-changes.ts';
import type { Call } from '../ocpp/message.ts';
import { redactText } from '../ocpp/secrets.ts';
import { describeSecurityEvent } from '../ocpp/security-events.ts';
import { type OcppVersion, otherPeer, type Peer } from '../ocpp/version.ts';
import type { PolicyContext } from '../policy/context.ts';
import { lookUpFor } from '../policy/look-up.ts';
import { allRules } from '../policy/table.ts';
import type { CallLane } from '../queue/call-lane.ts';
import { admit, type Verdict } from '../rules/admit.ts';
import { decode } from '../rules/decode.ts';
import type { Admitted, Frame, Seal, Unreadable } from '../rules/frame.ts';
import type { Modes } from '../rules/presets.ts';
import type { Correlation, Violation } from '../rules/rule.ts';
import { describedBy, type UnverifiedDescription } from '../rules/soft.ts';
import type { Effect } from './effects.ts';

/** What the path needs to know of the conversation that a message is part of. */
export interface Conversation {
  readonly charger: string;
  readonly version: OcppVersion;
  /** The calls of each side. */
  readonly lanes: Readonly<Record<Peer, CallLane>>;
  /** The modes in force, which a BootNotification may change. */
  readonly modes: Modes;
  /** What the rules of context know. */
  readonly context: PolicyContext;
  /** Is every message of this charger recorded? */
  readonly recordsMessages: boolean;
  /** Is this a call of `caller` from before the charger connected again? */
  isStale(caller: Peer, callId: string): boolean;
  /** Takes note of what the charger says it is. */
  describe(description: UnverifiedDescription): void;
}

/**
 * The path of one message, in either direction: from bytes to effects.
 *
 * Never throws for anything that a peer can send, and does nothing by itself but read.
 */
export function passMessage(
  conversation: Conversation,
  from: Peer,
  bytes: Uint8Array,
  nowMs: number,
  seal?: Seal,
): readonly Effect[] {
  const { version } = conversation;
  const decoded = decode(bytes, from, version, seal);
  if (from === 'charger' && decoded.frame.kind !== 'unreadable') {
    // Before the rules: an override for this model must hold for its first message already.
    const description = describedBy(decoded.frame);
    if (description !== undefined) conversation.describe(description);
  }
  // Nobody asks the store for somebody whose word may not be his own.
  if (decoded.frame.kind !== 'unreadable' && seal?.violation === undefined) {
    const question = lookUpFor(decoded.frame, from, conversation.context);
    if (question !== undefined) return [{ do: 'look-up', question }];
  }
  const correlation = correlate(decoded.frame, from, conversation, nowMs);
  const { context, modes } = conversation;
  const { kind } = decoded.frame;
  const asked = kind === 'unreadable' ? [] : allRules.for(from, kind);
  const verdict = admit(decoded, { from, version, correlation, modes, context }, asked);
  const effects =
    verdict.is === 'admitted'
      ? admittedEffects(verdict, correlation, conversation, from)
      : refusedEffects(verdict, correlation, conversation, from);
  if (verdict.flagged.length === 0) return effects;
  const flagged = verdict.flagged.map((violation): Effect => {
    const finding = findingOf(violation, verdict.frame, conversation, from);
    return { do: 'emit', event: { name: 'FrameFlagged', ...finding } };
  });
  return [...flagged, ...effects];
}

/** What the calls of both sides say about a message. */
function correlate(
  frame: Frame | Unreadable,
  from: Peer,
  conversation: Conversation,
  nowMs: number,
): Correlation {
  const { lanes } = conversation;
  switch (frame.kind) {
    case 'unreadable':
      return { is: 'new' };
    case 'call':
      return lanes[from].correlateCall(frame.id, frame.bytes, nowMs);
    case 'send':
      // A SEND has no answer, so its id cannot confuse anything.
      return { is: 'new' };
    case 'call-result':
    case 'call-error': {
      const caller = otherPeer(from);
      const correlation = lanes[caller].correlateReply(frame.id, nowMs);
      const isFromBefore =
        correlation.is === 'unsolicited' && conversation.isStale(caller, frame.id);
      return isFromBefore ? { is: 'stale' } : correlation;
    }
    case 'call-result-error':
      return lanes[from].correlateResultError(frame.id, nowMs);
  }
}

function admittedEffects(
  { frame }: Verdict & { is: 'admitted' },
  correlation: Correlation,
  conversation: Conversation,
  from: Peer,
): readonly Effect[] {
  if (frame.kind === 'call' && correlation.is === 'retry' && correlation.open) {
    const { charger } = conversation;
    // The first copy is on its way, and its answer will answer this one too.
    return [{ do: 'emit', event: { name: 'CallRetried', charger, from } }];
  }
  const counted = countedEffect(frame, conversation, from);
  const effects = passedEffects(counted, frame, correlation, conversation, from);
  if (!conversation.recordsMessages) return effects;
  const [first = counted, ...others] = effects;
  return [first, recordedEffect(frame, conversation, from), ...others];
}

/** `counted`, and what passing the message on takes. */
function passedEffects(
  counted: Effect,
  frame: Admitted,
  correlation: Correlation,
  conversation: Conversation,
  from: Peer,
): readonly Effect[] {
  const { charger, modes, version } = conversation;
  const to = otherPeer(from);
  switch (frame.kind) {
    case 'call':
      // Only a mode that blocks nothing lets such a call through; the lane could not hold both.
      if (correlation.is === 'conflict' && correlation.open) {
        const outcome = callHandlerFor(version, frame.action, from)?.handle({
          call: frame,
          version,
        });
        const sent: Effect =
          outcome?.do === 'rewrite'
            ? { do: 'rewrite', to, message: outcome.message }
            : { do: 'forward', to, frame };
        if (outcome?.do === 'pace') {
          const { loadClass } = outcome;
          const { action } = frame;
          const isAmbiguous = true;
          return [counted, { do: 'pace', frame, action, loadClass, isAmbiguous }, sent];
        }
        return [counted, sent];
      }
      return callEffects(counted, frame, conversation, from);
    case 'call-result': {
      if (correlation.is !== 'answer') return [counted, { do: 'forward', to, frame }];
      const settle: Effect = { do: 'settle', caller: to, id: frame.id, hasResult: true };
      const learned: Effect = { do: 'learn', from, frame };
      const { action } = correlation;
      const handler = replyHandlerFor(version, action, from);
      if (handler === undefined) return [counted, learned, { do: 'forward', to, frame }, settle];
      // Where nothing is enforced, nothing is rewritten either.
      const isRestricting = modes.modeOf('restricted', 'hard', 'charger') === 'enforce';
      const restriction = isRestricting ? conversation.context.restriction : undefined;
      const outcome = handler.handle({ reply: frame, action, version, restriction });
      if (outcome.do === 'forward') return [counted, learned, { do: 'forward', to, frame }, settle];
      if (outcome.do === 'pace') {
        const { loadClass } = outcome;
        const paced: Effect = { do: 'pace', frame, action, loadClass };
        return [counted, paced, learned, { do: 'forward', to, frame }, settle];
      }
      const rewritten: Effect = {
        do: 'emit',
        event: { name: 'FrameRewritten', charger, from, action, handler: handler.name },
      };
      const sent: Effect = { do: 'rewrite', to, message: outcome.message };
      return [counted, learned, sent, settle, rewritten];
    }
    case 'call-error': {
      const sent: Effect = { do: 'forward', to, frame };
      const settle: Effect = { do: 'settle', caller: to, id: frame.id, hasResult: false };
      return correlation.is === 'answer'
        ? [counted, { do: 'learn', from, frame }, sent, settle]
        : [counted, sent, settle];
    }
    case 'send':
      return [counted, { do: 'learn', from, frame }, { do: 'forward', to, frame }];
    case 'call-result-error':
    case 'unreadable':
      return [counted, { do: 'forward', to, frame }];
  }
}

/** A call that is new: what it changes is noted before it goes on. */
function callEffects(
  counted: Effect,
  frame: Admitted<Frame<Call>>,
  { charger, version }: Conversation,
  from: Peer,
): readonly Effect[] {
  const { action } = frame;
  const learned: Effect = { do: 'learn', from, frame };
  if (from === 'charger' && action === 'SecurityEventNotification') {
    const report = describeSecurityEvent(frame, version);
    const told: Effect = {
      do: 'emit',
      event: { name: 'ChargerSecurityEvent', charger, version, ...report },
    };
    return [counted, told, learned, { do: 'enqueue', from, call: frame }];
  }
  const handler = callHandlerFor(version, action, from);
  const outcome = handler?.handle({ call: frame, version });
  if (handler !== undefined && outcome?.do === 'rewrite') {
    const { name } = handler;
    const rewritten: Effect = {
      do: 'emit',
      event: { name: 'FrameRewritten', charger, from, action, handler: name },
    };
    const instead = outcome.message;
    return [counted, learned, { do: 'enqueue', from, call: frame, instead }, rewritten];
  }
  const enqueued: Effect = { do: 'enqueue', from, call: frame };
  // What chargers say changes no password and no load, and is most of what is said.
  if (outcome === undefined && from === 'charger') return [counted, learned, enqueued];
  const changes = from === 'csms' ? credentialChangesIn(version, action, frame.payload) : [];
  const watched: readonly Effect[] =
    changes.length === 0 ? [] : [{ do: 'watch-credential', call: frame, changes }];
  const paced: readonly Effect[] =
    outcome?.do === 'pace' ? [{ do: 'pace', frame, action, loadClass: outcome.loadClass }] : [];
  return [counted, ...watched, ...paced, learned, enqueued];
}

/** What every message that passes leaves behind. */
function countedEffect(frame: Admitted, { charger, version }: Conversation, from: Peer): Effect {
  const action = actionOf(frame);
  return {
    do: 'emit',
    event: { name: 'FrameAdmitted', charger, from, version, frameKind: frame.kind, action },
  };
}

/** What a message leaves behind where it was asked for. */
function recordedEffect(frame: Admitted, { charger, version }: Conversation, from: Peer): Effect {
  const text = redactText(Buffer.from(frame.bytes).toString('utf8'));
  return { do: 'emit', event: { name: 'FrameRecorded', charger, from, version, frame: text } };
}

function refusedEffects(
  { frame, violation, penalty }: Verdict & { is: 'refused' },
  correlation: Correlation,
  conversation: Conversation,
  from: Peer,
): readonly Effect[] {
  const to = otherPeer(from);
  const finding = findingOf(violation, frame, conversation, from);
  const effects: Effect[] = [
    { do: 'emit', event: { name: 'FrameRefused', ...finding, penalty: penalty.is } },
    { do: 'quarantine', finding, penalty: penalty.is, bytes: frame.received ?? frame.bytes },
  ];
  // Whoever cannot show that he is the CSMS settles nothing in its name.
  const isForeign = violation.rule === 'signature';
  const answered = isForeign ? undefined : answeredCall(frame, correlation, conversation, from);
  if (answered !== undefined) {
    // However bad the reply was, its sender is done with the call, and the next one may go.
    effects.push({ do: 'settle', caller: to, id: answered, hasResult: false });
  }
  switch (penalty.is) {
    case 'call-error':
      // Under the id of a call that is still to be answered, it would be taken for that answer.
      if (
        penalty.id !== undefined &&
        penalty.code !== undefined &&
        !conversation.lanes[from].holds(penalty.id)
      ) {
        effects.push({ do: 'call-error', to: from, id: penalty.id, code: penalty.code });
      }
      break;
    case 'answer-caller':
      if (answered !== undefined && penalty.code !== undefined) {
        effects.push({ do: 'call-error', to, id: answered, code: penalty.code });
      }
      break;
    case 'close': {
      const { code } = violation;
      effects.push({ do: 'close', because: from, code: isCloseErrorCode(code) ? code : 'STRIKES' });
      break;
    }
    case 'drop':
      break;
  }
  if (penalty.isStrike && penalty.is !== 'close') effects.push({ do: 'strike', against: from });
  return effects;
}

/** The open call that a refused message was the reply to; undefined when it was none. */
function answeredCall(
  frame: Frame | Unreadable,
  correlation: Correlation,
  { lanes }: Conversation,
  from: Peer,
): string | undefined {
  if (frame.kind === 'call-result' || frame.kind === 'call-error') {
    return correlation.is === 'answer' ? frame.id : undefined;
  }
  const isBrokenReply = frame.kind === 'unreadable' && (frame.typeId === 3 || frame.typeId === 4);
  if (!isBrokenReply || frame.id === undefined) return undefined;
  const isOpen = lanes[otherPeer(from)].correlateReply(frame.id, 0).is === 'answer';
  return isOpen ? frame.id : undefined;
}

/** The action, where it is a name: it comes from the peer, and goes to logs and screens. */
function actionOf(frame: Frame | Unreadable): string | undefined {
  if (frame.kind !== 'call' && frame.kind !== 'send') return undefined;
  return isActionName(frame.action) ? frame.action : undefined;
}

function findingOf(
  { rule, code, severity, detail }: Violation,
  frame: Frame | Unreadable,
  { charger, version }: Conversation,
  from: Peer,
): FrameFinding {
  // An action name comes from the peer; what is no name of an action is not repeated.
  const action = code === 'DIRECTION_UNKNOWN_ACTION' ? undefined : actionOf(frame);
  return { charger, from, version, rule, code, severity, action, detail };
}
