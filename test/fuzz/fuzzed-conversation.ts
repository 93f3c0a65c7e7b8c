import { type CallErrorCode, errors } from '../../src/errors/catalogue.ts';
import type { Effect } from '../../src/gateway/effects.ts';
import { type Conversation, passMessage } from '../../src/gateway/message-path.ts';
import type { Random } from '../../src/lib/random.ts';
import { isSendAction, senderOf } from '../../src/ocpp/actions.ts';
import { schemaErrors } from '../../src/ocpp/schemas.ts';
import { type OcppVersion, otherPeer, type Peer } from '../../src/ocpp/version.ts';
import { CallLane } from '../../src/queue/call-lane.ts';
import { type PresetName, resolveModes } from '../../src/rules/presets.ts';
import { hasDuplicateKeys } from './duplicate-keys.ts';
import { FuzzedMemory } from './fuzzed-memory.ts';

/** A property that does not hold, and the message that shows it. */
export class PropertyBroken extends Error {
  readonly frame: string;

  constructor(property: string, frame: string, cause?: unknown) {
    super(property, { cause });
    this.name = 'PropertyBroken';
    this.frame = frame;
  }
}

/** A call as this file's own bookkeeping knows it. */
interface ModelCall {
  readonly id: string;
  readonly text: string;
}

/** One side's calls by that bookkeeping, which looks at nothing but what goes in and out. */
interface ModelLane {
  readonly waiting: ModelCall[];
  open: ModelCall | undefined;
}

/** Replies under this id are from before a reconnect, unless a call has it. */
const staleId = '3';

const limits = { callsMax: 4, bytesMax: 1_000_000, inFlightMs: 1000, recentMax: 8, recentMs: 5000 };

/**
 * The real message path with real lanes, and beside it a model that judges everything that comes
 * out. A broken property throws `PropertyBroken`.
 */
