import type { Clock, Timer } from '../../../src/lib/clock.ts';
import type { Random } from '../../../src/lib/random.ts';
import type { OcppVersion } from '../../../src/ocpp/version.ts';
import type { Host } from '../network/end.ts';
import type { Link } from '../network/link.ts';
import type { SimulatedNetwork } from '../network/simulated-network.ts';
import { headerOf } from '../network/websocket-wire.ts';
import type { Trace } from '../trace.ts';
import { ChargerWork } from './charger-work.ts';
import { callText, errorText, type OcppText, readOcpp, resultText } from './ocpp-text.ts';
import { Outbox, type Outgoing } from './outbox.ts';
import { WirePeer } from './wire-peer.ts';

/** Who a charger is. */
export interface ChargerPlan {
  readonly identity: string;
  /** Where it comes from. */
  readonly address: string;
  readonly password: string;
  readonly version: OcppVersion;
}

/** What chargers of a simulation work with. */
export interface ChargerTools {
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
  readonly network: SimulatedNetwork;
  /** Where all chargers are, and where the gateway is. */
  readonly field: Host;
  readonly gateway: Host;
  readonly link: Link;
  /** It has got a result for this call. */
  onAcknowledged(identity: string, call: string, result: string): void;
}

/** How a charger behaves, 0 to 1 of all commands. */
const slowAnswers = 0.02;
const silentAnswers = 0.01;
/** Times in milliseconds. */
const answerMsMax = 1_500;
const slowAnswerMsMax = 45_000;
const patienceMs = 35_000;
const connectMsMax = 45_000;
const retryMsMin = 1_000;
const retryMsMax = 30_000;
const refusedAgainMs = 5_000;

/**
 * A charger: connects, again and again; says what it has to say, one call at a time, and what
 * belongs to a transaction until it was acknowledged; and answers commands.
 */
export class SimulatedCharger {
  readonly plan: ChargerPlan;
  readonly #tools: ChargerTools;
  readonly #outbox = new Outbox();
  readonly work: ChargerWork;
  #peer: WirePeer | undefined;
  #isUpgraded = false;
  #hasBooted = false;
  #open: { readonly message: Outgoing; readonly timer: Timer } | undefined;
  #retryMs = retryMsMin;
  #patience: Timer | undefined;
  #reconnect: Timer | undefined;
  #messages = 0;
  #isVisitor = false;

  constructor(plan: ChargerPlan, tools: ChargerTools) {
    this.plan = plan;
    this.#tools = tools;
    const { clock, random } = tools;
    this.work = new ChargerWork(plan, {
      clock,
      random,
      say: (message) => {
        this.#outbox.add(message);
        this.#sendNext();
      },
      reboot: () => this.reboot(),
    });
  }

  /** Is it connected and registered? */
  get isAtWork(): boolean {
    return this.#isUpgraded && this.#hasBooted;
  }

  /** Is nothing of its transactions left to be said? */
  get hasToldAll(): boolean {
    return this.#outbox.keptCount === 0 && this.#open?.message.isKept !== true;
  }

  /** Connects for the first time. */
  start(): void {
    this.work.start();
    this.#connect();
  }

  /** Connects, stays for `ms` without a word, and never comes again. */
  visit(ms: number): void {
    this.#isVisitor = true;
    this.#connect();
    this.#tools.clock.after(ms, () => this.#peer?.close());
  }

  /** Loses its power for a moment: the gateway hears nothing of it. */
  reboot(): void {
    this.#note('reboots', '');
    this.#peer?.vanish();
    this.#hasBooted = false;
    this.#outbox.dropTheRest();
    this.work.onReboot();
    this.#afterLoss(undefined);
  }

  /** Drops its connection and comes again, without a restart. */
  reconnect(): void {
    this.#peer?.reset();
    this.#afterLoss(undefined);
  }

  /** Sends any text now, if it is connected. */
  sendRaw(text: string): void {
    if (!this.#isUpgraded || this.#peer === undefined) return;
    this.#note('sends', text);
    this.#peer.sendText(text);
  }

  #connect(): void {
    const { address, identity, password, version } = this.plan;
    const { clock, field, gateway, link, network } = this.#tools;
    this.#isUpgraded = false;
    this.#reconnect?.cancel();
    this.#patience?.cancel();
    this.#peer?.reset();
    const basic = Buffer.from(`${identity}:${password}`).toString('base64');
    const request = [
      `GET /ocpp/${identity} HTTP/1.1`,
      'Host: gateway',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: c2ltdWxhdGVkLWNoYXJnZQ==',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Protocol: ${version}`,
      `Authorization: Basic ${basic}`,
    ];
    const route = { address, from: field, link, to: gateway };
    const end = network.connect(route, {
      onData: () => true,
      onEnd,
      onFailed: onEnd,
      onOpen: onEnd,
    });
    const peer = new WirePeer(end, true, {
      onOpen: () => peer.sendHead(request),
      onHead: (head) => this.#onHead(peer, head),
      onText: (text) => this.#onText(peer, text),
      onClosed: (why) => {
        if (this.#peer !== peer) return;
        this.#note('loses', why);
        this.#afterLoss(undefined);
      },
    });
    this.#peer = peer;
    this.#patience = clock.after(connectMsMax, () => {
      if (this.#isUpgraded || this.#peer !== peer) return;
      peer.reset();
      this.#afterLoss(undefined);
    });
  }

