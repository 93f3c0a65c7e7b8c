import type { EventSink } from '../events/emit.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';
import type { PolicyContext } from '../policy/context.ts';
import type { CallLane } from '../queue/call-lane.ts';
import type { Modes } from '../rules/presets.ts';
import type { UnverifiedDescription } from '../rules/soft.ts';
import type { KnownCharger } from './known-charger.ts';
import type { Conversation } from './message-path.ts';

/** What the message path knows of a running session. */
export class LiveConversation implements Conversation {
  readonly charger: string;
  readonly version: OcppVersion;
  readonly lanes: Readonly<Record<Peer, CallLane>>;
  readonly #known: KnownCharger;
  readonly #emit: EventSink;

  constructor(known: KnownCharger, lanes: Readonly<Record<Peer, CallLane>>, emit: EventSink) {
    this.charger = known.charger;
    this.version = known.version;
    this.lanes = lanes;
    this.#known = known;
    this.#emit = emit;
  }

  get modes(): Modes {
    return this.#known.modes;
  }

  get context(): PolicyContext {
    return this.#known.context;
  }

  get recordsMessages(): boolean {
    return this.#known.record?.recordsMessages === true;
  }

  isStale(caller: Peer, callId: string): boolean {
    return this.#known.isStale(caller, callId);
  }

  describe(description: UnverifiedDescription): void {
    this.#known.describe(description);
    this.#emit({ name: 'ChargerDescribed', charger: this.charger, ...description });
  }
}
