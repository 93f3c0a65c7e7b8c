import type { Quarantine } from '../audit/quarantine.ts';
import {
  type ChargerListener,
  type ListenerOptions,
  openChargerListener,
} from '../connection/charger-listener.ts';
import { type CsmsAddress, csmsDialer } from '../connection/csms-dialer.ts';
import type { SocketLimits } from '../connection/limits.ts';
import type { EventSink } from '../events/emit.ts';
import type { AdmissionPolicy } from '../identity/admission.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { CallLaneLimits } from '../queue/call-lane.ts';
import type { RulePolicy } from '../rules/presets.ts';
import { type ArrivalTools, Descriptions, welcome } from './arrivals.ts';
import type { GatewayControl } from './control.ts';
import type { Session } from './session.ts';
import { type DuplicatePolicy, Sessions } from './sessions.ts';
import type { StrikeLimits } from './strikes.ts';

/** Everything that an operator decides about a gateway. */
export interface GatewayOptions {
  readonly listeners: readonly ListenerOptions[];
  readonly csms: CsmsAddress;
  readonly csmsLimits: SocketLimits;
  readonly admission: AdmissionPolicy;
  readonly duplicateIdentity: DuplicatePolicy;
  /** Seconds for an older connection to show that it is alive. */
  readonly probeSeconds: number;
  readonly rules: RulePolicy;
  /** Limits of the calls of each side. */
  readonly lanes: Readonly<Record<'charger' | 'csms', CallLaneLimits>>;
  readonly strikes: StrikeLimits;
  readonly retryAfterSeconds: number;
  /** Seconds for open calls to finish at shutdown, over which the closes are spread as well. */
  readonly drainSeconds: number;
}

/** What a gateway is given to work with. */
export interface GatewayTools {
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventSink;
  readonly quarantine: Quarantine;
  observeAdded(from: string, kind: string, seconds: number): void;
}

/** A running gateway. */
export interface Gateway extends GatewayControl {
  readonly listeners: readonly ChargerListener[];
  /** Refuses new chargers, lets open calls finish, closes everything. Idempotent. */
  stop(): Promise<void>;
}

/** Chargers whose description is kept between connections. */
const descriptionsMax = 50_000;

/**
 * Starts a gateway.
 *
 * @throws the system's error when a listener cannot be opened; then none stays open.
 */
export async function startGateway(options: GatewayOptions, tools: GatewayTools): Promise<Gateway> {
  const { clock, emit, random } = tools;
  const open = new Set<Session>();
  const sessions = new Sessions(options.duplicateIdentity);
  const descriptions = new Descriptions(descriptionsMax);
  const stopping = new AbortController();
  const arrivalTools: ArrivalTools = {
    admission: options.admission,
    sessions,
    dial: csmsDialer(options.csms, options.csmsLimits, clock),
    random,
    retryAfterSeconds: options.retryAfterSeconds,
    describedBefore: (charger) => descriptions.of(charger),
    open,
    stopping: stopping.signal,
    session: {
      clock,
      emit,
      quarantine: tools.quarantine,
      policy: options.rules,
      lanes: options.lanes,
      strikes: options.strikes,
      probeSeconds: options.probeSeconds,
      observeAdded: tools.observeAdded,
      remember: (charger, description) => descriptions.remember(charger, description),
    },
  };
  const listeners = await openListeners(options.listeners, (listenerOptions) =>
    openChargerListener(
      listenerOptions,
      (arrival) => {
        // `welcome` catches what fails in it; there is nothing to wait for here.
        void welcome(arrival, arrivalTools);
      },
      emit,
      clock,
    ),
  );
  emit({
    name: 'GatewayStarted',
    listeners: listeners.map(({ name, address }) => `${name} ${address}`),
    csms: new URL(options.csms.url).origin,
  });

  const stop = async (): Promise<void> => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    emit({ name: 'GatewayStopping', sessions: open.size });
    await Promise.all(listeners.map((listener) => listener.close()));
    const sessionsCut = await drain(open, options.drainSeconds, clock);
    emit({ name: 'GatewayStopped', sessionsCut });
  };
  return {
    listeners,
    isReady: () => !stopping.signal.aborted,
    sessionCount: () => open.size,
    stop,
  };
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
