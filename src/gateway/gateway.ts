import type { Quarantine } from '../audit/quarantine.ts';
import { type ClaimOptions, Claims } from '../chargers/claims.ts';
import { ChargerDirectory } from '../chargers/directory.ts';
import { Memories } from '../chargers/memories.ts';
import { pruneSightings } from '../chargers/prune-sightings.ts';
import { pruneTransactions, type TransactionRetention } from '../chargers/prune-transactions.ts';
import type { ChargerRecords } from '../chargers/record.ts';
import {
  type ChargerListener,
  type ListenerOptions,
  openChargerListener,
} from '../connection/charger-listener.ts';
import { type CsmsAddress, csmsDialer } from '../connection/csms-dialer.ts';
import { abandonDoor, type DoorOptions } from '../connection/door.ts';
import type { SocketLimits } from '../connection/limits.ts';
import type { Network } from '../connection/network.ts';
import type { EventSink } from '../events/emit.ts';
import type { AdmissionPolicy } from '../identity/admission.ts';
import { type AuthenticationPolicy, Authenticator } from '../identity/authentication.ts';
import { type ChargerNetwork, ChargerNetworks } from '../identity/charger-networks.ts';
import { PasswordVerifier, type PasswordVerifierOptions } from '../identity/password-verifier.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Peer } from '../ocpp/version.ts';
import type { CallLaneLimits } from '../queue/call-lane.ts';
import { RampLimiter } from '../ramp-limit/ramp-limiter.ts';
import type { RampOptions } from '../ramp-limit/ramp-options.ts';
import type { RulePolicy } from '../rules/presets.ts';
import type { Store } from '../store/store.ts';
import { isStoreError } from '../store/store-error.ts';
import { type ArrivalTools, type CsmsAuth, welcome } from './arrivals.ts';
import type { GatewayControl } from './control.ts';
import { type DialLimits, DialTurns } from './dial-turns.ts';
import { Housekeeping } from './housekeeping.ts';
import type { Session } from './session.ts';
import { type DuplicatePolicy, Sessions } from './sessions.ts';
import type { SigningPolicy } from './signature-gate.ts';
import { pruneNonces } from './signature-nonces.ts';
import type { StrikeLimits } from './strikes.ts';

/** Everything that an operator decides about a gateway. */
export interface GatewayOptions {
  readonly listeners: readonly ListenerOptions[];
  readonly csms: CsmsAddress;
  readonly csmsLimits: SocketLimits;
  readonly csmsAuth: CsmsAuth;
  /** How fast the CSMS may be dialled. */
  readonly dials: DialLimits;
  readonly admission: AdmissionPolicy;
  /** Networks that keep chargers apart, and who is in each. */
  readonly networks: readonly ChargerNetwork[];
  readonly authentication: AuthenticationPolicy;
  readonly passwords: PasswordVerifierOptions;
  /** What becomes of the CSMS's own changes of a charger's password. */
  readonly credentialChanges: 'refuse' | 'track';
  /** Days after which a charger gets a new password; 0 for never. */
  readonly rotateDays: number;
  readonly records: ChargerRecords;
  readonly enrolledMax: number;
  readonly claims: ClaimOptions;
  readonly duplicateIdentity: DuplicatePolicy;
  readonly retention: TransactionRetention;
  /** Seconds for an older connection to show that it is alive. */
  readonly probeSeconds: number;
  readonly rules: RulePolicy;
  /** Limits of the calls of each side. */
  readonly lanes: Readonly<Record<'charger' | 'csms', CallLaneLimits>>;
  readonly strikes: StrikeLimits;
  /** What is demanded of the signatures of the CSMS; undefined where no key is pinned. */
  readonly signing: SigningPolicy | undefined;
  /** How fast load may change. */
  readonly ramp: RampOptions;
  /** Seconds after which a refused charger may try again; some are added at random. */
  readonly retryAfterSeconds: number;
  /** Seconds for open calls to finish at shutdown, over which the closes are spread as well. */
  readonly drainSeconds: number;
}

/** What a gateway is given to work with. */
export interface GatewayTools {
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventSink;
  readonly store: Store;
  readonly quarantine: Quarantine;
  /** Resolves when the audit log has what was emitted, or cannot be written. Never rejects. */
  audited(): Promise<void>;
  /** Deletes some of what the audit log has too much of. @returns whether there is more. */
  pruneAudit(): Promise<boolean>;
  observeAdded(from: Peer, kind: string, seconds: number): void;
  /** Where its connections come from and go to; the machine's own network without it. */
  readonly network?: Network | undefined;
}

