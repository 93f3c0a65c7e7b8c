import type { OcppVersion, Peer } from '../../ocpp/version.ts';
import { ChargerMemory } from './charger-memory.ts';
import type { SavedMemory } from './saved-memory.ts';
import type { Urgency } from './seen.ts';

/**
 * A conversation that a memory listens to, for the tests of this folder. It has no tests of its
 * own; its name keeps it out of the build.
 */
export class Conversation {
  readonly memory: ChargerMemory;
  readonly version: OcppVersion;
  /** The test moves it by hand. */
  nowMs = 1_000_000;
  #calls = 0;

  constructor(version: OcppVersion, saved?: SavedMemory) {
    this.version = version;
    this.memory = new ChargerMemory(saved);
  }

  /** A call that is not answered yet. @returns its id. */
  open(from: Peer, action: string, payload: unknown): string {
    return this.call(from, action, payload).id;
  }

  /** A call, and how urgent it was. */
  call(from: Peer, action: string, payload: unknown): { id: string; urgency: Urgency } {
    this.#calls += 1;
    const id = `call-${this.#calls}`;
    const { version, nowMs } = this;
    const urgency = this.memory.onCall({ from, version, id, action, payload, atMs: nowMs });
    return { id, urgency };
  }

  /** The other side answers the call `callId` of `caller`. */
  answer(caller: Peer, callId: string, payload: unknown): Urgency {
    const from = caller === 'charger' ? 'csms' : 'charger';
    return this.memory.onReply({ from, callId, result: { payload }, atMs: this.nowMs });
  }

  /** The other side refuses the call `callId` of `caller`. */
  refuse(caller: Peer, callId: string, errorCode = 'InternalError'): Urgency {
    const from = caller === 'charger' ? 'csms' : 'charger';
    return this.memory.onReply({ from, callId, result: { errorCode }, atMs: this.nowMs });
  }

  /** A call and its answer. @returns how urgent the answer was. */
  exchange(from: Peer, action: string, payload: unknown, reply: unknown): Urgency {
    return this.answer(from, this.open(from, action, payload), reply);
  }
}
