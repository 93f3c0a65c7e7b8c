/** Calls of one side that are remembered. A peer has one open call, and sometimes a few. */
const callsMax = 64;

/** The calls that one side has made, so that a signature of a reply can say what it replies to. */
export class NotedCalls {
  /** Whether it is open, by id and with its action; the oldest first. */
  readonly #calls = new Map<string, { readonly action: string; isOpen: boolean }>();

  /** A call is passed on. */
  made(id: string, action: string): void {
    this.#calls.delete(id);
    this.#calls.set(id, { action, isOpen: true });
    if (this.#calls.size <= callsMax) return;
    const [oldest] = this.#calls.keys();
    if (oldest !== undefined) this.#calls.delete(oldest);
  }

  /** A reply to it is passed on. It stays known: OCPP 2.1 has errors about replies. */
  answered(id: string): void {
    const call = this.#calls.get(id);
    if (call !== undefined) call.isOpen = false;
  }

  /** The action of a call that has no reply yet. */
  actionOfOpen(id: string): string | undefined {
    const call = this.#calls.get(id);
    return call?.isOpen === true ? call.action : undefined;
  }

  /** The action of a call, answered or not. */
  actionOf(id: string): string | undefined {
    return this.#calls.get(id)?.action;
  }

  get hasOpen(): boolean {
    return [...this.#calls.values()].some(({ isOpen }) => isOpen);
  }
}
