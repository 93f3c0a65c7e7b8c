import type { GatewayEvent } from '../../../src/events/catalogue.ts';
import type { Peer } from '../../../src/ocpp/version.ts';
import type { Life } from '../life.ts';
import type { SocketTap } from '../network/simulated-socket.ts';
import type { CsmsRecords } from '../peers/csms-records.ts';
import type { SimulatedDatabase } from '../simulated-database.ts';
import type { SimulatedTime } from '../simulated-time.ts';
import type { Trace } from '../trace.ts';
import { AnsweredCommands } from './answered-commands.ts';
import { BrokenInvariant } from './broken-invariant.ts';
import { FeederBudgets, type FeederLimit } from './feeder-budgets.ts';
import { LiveConnections } from './live-connections.ts';
import { ObservedLeg } from './observed-leg.ts';
import { ObservedSession } from './observed-session.ts';
import { RefusalRecords } from './refusal-records.ts';

/** What is observed. */
export interface ObserverTools {
  readonly time: SimulatedTime;
  readonly trace: Trace;
  readonly database: SimulatedDatabase;
  /** Whose audit log it is. */
  readonly chain: string;
  readonly feeders: readonly FeederLimit[];
  readonly records: () => CsmsRecords;
}

/** How often what is expensive to check is checked, in milliseconds. */
const lookMs = 2_000;

/** Sees all that passes in and out of the gateway, and throws when an invariant is broken. */
export class Observer {
  readonly #tools: ObserverTools;
  readonly #connections: LiveConnections;
  readonly #budgets: FeederBudgets;
  readonly #refusals: RefusalRecords;
  readonly commands: AnsweredCommands;
  readonly #upgraded: Readonly<Record<Peer, Map<string, ObservedLeg>>> = {
    charger: new Map(),
    csms: new Map(),
  };
  readonly #sessions = new Map<string, ObservedSession>();
  /** What broke in the middle of a step, where an exception would not get out. */
  #broken: unknown;
  /** Sessions that have sent something in this step. */
  readonly #touched = new Set<ObservedSession>();
  #seenWrites = -1;
  #nextLookMs = 0;
  readonly counts: Record<string, number> = {};

  constructor(tools: ObserverTools) {
    this.#tools = tools;
    const { chain, database, feeders } = tools;
    this.#connections = new LiveConnections(database);
    this.#budgets = new FeederBudgets(database, feeders);
    this.#refusals = new RefusalRecords(database, chain);
    this.commands = new AnsweredCommands(database);
  }

  /** Begins, when the tables are there. */
  start(): void {
    this.#budgets.start();
  }

  /** Listens to a connection of the gateway. */
  tap(side: Peer, life: Life): SocketTap {
    const leg = new ObservedLeg(side, {
      onUpgraded: (it) => this.#upgraded[side].set(it.identity.toLowerCase(), it),
    });
    return {
      onSent: (bytes) => {
        // What is dead sends nothing, whatever its code still does.
        if (life.isDead) return bytes;
        this.#watch(() => {
          leg.send(bytes);
          if (leg.session !== undefined) this.#touched.add(leg.session);
        });
        return bytes;
      },
      onReceived: (bytes) => this.#watch(() => leg.receive(bytes)),
    };
  }

  /** Something that the living gateway says. */
  onEvent(event: GatewayEvent): void {
    this.#watch(() => this.#take(event));
  }

  /** A charger has got the result of a call. */
  onAcknowledged(identity: string, call: string, result: string): void {
    const records = this.#tools.records();
    if (records.hasReceived(identity, call) && records.hasAnswered(identity, result)) return;
    this.#watch(() => {
      throw new BrokenInvariant(
        'nothing-acknowledged-is-lost',
        identity,
        `the CSMS has not answered ${call} with ${result}`,
      );
    });
  }

  /** The gateway has died, and all that it had open with it. */
  onGatewayDied(): void {
    this.#watch(() => this.#refusals.onGatewayDied());
    this.#connections.onGatewayDied();
    this.#sessions.clear();
    this.#touched.clear();
    for (const legs of Object.values(this.#upgraded)) legs.clear();
  }

  /** After each step, when JavaScript has come to rest. @throws BrokenInvariant */
  atRest(): void {
    if (this.#broken !== undefined) throw this.#broken;
    for (const session of this.#touched) session.atRest();
    this.#touched.clear();
    const { database, time } = this.#tools;
    if (database.isInTransaction) return;
    if (database.writes !== this.#seenWrites) {
      this.#seenWrites = database.writes;
      this.#budgets.look();
      this.#refusals.look();
    }
    if (time.elapsedMs() < this.#nextLookMs) return;
    this.#nextLookMs = time.elapsedMs() + lookMs;
    this.#connections.look();
    this.commands.look(time.elapsedMs());
  }

  #take(event: GatewayEvent): void {
    this.counts[event.name] = (this.counts[event.name] ?? 0) + 1;
    this.#connections.onEvent(event);
    this.commands.onEvent(event);
    switch (event.name) {
      case 'SessionOpened':
        this.#open(event.charger);
        return;
      case 'FrameAdmitted':
        this.#sessionOf(event.charger).judge(event.from, 'admitted');
        return;
      case 'FrameRefused':
        this.#sessionOf(event.charger).judge(event.from, 'refused');
        return;
      case 'CallRetried':
        this.#sessionOf(event.charger).judge(event.from, 'retried');
        return;
      case 'LoadCommandHeld':
        this.#sessions.get(event.charger.toLowerCase())?.hold(event.action);
        return;
      case 'FrameRewritten':
        this.#sessionOf(event.charger).explainRewriting();
        return;
      case 'SessionFailed':
      case 'HousekeepingFailed': {
        const { error } = event;
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
        const subject = event.name === 'SessionFailed' ? event.charger : undefined;
        throw new BrokenInvariant('no-defect', subject, detail);
      }
      default:
    }
  }

  #open(charger: string): void {
    const key = charger.toLowerCase();
    const legs = { charger: this.#upgraded.charger.get(key), csms: this.#upgraded.csms.get(key) };
    if (legs.charger === undefined || legs.csms === undefined) {
      throw new BrokenInvariant('one-connection', charger, 'a session without two connections');
    }
    const received = { charger: legs.charger.received, csms: legs.csms.received };
    const session = new ObservedSession(charger, received, {
      nowMs: () => this.#tools.time.elapsedMs(),
      onAnswered: (command) => this.commands.onAnswered(command),
      onOwnCall: (command) => this.commands.onSent(command),
      onRefusal: (identity, _to, id) => this.#refusals.onAnswered(identity, id),
      onLoadSent: (command) => this.#budgets.onSent(command, this.#tools.time.nowMs()),
    });
    this.#sessions.set(key, session);
    legs.charger.session = session;
    legs.csms.session = session;
  }

  #sessionOf(charger: string): ObservedSession {
    const session = this.#sessions.get(charger.toLowerCase());
    if (session !== undefined) return session;
    throw new BrokenInvariant('only-admitted-passes', charger, 'a message without a session');
  }

  /** What is thrown inside of the gateway's own code would be caught there. */
  #watch(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#broken ??= error;
    }
  }
}
