import type { Quarantine } from '../audit/quarantine.ts';
import type { Memories } from '../chargers/memories.ts';
import type { ChargerLink, PeerLink } from '../connection/peer-link.ts';
import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Peer } from '../ocpp/version.ts';
import type { CallLaneLimits } from '../queue/call-lane.ts';
import type { RampLimiter } from '../ramp-limit/ramp-limiter.ts';
import type { RampOptions } from '../ramp-limit/ramp-options.ts';
import type { RulePolicy } from '../rules/presets.ts';
import type { Store } from '../store/store.ts';
import type { SigningPolicy } from './signature-gate.ts';
import type { StrikeLimits } from './strikes.ts';

/** What a session needs of the gateway. */
export interface SessionTools {
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventSink;
  readonly store: Store;
  readonly quarantine: Quarantine;
  readonly memories: Memories;
  readonly policy: RulePolicy;
  readonly lanes: Readonly<Record<Peer, CallLaneLimits>>;
  readonly strikes: StrikeLimits;
  /** What is demanded of the signatures of the CSMS; undefined where no key is pinned. */
  readonly signing: SigningPolicy | undefined;
  readonly limiter: RampLimiter;
  readonly ramp: RampOptions;
  readonly probeSeconds: number;
  /** Days after which a charger gets a new password; 0 for never. */
  readonly rotateDays: number;
  observeAdded(from: Peer, kind: string, seconds: number): void;
  /**
   * Resolves when all that was emitted is in the audit log, or cannot be written at the moment.
   * Never rejects.
   */
  audited(): Promise<void>;
}

/** The two ends of a session. */
export interface SessionSockets {
  readonly charger: ChargerLink;
  readonly csms: PeerLink;
}
