import { toCallError } from '../../src/errors/to-call-error.ts';
import type { GatewayEvent } from '../../src/events/catalogue.ts';
import type { FrameFinding } from '../../src/events/fields.ts';
import type { Effect } from '../../src/gateway/effects.ts';
import { type Conversation, passMessage } from '../../src/gateway/message-path.ts';
import { type Call, type CallResult, encodeMessage } from '../../src/ocpp/message.ts';
import { type OcppVersion, otherPeer, type Peer } from '../../src/ocpp/version.ts';
import type { PolicyContext } from '../../src/policy/context.ts';
import { CallLane, type CallLaneLimits } from '../../src/queue/call-lane.ts';
import { admit } from '../../src/rules/admit.ts';
import { decode } from '../../src/rules/decode.ts';
import type { Admitted, Frame } from '../../src/rules/frame.ts';
import { type PresetName, type RuleOverride, resolveModes } from '../../src/rules/presets.ts';
import type { UnverifiedDescription } from '../../src/rules/soft.ts';
import { acceptedContext } from './policy-context.ts';

/** Something that goes out of the gateway, and what it is made of. */
export interface Outgoing {
  readonly to: Peer;
  readonly text: string;
  /** Made by the gateway, rather than passed on. */
  readonly isOwn: boolean;
}

/** What one message caused. */
export interface Passed {
  readonly effects: readonly Effect[];
  readonly events: readonly GatewayEvent[];
  /** What went out at once, calls whose turn it was included. */
  readonly out: readonly Outgoing[];
  /** The finding for which it was refused, with the penalty. */
  readonly refused: (FrameFinding & { readonly penalty: string }) | undefined;
  /** The codes of what it broke, but may. */
  readonly flagged: readonly string[];
}

/** One conversation on the real message path, with real lanes and without sockets or time. */
export interface TestConversation {
  /** Sends a message, and lets the lanes send what they may. */
  pass(from: Peer, message: string | Uint8Array): Passed;
  /** Like `pass`, with a message given as its elements. */
  passMessage(from: Peer, ...elements: readonly unknown[]): Passed;
  /** Lets time pass and gives up the calls whose time is up. */
  wait(ms: number): void;
  readonly lanes: Readonly<Record<Peer, CallLane>>;
  /** What the charger last said it was. */
  readonly description: UnverifiedDescription | undefined;
}

/** How `gatewatt serve` sets its lanes by default. */
const laneLimits: CallLaneLimits = {
  callsMax: 64,
  bytesMax: 1_048_576,
  inFlightMs: 30_000,
  waitMs: undefined,
  recentMax: 64,
  recentMs: 120_000,
};

/** What a conversation begins with, where a test wants it otherwise. */
export interface TestCircumstances {
  /** What the rules of context know. */
  readonly context?: Partial<PolicyContext>;
  /** Ids of the calls of each side from before the charger connected again. */
  readonly stale?: Partial<Readonly<Record<Peer, readonly string[]>>>;
}

/** Starts a conversation of charger CP-1. */
export function testConversation(
  version: OcppVersion,
  preset: PresetName,
  overrides: readonly RuleOverride[] = [],
  circumstances: TestCircumstances = {},
): TestConversation {
  const lanes = {
    charger: new CallLane(laneLimits),
    csms: new CallLane({ ...laneLimits, waitMs: 30_000 }),
  };
  let nowMs = 1_000;
  let described: UnverifiedDescription | undefined;
  const context = acceptedContext(version, circumstances.context);
  const conversation: Conversation = {
    charger: 'CP-1',
    version,
    context,
    recordsMessages: false,
    isStale: (caller, callId) => circumstances.stale?.[caller]?.includes(callId) ?? false,
    lanes,
    get modes() {
      const { vendor, model, firmware } = described ?? {};
      const subject = { charger: 'CP-1', listener: 'field', vendor, model, firmware };
      return resolveModes({ preset, overrides }, subject);
    },
    describe: (description) => {
      described = description;
    },
  };

  const run = (effect: Effect, out: Outgoing[]): void => {
    switch (effect.do) {
      case 'forward':
        out.push({ to: effect.to, text: textOf(effect.frame.bytes), isOwn: false });
        return;
      case 'rewrite':
        out.push({ to: effect.to, text: encodeMessage(effect.message), isOwn: true });
        return;
      case 'enqueue':
        lanes[effect.from].offer(effect.call, nowMs);
        return;
      case 'settle':
        lanes[effect.caller].settle(effect.id, effect.hasResult, nowMs);
        return;
      case 'call-error': {
        const text = encodeMessage(toCallError(effect.code, effect.id, version));
        out.push({ to: effect.to, text, isOwn: true });
        return;
      }
      case 'strike':
      case 'close':
      case 'emit':
      case 'learn':
      case 'look-up':
      case 'quarantine':
        return;
    }
  };

  const pass: TestConversation['pass'] = (from, message) => {
    const bytes = Buffer.from(message);
    const effects = passMessage(conversation, from, bytes, nowMs);
    const out: Outgoing[] = [];
    for (const effect of effects) run(effect, out);
    for (const caller of ['charger', 'csms'] satisfies Peer[]) {
      const next = lanes[caller].next(nowMs);
      if (next === undefined) continue;
      out.push({ to: otherPeer(caller), text: textOf(next.call.bytes), isOwn: false });
    }
    const events = effects.flatMap((effect) => (effect.do === 'emit' ? [effect.event] : []));
    return {
      effects,
      events,
      out,
      refused: events.find((event) => event.name === 'FrameRefused'),
      flagged: events.flatMap((event) => (event.name === 'FrameFlagged' ? [event.code] : [])),
    };
  };

  return {
    pass,
    passMessage: (from, ...elements) => pass(from, JSON.stringify(elements)),
    wait: (ms) => {
      nowMs += ms;
      for (const lane of Object.values(lanes)) {
        lane.expire(nowMs);
        lane.next(nowMs);
      }
    },
    lanes,
    get description() {
      return described;
    },
  };
}

/** A call that went through decode and admit, as the lanes take it. */
export function admittedCall(...elements: readonly unknown[]): Admitted<Frame<Call>> {
  const frame = admitted(elements);
  if (frame.kind !== 'call') throw new Error(`a ${frame.kind} is no call`);
  return frame;
}

/** A reply that went through decode and admit, as the handlers take it. */
export function admittedResult(...elements: readonly unknown[]): Admitted<Frame<CallResult>> {
  const frame = admitted(elements);
  if (frame.kind !== 'call-result') throw new Error(`a ${frame.kind} is no reply`);
  return frame;
}

function admitted(elements: readonly unknown[]): Admitted {
  const version = 'ocpp2.1';
  const decoded = decode(Buffer.from(JSON.stringify(elements)), 'csms', version);
  const modes = resolveModes({ preset: 'monitor', overrides: [] }, nobody);
  const context = { from: 'csms', version, correlation: { is: 'new' }, modes } as const;
  const verdict = admit(decoded, context, []);
  if (verdict.is === 'refused') throw new Error('the monitor preset refused a message');
  return verdict.frame;
}

const nobody = {
  charger: undefined,
  listener: undefined,
  vendor: undefined,
  model: undefined,
  firmware: undefined,
};

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
