import type { OcppVersion } from '../ocpp/version.ts';

/**
 * What the rules of context may know of a charger: the side of `chargers/memory` that they need.
 */
export interface PolicyContext {
  readonly version: OcppVersion;
  /** Whether the CSMS takes the charger for registered; see `chargers/memory/boot.ts`. */
  readonly bootStatus: 'Accepted' | 'Pending' | 'Rejected' | 'unaccepted' | 'assumed' | 'unknown';
  /** Has the CSMS asked the charger to send this action? */
  wasTriggered(action: string): boolean;
  /** Is this a transaction of the charger, as far as the gateway has seen? */
  ownsTransaction(transactionId: string): boolean;
  /**
   * How many other chargers have this transaction: `unknown` when the store could not be asked,
   * undefined when nobody has asked it yet.
   */
  otherOwnersOf(transactionId: string): number | 'unknown' | undefined;
}
