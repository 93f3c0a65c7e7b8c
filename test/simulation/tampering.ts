import type { GatewayOptions } from '../../src/gateway/gateway.ts';
import type { Peer } from '../../src/ocpp/version.ts';
import type { SocketTap } from './network/simulated-socket.ts';
import type { SimulatedDatabase, StatementSpoiler } from './simulated-database.ts';
/** What a test does to a gateway from outside, to see that the simulation notices. */
export interface Tampering {
  /** Gives the gateway other options than everybody thinks. */
  configure?(options: GatewayOptions): GatewayOptions;
  /** Stands between the gateway and whoever listens to its connections. */
  tap?(side: Peer, tap: SocketTap): SocketTap;
  /** Spoils what the gateway asks of its database. */
  readonly spoil?: StatementSpoiler;
  /** Meddles with the database four times a second, never in the middle of a transaction. */
  meddle?(database: SimulatedDatabase): void;
}