export class FuzzedConversation {
  readonly version: OcppVersion;
  readonly preset: PresetName;
  /** Messages that were judged. */
  frames = 0;
  readonly #lanes = {
    charger: new CallLane({ ...limits, waitMs: undefined }),
    csms: new CallLane({ ...limits, waitMs: 700 }),
  };
  readonly #model: Readonly<Record<Peer, ModelLane>> = {
    charger: { waiting: [], open: undefined },
    csms: { waiting: [], open: undefined },
  };
  readonly #conversation: Conversation;
  readonly #memory: FuzzedMemory;
  #nowMs = 1000;
  #frame = '';

  constructor(version: OcppVersion, preset: PresetName, random: Random) {
    this.version = version;
    this.preset = preset;
    const subject = {
      charger: 'CP-1',
      listener: 'field',
      vendor: undefined,
      model: undefined,
      firmware: undefined,
    };
    const modes = resolveModes({ preset, overrides: [] }, subject);
    this.#memory = new FuzzedMemory(version, random);
    const { context } = this.#memory;
    this.#conversation = {
      charger: 'CP-1',
      version,
      context,
      recordsMessages: false,
      isStale: (_, callId) => callId === staleId,
      lanes: this.#lanes,
      modes,
      describe: () => {},
    };
  }

  /** The call that `caller` waits for an answer to, as it was sent. */
  openCallOf(caller: Peer): string | undefined {
    return this.#model[caller].open?.text;
  }

  /** Lets `from` send `text`. */
  feed(from: Peer, text: string): void {
    this.frames += 1;
    this.#frame = text;
    const bytes = Buffer.from(text);
    this.#memory.begin();
    let effects = this.#pass(from, bytes);
    const [first] = effects;
    if (first?.do === 'look-up') {
      this.#check(effects.length === 1, 'a question is the only effect');
      this.#memory.lookUp(first.question);
      effects = this.#pass(from, bytes);
      this.#check(effects[0]?.do !== 'look-up', 'the store is asked once for each message');
    }
    this.#judge(effects, from, bytes);
    for (const effect of effects) this.#run(effect);
    this.#pump();
    this.#remember(() => this.#memory.end());
  }

  #pass(from: Peer, bytes: Buffer): readonly Effect[] {
    try {
      return passMessage(this.#conversation, from, bytes, this.#nowMs);
    } catch (error) {
      throw new PropertyBroken('the message path never throws', this.#frame, error);
    }
  }

  /** The memory must bear whatever passes. */
  #remember(action: () => string | undefined): void {
    let broken: string | undefined;
    try {
      broken = action();
    } catch (error) {
      throw new PropertyBroken('the memory never throws', this.#frame, error);
    }
    if (broken !== undefined) throw new PropertyBroken(broken, this.#frame);
  }

  /** Lets time pass. */
  advance(ms: number): void {
    this.#nowMs += ms;
    this.#frame = `(${ms} ms)`;
    this.#pump();
  }

  #check(holds: boolean, property: string): asserts holds {
    if (!holds) throw new PropertyBroken(property, this.#frame);
  }

  /** What must hold of the effects of one message, whatever it was. */
  #judge(effects: readonly Effect[], from: Peer, bytes: Buffer): void {
    const verdicts: string[] = [];
    let passed = 0;
    let answers = 0;
    for (const effect of effects) {
      switch (effect.do) {
        case 'forward':
          passed += 1;
          this.#check(effect.to === otherPeer(from), 'a message goes to the other side');
          this.#check(bytes.equals(effect.frame.bytes), 'what is forwarded has the same bytes');
          break;
        case 'enqueue':
          passed += 1;
          this.#check(effect.from === from, 'a call waits in the lane of its sender');
          this.#check(bytes.equals(effect.call.bytes), 'what is queued has the same bytes');
          break;
        case 'rewrite':
          passed += 1;
          this.#check(effect.to === otherPeer(from), 'what is rewritten goes to the other side');
          break;
        case 'call-error':
          answers += 1;
          this.#judgeAnswer(effect.to, effect.id, effect.code, from);
          break;
        case 'emit': {
          const { name } = effect.event;
          if (/^(?:FrameAdmitted|FrameRefused|CallRetried)$/.test(name)) verdicts.push(name);
          break;
        }
        case 'look-up':
          throw new PropertyBroken('a question is the only effect', this.#frame);
        case 'learn':
          this.#check(effect.from === from, 'what is learned is what was sent');
          this.#check(bytes.equals(effect.frame.bytes), 'what is learned is what was sent');
          break;
        case 'settle':
        case 'strike':
        case 'close':
        case 'quarantine':
          break;
      }
    }
    const [verdict] = verdicts;
    this.#check(verdicts.length === 1, 'every message gets exactly one verdict');
    this.#check(passed === (verdict === 'FrameAdmitted' ? 1 : 0), 'only what is admitted passes');
    this.#check(answers <= 1, 'a message causes at most one answer');
    this.#check(verdict === 'FrameRefused' || answers === 0, 'only what is refused is answered');
    if (this.preset === 'monitor') {
      this.#check(verdict !== 'FrameRefused', 'monitor refuses nothing');
    }
    if (verdict === 'FrameAdmitted' && this.preset === 'strict') this.#recheck(from);
  }

  #judgeAnswer(to: Peer, id: string, code: CallErrorCode, from: Peer): void {
    this.#check('callError' in errors[code], 'an answer has an error code');
    const { open, waiting } = this.#model[to];
    if (to === from) {
      const isHeld = open?.id === id || waiting.some((call) => call.id === id);
      this.#check(!isHeld, 'a refusal never answers a call that will be answered');
      return;
    }
    this.#check(open?.id === id, 'only the caller of an open call is answered');
    this.#check(this.preset === 'standard', 'only standard answers in place of a reply');
  }

  /** In strict: would somebody else have let this message pass? */
  #recheck(from: Peer): void {
    let message: unknown;
    try {
      message = JSON.parse(this.#frame);
    } catch {
      this.#check(false, 'strict: what passes is JSON');
    }
    this.#check(!hasDuplicateKeys(this.#frame), 'strict: what passes has no duplicate keys');
    this.#check(Array.isArray(message), 'strict: what passes is an array');
    const [typeId, id, third, fourth]: readonly unknown[] = message;
    if (typeId === 2 || typeId === 6) {
      const forbidden = this.#memory.whyForbidden(from, String(third), fourth);
      this.#check(forbidden === undefined, `strict: what passes is allowed: ${forbidden}`);
    }
    this.#check(typeof id === 'string' && id.length <= 36, 'strict: what passes has an id');
    const open = this.#model[otherPeer(from)].open;
    switch (typeId) {
      case 2:
      case 6: {
        const action = String(third);
        const sender = senderOf(this.version, action);
        this.#check(sender === from || sender === 'either', 'strict: the sender may send it');
        const isSend = isSendAction(this.version, action);
        this.#check(isSend === (typeId === 6), 'strict: it travels as it should');
        const found = schemaErrors(this.version, action, 'request', fourth);
        this.#check(found.length === 0, 'strict: a request keeps its schema');
        return;
      }
      case 3: {
        this.#check(open?.id === id, 'strict: a reply answers the open call');
        const [, , action]: readonly unknown[] = JSON.parse(open.text);
        const found = schemaErrors(this.version, String(action), 'response', third);
        this.#check(found.length === 0, 'strict: a response keeps its schema');
        return;
      }
      case 4:
        this.#check(open?.id === id, 'strict: an error answers the open call');
        return;
      case 5:
        this.#check(this.version === 'ocpp2.1', 'strict: only 2.1 has CALLRESULTERROR');
        return;
      default:
        this.#check(false, 'strict: what passes has a message type');
    }
  }

  #run(effect: Effect): void {
    switch (effect.do) {
      case 'forward': {
        const { kind, id } = effect.frame;
        if (kind === 'call-result' || kind === 'call-error') this.#replied(effect.to, id ?? '');
        return;
      }
      case 'rewrite':
        this.#replied(effect.to, effect.message.id);
        return;
      case 'enqueue': {
        const { call, from } = effect;
        const model = this.#model[from];
        const isTaken = this.#lanes[from].offer(call, this.#nowMs);
        const isFull = model.waiting.length >= limits.callsMax;
        this.#check(isTaken !== isFull, 'a lane is full at its limit and not before');
        if (isTaken) {
          model.waiting.push({ id: call.id, text: Buffer.from(call.bytes).toString('utf8') });
        }
        return;
      }
      case 'settle':
        this.#lanes[effect.caller].settle(effect.id, effect.hasResult, this.#nowMs);
        this.#remember(() => this.#memory.callOver(effect.caller, effect.id));
        // In strict a refused reply is dropped, and the call is over all the same.
        if (this.#model[effect.caller].open?.id === effect.id) {
          this.#model[effect.caller].open = undefined;
        }
        return;
      case 'learn':
        this.#remember(() => this.#memory.learn(effect.from, effect.frame, this.#nowMs));
        return;
      case 'quarantine':
        this.#remember(() => this.#memory.refused());
        return;
      case 'call-error':
      case 'strike':
      case 'close':
      case 'emit':
      case 'look-up':
        return;
    }
  }

  /** A reply reached `caller`. */
  #replied(caller: Peer, id: string): void {
    const model = this.#model[caller];
    // Where replies to nothing pass, they answer nothing.
    if (this.preset === 'monitor' && model.open?.id !== id) return;
    this.#check(model.open?.id === id, 'a reply is forwarded for an open call alone, and once');
    model.open = undefined;
  }

  /** As the session does it: what is too old goes, then what may be sent is sent. */
  #pump(): void {
    for (const from of ['charger', 'csms'] satisfies Peer[]) {
      const lane = this.#lanes[from];
      const model = this.#model[from];
      for (const { id } of lane.expire(this.#nowMs)) {
        this.#remember(() => this.#memory.callOver(from, id));
        if (model.open?.id === id) {
          model.open = undefined;
          continue;
        }
        this.#check(from === 'csms', 'a waiting call of a charger never expires');
        this.#check(model.waiting[0]?.id === id, 'waiting calls expire in their order');
        model.waiting.shift();
      }
      const next = lane.next(this.#nowMs);
      if (next === undefined) continue;
      this.#check(model.open === undefined, 'one call is open per direction');
      const first = model.waiting.shift();
      const text = Buffer.from(next.call.bytes).toString('utf8');
      this.#check(first?.text === text, 'calls are sent in their order');
      model.open = first;
    }
    for (const from of ['charger', 'csms'] satisfies Peer[]) {
      const model = this.#model[from];
      const isOpen = this.#lanes[from].hasOpenCall;
      this.#check(isOpen === (model.open !== undefined), 'lane and model agree on the open call');
      this.#check(
        this.#lanes[from].waitingCount === model.waiting.length,
        'lane and model agree on what waits',
      );
    }
  }
}
