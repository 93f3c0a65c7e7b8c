import type { GatewayEvent } from '../../../src/events/catalogue.ts';
import type { SimulatedDatabase } from '../simulated-database.ts';
import { BrokenInvariant } from './broken-invariant.ts';

interface ClaimRow {
  readonly identity_key: string;
}

/** Of dead gateways no lease is left. */
const ownClaims = 'select identity_key from claim join gateway_lease using (incarnation)';
const withoutClaim = 'is connected without a claim';

/** One live connection of each identity, under a claim of the gateway that runs. */
export class LiveConnections {
  readonly #database: SimulatedDatabase;
  readonly #live = new Set<string>();

  constructor(database: SimulatedDatabase) {
    this.#database = database;
  }

  get count(): number {
    return this.#live.size;
  }

  onEvent(event: GatewayEvent): void {
    if (event.name === 'SessionOpened') {
      const key = event.charger.toLowerCase();
      if (this.#live.has(key)) this.#fail(event.charger, 'has two live connections');
      this.#live.add(key);
      this.#checkClaim(key);
    } else if (event.name === 'SessionClosed') this.#live.delete(event.charger.toLowerCase());
  }

  /** The gateway has died, and all connections with it. */
  onGatewayDied(): void {
    this.#live.clear();
  }

  /** Every live connection has its claim. Called while no transaction is open. */
  look(): void {
    const { rows } = this.#database.execute(ownClaims);
    const claimed = new Set((rows as readonly ClaimRow[]).map(({ identity_key }) => identity_key));
    for (const key of this.#live) if (!claimed.has(key)) this.#fail(key, withoutClaim);
  }

  #checkClaim(key: string): void {
    const { rows } = this.#database.execute(`${ownClaims} where identity_key = ?`, [key]);
    if (rows.length === 0) this.#fail(key, withoutClaim);
  }

  #fail(charger: string, detail: string): void {
    throw new BrokenInvariant('one-connection', charger, detail);
  }
}