/** A running gateway. */
export interface Gateway extends GatewayControl {
  readonly listeners: readonly ChargerListener[];
  /**
   * Opens a further door of a listener.
   *
   * @throws the system's error when the address cannot be had; Error when there is no listener of
   *   that name, and when the gateway is stopping.
   */
  openDoor(listenerName: string, door: DoorOptions): Promise<void>;
  /** Refuses new chargers, lets open calls finish, closes everything. Idempotent. */
  stop(): Promise<void>;
}

/** How long nonces are kept: longer than any signature may be old, by any clock. */
const noncesKeptMs = 2 * 3_600_000;

/** What another gateway may take beyond the probe itself to answer for its charger. */
const remoteAnswerMs = 3_000;

/**
 * Starts a gateway.
 *
 * @throws the system's error when a listener cannot be opened, StoreError when the store is away;
 *   then nothing stays open.
 */
export async function startGateway(options: GatewayOptions, tools: GatewayTools): Promise<Gateway> {
  const { clock, emit, random, store } = tools;
  const open = new Set<Session>();
  const claims = new Claims(store, options.claims, random);
  await claims.start();
  const sessions = new Sessions(
    claims,
    {
      policy: options.duplicateIdentity,
      remoteProbeMs: options.probeSeconds * 1000 + remoteAnswerMs,
    },
    clock,
  );
  const memories = new Memories(store, claims, clock, {
    onReleased: (claim) => sessions.forget(claim),
    onLost: (count) => emit({ name: 'KnowledgeLost', count }),
    onDefect: (error) => emit({ name: 'HousekeepingFailed', error }),
  });
  const { incarnation } = claims;
  const limiter = new RampLimiter(options.ramp, { store, clock, random, emit, incarnation });
  const directory = new ChargerDirectory(store, options.records, options.enrolledMax);
  const stopping = new AbortController();
  let listeners: readonly ChargerListener[] = [];
  const listenerOf = (name: string) => listeners.find((listener) => listener.name === name);
  const verifier = new PasswordVerifier(options.passwords, clock);
  const authenticator = new Authenticator(options.authentication, verifier, clock);
  const turns = new DialTurns(options.dials, { clock, emit });
  const arrivalTools: ArrivalTools = {
    admit: {
      turns,
      admission: options.admission,
      networks: new ChargerNetworks(options.networks),
      authenticator,
      directory,
      emit,
      // Spread, so that chargers that were refused together do not come back together.
      retryAfter: (seconds = options.retryAfterSeconds) =>
        seconds + random.integer(0, options.retryAfterSeconds),
    },
    sessions,
    memories,
    csmsAuth: options.csmsAuth,
    credentialChanges: options.credentialChanges,
    clientTrust: (name) => listenerOf(name)?.clientTrust(),
    dial: csmsDialer(options.csms, options.csmsLimits, clock, tools.network),
    open,
    stopping: stopping.signal,
    session: {
      clock,
      random,
      emit,
      store,
      quarantine: tools.quarantine,
      memories,
      policy: options.rules,
      lanes: options.lanes,
      strikes: options.strikes,
      signing: options.signing,
      limiter,
      ramp: options.ramp,
      probeSeconds: options.probeSeconds,
      rotateDays: options.rotateDays,
      observeAdded: tools.observeAdded,
      audited: tools.audited,
    },
  };
  const housekeeping = new Housekeeping({
    store,
    claims,
    sessions,
    directory,
    clock,
    emit,
    leaseMs: options.claims.leaseMs,
    admitsUnknown: options.authentication.unknown === 'enroll',
    prune: async () => {
      const pruned =
        (await pruneTransactions(store, options.retention)) +
        (await pruneSightings(store, options.enrolledMax)) +
        (await pruneNonces(store, store.nowMs() - noncesKeptMs));
      return (await tools.pruneAudit()) || pruned > 0;
    },
  });
  await housekeeping.start();
  await limiter.start();
  /** What was learned is written, the claims are given up, and nothing runs any more. */
  const leaveStore = async (): Promise<void> => {
    await housekeeping.stop();
    await limiter.stop();
    await memories.close();
    try {
      await claims.end();
    } catch (error) {
      // The lease runs out by itself.
      if (!isStoreError(error)) throw error;
    }
  };
  try {
    listeners = await openListeners(options.listeners, (listenerOptions) =>
      openChargerListener(
        listenerOptions,
        (arrival) => {
          // `welcome` catches what fails in it; there is nothing to wait for here.
          void welcome(arrival, arrivalTools);
        },
        emit,
        clock,
        tools.network,
      ),
    );
  } catch (error) {
    await leaveStore();
    throw error;
  }
  emit({
    name: 'GatewayStarted',
    listeners: listeners.map(({ name, address }) => `${name} ${address}`),
    csms: new URL(options.csms.url).origin,
  });
  warnOfPace(options.ramp, emit);
  warnOfSignatures(options.signing, emit);

  const stop = async (): Promise<void> => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    emit({ name: 'GatewayStopping', sessions: open.size });
    await Promise.all(listeners.map((listener) => listener.close()));
    const sessionsCut = await drain(open, options.drainSeconds, clock);
    await leaveStore();
    emit({ name: 'GatewayStopped', sessionsCut });
  };
  return {
    listeners,
    openDoor: async (listenerName, door) => {
      const listener = listenerOf(listenerName);
      if (listener === undefined) {
        abandonDoor(door);
        throw new Error(`there is no listener ${listenerName}`);
      }
      // Of a gateway that is stopping, every listener is closed, and refuses.
      await listener.openDoor(door);
    },
    readiness: () => {
      if (stopping.signal.aborted) return 'stopping';
      return store.isAvailable ? 'ready' : 'store unavailable';
    },
    passwordChecks: () => verifier.argon2Count,
    unwrittenCount: () => memories.unwrittenCount,
    sessionCount: () => open.size,
    dials: () => ({ made: turns.givenCount, waiting: turns.waitingCount }),
    rampStatus: () => limiter.status(),
    stop,
  };
}

