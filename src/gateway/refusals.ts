import { RareMap } from '../lib/rare-map.ts';

/** What a refusal needs. */
export interface RefusalTools {
  /** Resolves when the audit log has what was emitted, or cannot be written. Never rejects. */
  audited(): Promise<void>;
}

/**
 * Answers to refused calls, which wait for the audit log: what was answered for survives the
 * gateway.
 */
export class Refusals {
  readonly #tools: RefusalTools;
  readonly #waiting = new RareMap<Promise<void>, true>();

  constructor(tools: RefusalTools) {
    this.#tools = tools;
  }

  /** Runs `answer` once the audit log has what was emitted before. `answer` does not throw. */
  afterAudit(answer: () => void): void {
    const refusal = this.#tools
      .audited()
      .then(answer)
      .finally(() => this.#waiting.delete(refusal));
    this.#waiting.set(refusal, true);
  }

  /** Resolves when all of them are answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#waiting.keys());
  }
}
