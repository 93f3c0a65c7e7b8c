import type { ClaimHolder, ShownToClaim } from './sessions.ts';

/**
 * A charger that has its claim and waits for its turn. Nobody can ping it yet: whoever comes with its
 * identity and has shown as much takes its place. Mostly that is the charger itself, which has given up,
 * or was restarted; nothing of the older connection is under way that could be lost.
 */
export class WaitingHolder implements ClaimHolder {
  readonly isOnItsWay = true;
  readonly shown: ShownToClaim;
  readonly #displaced = new AbortController();

  constructor(shown: Omit<ShownToClaim, 'certificates'>) {
    this.shown = { ...shown, certificates: [] };
  }

  /** Aborted when its place is taken. */
  get displaced(): AbortSignal {
    return this.#displaced.signal;
  }

  probe(isNewcomerProven: boolean): Promise<'alive' | 'silent'> {
    return Promise.resolve(this.shown.isProven && !isNewcomerProven ? 'alive' : 'silent');
  }

  end(): void {
    this.#displaced.abort();
  }

  // Housekeeping looks it up again once there is a session.
  applyRecord(): void {}
  applyCredential(): void {}

  review(): boolean {
    return false;
  }
}
