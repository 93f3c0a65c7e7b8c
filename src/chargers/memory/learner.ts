import type { Peer } from '../../ocpp/version.ts';
import type { AskedActions } from './asked-actions.ts';
import type { BootMemory } from './boot.ts';
import type { LimitMemory } from './charging-limits.ts';
import type { ConnectorMemory } from './connectors.ts';
import type { MeterMemory } from './meter-values.ts';
import type { SecurityEventMemory } from './security-events.ts';
import type { SeenCall, Urgency } from './seen.ts';
import type { SigningRequestMemory } from './signing-requests.ts';
import type { TransactionMemory } from './transactions.ts';
import type { VariableMemory } from './variables.ts';

/** The parts of a memory. */
export interface Parts {
  readonly boot: BootMemory;
  readonly asked: AskedActions;
  readonly connectors: ConnectorMemory;
  readonly transactions: TransactionMemory;
  readonly meters: MeterMemory;
  readonly limits: LimitMemory;
  readonly securityEvents: SecurityEventMemory;
  readonly signingRequests: SigningRequestMemory;
  readonly variables: VariableMemory;
}

/**
 * Learns from the CallResult of one call. It waits until the reply comes, so it must refer to an
 * extract of the call, never to the call: that would keep the whole payload.
 */
export type ReplyLearner = (parts: Parts, result: unknown, atMs: number) => Urgency;

/** What an action teaches. */
export interface Learner {
  /** Who sends it. From the other side it teaches nothing. */
  readonly from: Peer;
  /** What the call itself teaches. */
  readonly call?: (parts: Parts, call: SeenCall) => Urgency;
  /** What its result will teach. */
  readonly reply?: (call: SeenCall) => ReplyLearner;
}

/** The learners of a family of versions, by action. */
export type Learners = ReadonlyMap<string, Learner>;