/** Says at each start what an attacker could make use of. */
function warnOfPace({ feeders, mode }: RampOptions, emit: EventSink): void {
  if (mode === 'off') emit({ name: 'RampLimiterOff' });
  if (mode === 'off' || feeders.all.length > 1) return;
  const { budget, intervalMs } = feeders.unassigned;
  const { commandsMilli } = budget;
  emit({
    name: 'RampFeedersMissing',
    commandsPerInterval: commandsMilli === undefined ? undefined : commandsMilli / 1000,
    intervalSeconds: intervalMs / 1000,
  });
}

/** Says at each start which signatures may be used a second time. */
function warnOfSignatures(signing: SigningPolicy | undefined, emit: EventSink): void {
  if (signing?.isRequired !== true) return;
  const { charger, messageId, nonce, time } = signing.demand;
  if (charger && messageId && nonce && time) return;
  const entries = Object.entries({ charger, messageId, nonce, time });
  const notDemanded = entries.filter(([, isDemanded]) => !isDemanded).map(([name]) => name);
  emit({ name: 'SignatureDemandsRelaxed', notDemanded });
}

async function openListeners(
  all: readonly ListenerOptions[],
  openOne: (options: ListenerOptions) => Promise<ChargerListener>,
): Promise<readonly ChargerListener[]> {
  const opened: ChargerListener[] = [];
  try {
    for (const options of all) opened.push(await openOne(options));
  } catch (error) {
    await Promise.all(opened.map((listener) => listener.close()));
    throw error;
  }
  return opened;
}

/** Steps in which the drain proceeds, in milliseconds. */
const drainStepMs = 50;
/** Sessions that may be closed in one step without making a crowd at the next gateway. */
const drainedPerStepMin = 50;

/**
 * Ends all sessions within `drainSeconds`, each as soon as it has no open call. Where there are
 * many, they are closed over half of that time, so that they do not all reconnect at once.
 *
 * @returns how many still had an open call when the time was up.
 */
async function drain(open: Set<Session>, drainSeconds: number, clock: Clock): Promise<number> {
  const waiting = [...open];
  const steps = Math.max(1, (drainSeconds * 1000) / drainStepMs / 2);
  const perStep = Math.max(drainedPerStepMin, Math.ceil(waiting.length / steps));
  const deadlineMs = clock.elapsedMs() + drainSeconds * 1000;
  for (;;) {
    for (const session of waiting.splice(0, perStep)) session.drain();
    if (open.size === 0 || clock.elapsedMs() >= deadlineMs) break;
    await sleep(clock, drainStepMs);
  }
  const sessionsCut = open.size;
  for (const session of [...open]) session.stop();
  return sessionsCut;
}