  #onHead(peer: WirePeer, head: string): void {
    const status = head.slice('HTTP/1.1 '.length).slice(0, 3);
    this.#note('hears', status);
    if (status !== '101') {
      peer.reset();
      const seconds = Number(headerOf(head, 'retry-after'));
      this.#afterLoss(seconds > 0 ? seconds * 1000 : undefined);
      return;
    }
    this.#patience?.cancel();
    this.#isUpgraded = true;
    this.#retryMs = retryMsMin;
    if (this.#isVisitor) return;
    if (!this.#hasBooted) this.#boot();
    this.#sendNext();
  }

  #boot(): void {
    this.#outbox.addFirst({
      action: 'BootNotification',
      payload: () => this.work.bootPayload(),
      isKept: false,
      onResult: () => {
        this.#hasBooted = true;
        this.work.onBooted();
      },
    });
  }

  #afterLoss(waitMs: number | undefined): void {
    const { clock, random } = this.#tools;
    this.#peer = undefined;
    this.#isUpgraded = false;
    this.#patience?.cancel();
    this.#reconnect?.cancel();
    if (this.#open !== undefined) {
      this.#open.timer.cancel();
      this.#outbox.putBack(this.#open.message);
      this.#open = undefined;
    }
    if (this.#isVisitor) return;
    const delayMs = waitMs ?? this.#retryMs * (1 + random.fraction());
    this.#retryMs = Math.min(retryMsMax, 2 * this.#retryMs);
    this.#reconnect = clock.after(delayMs, () => this.#connect());
  }

  #sendNext(): void {
    const peer = this.#peer;
    if (peer === undefined || !this.#isUpgraded || this.#open !== undefined) return;
    const message = this.#outbox.take();
    if (message === undefined) return;
    // Whoever is not registered says nothing else.
    if (!this.#hasBooted && message.action !== 'BootNotification') {
      this.#outbox.addFirst(message);
      return;
    }
    const payload = message.payload();
    if (payload === undefined) {
      this.#sendNext();
      return;
    }
    if (
      message.id === undefined ||
      message.text !== callText(message.id, message.action, payload)
    ) {
      this.#messages += 1;
      message.id = `${this.plan.identity}-${this.#messages}`;
    }
    message.text = callText(message.id, message.action, payload);
    const timer = this.#tools.clock.after(patienceMs, () => this.#giveUp(message));
    this.#open = { message, timer };
    this.#note('sends', message.text);
    peer.sendText(message.text);
  }

  #giveUp(message: Outgoing): void {
    if (this.#open?.message !== message) return;
    this.#open = undefined;
    this.#again(message);
    this.#sendNext();
  }

  /** A charger that was not registered after all asks again. */
  #again(message: Outgoing): void {
    if (message.action === 'BootNotification') this.#boot();
    else this.#outbox.putBack(message);
  }

  #onText(peer: WirePeer, text: string): void {
    this.#note('gets', text);
    const message = readOcpp(text);
    if (message === undefined) return;
    if (message.kind === 'call') this.#answer(peer, message);
    else this.#onReply(message, text);
  }

  #onReply(reply: OcppText & { readonly kind: 'result' | 'error' }, text: string): void {
    const open = this.#open;
    if (open === undefined || open.message.id !== reply.id) return;
    const { message, timer } = open;
    timer.cancel();
    if (reply.kind === 'result') {
      this.#open = undefined;
      this.#tools.onAcknowledged(this.plan.identity, message.text ?? '', text);
      message.onResult(reply.payload);
      this.#sendNext();
      return;
    }
    // Not at once: who is refused again and again must not become a flood.
    const again = this.#tools.clock.after(refusedAgainMs, () => this.#giveUp(message));
    this.#open = { message, timer: again };
  }

  #answer(peer: WirePeer, call: OcppText & { readonly kind: 'call' }): void {
    const { clock, random } = this.#tools;
    if (this.#isVisitor) return;
    const payload = this.work.obey(call.action, call.payload);
    const chance = random.fraction();
    if (chance < silentAnswers) return;
    const isSlow = chance < silentAnswers + slowAnswers;
    clock.after(random.fraction() * (isSlow ? slowAnswerMsMax : answerMsMax), () => {
      if (peer.isOver) return;
      const text =
        payload === undefined ? errorText(call.id, 'NotImplemented') : resultText(call.id, payload);
      this.#note('answers', text);
      peer.sendText(text);
    });
  }

  #note(kind: string, detail: string): void {
    this.#tools.trace.note(`charger-${kind}`, this.plan.identity, detail);
  }
}

const onEnd = (): void => {};
