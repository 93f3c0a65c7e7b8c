import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { Claims } from '../../src/chargers/claims.ts';
import { Memories } from '../../src/chargers/memories.ts';
import type { GatewayEvent } from '../../src/events/catalogue.ts';
import { Session } from '../../src/gateway/session.ts';
import type { SessionTools } from '../../src/gateway/session-tools.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { JsonObject } from '../../src/ocpp/message.ts';
import { type OcppVersion, ocppVersions } from '../../src/ocpp/version.ts';
import { RampLimiter } from '../../src/ramp-limit/ramp-limiter.ts';
import type { RampOptions } from '../../src/ramp-limit/ramp-options.ts';
import { openStore } from '../../src/store/open-store.ts';
import { type ManualClock, manualClock } from '../../test/support/manual-clock.ts';
import { noCredential } from '../../test/support/session-credential.ts';
import { MemoryLink } from './memory-link.ts';
import { FeederMeter } from './meter.ts';
import { FeederStation } from './station.ts';

/** A site of which everything is simulated but the gateway. */
export interface FeederSite {
  readonly clock: ManualClock;
  readonly meter: FeederMeter;
  readonly stations: readonly FeederStation[];
  readonly events: readonly GatewayEvent[];
  /** The CSMS calls a charger. Resolves with its answer, from whoever it comes. */
  call(index: number, action: string, payload: JsonObject): Promise<CsmsAnswer>;
  /** A charger calls the CSMS by itself. */
  callCsms(index: number, action: string, payload: JsonObject): void;
  /** Time goes by, in small steps; everything that falls due is done at its moment. */
  pass(ms: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the CSMS hears. */
export interface CsmsAnswer {
  /** The payload; undefined for a CallError. */
  readonly result: JsonObject | undefined;
  readonly errorCode: string | undefined;
  /** Unix time in milliseconds. */
  readonly atMs: number;
}

/** What a site is made of. */
export interface SiteOptions {
  readonly count: number;
  readonly ratedW: number;
  /** Undefined: no gateway, the CSMS is connected to the chargers. */
  readonly ramp: RampOptions | undefined;
  readonly seed: number;
  /** All of one version; without it they are mixed. */
  readonly version?: OcppVersion;
  /** What the CSMS answers to a call of a charger; undefined for the usual. */
  answer?(index: number, action: string, payload: JsonObject): JsonObject | undefined;
}

/** The step in which time goes by, in milliseconds: a whole part of a second. */
const stepMs = 100;

/** Turns of the event loop in which nothing happens, after which nothing will. */
const quietTurns = 3;

/**
 * Sets up a site: stations, a CSMS, and between them the sessions of a real gateway with its real
 * limiter on a real SQLite store. Only sockets and time are simulated.
 */
export async function openFeederSite(options: SiteOptions): Promise<FeederSite> {
  const { count, ramp, ratedW, seed } = options;
  const clock = manualClock();
  const meter = new FeederMeter();
  const events: GatewayEvent[] = [];
  const stations = Array.from({ length: count }, (_, index) => {
    const version = options.version ?? ocppVersions[index % ocppVersions.length] ?? 'ocpp1.6';
    const identity = `CP-${String(index + 1).padStart(3, '0')}`;
    return new FeederStation({ identity, version, ratedW, meter });
  });
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-feeder-'));
  const store = await openStore({ type: 'sqlite', directory, isGateway: true }, clock);
  const random = seededRandom(seed);
  const emit = (event: GatewayEvent): void => {
    if (event.name !== 'FrameAdmitted') events.push(event);
  };
  const claims = new Claims(
    store,
    { gatewayId: 'feeder', leaseMs: 10 ** 9, takeoversPerHourMax: 100, quarantineMs: 1000 },
    random,
  );
  await claims.start();
  const memories = new Memories(store, claims, clock, {
    onReleased: () => {},
    onLost: () => {},
    onDefect: (error) => {
      throw error;
    },
  });
  const { incarnation } = claims;
  const limiter =
    ramp === undefined
      ? undefined
      : new RampLimiter(ramp, { store, clock, random, emit, incarnation });
  await limiter?.start();

  const waiting = new Map<string, (answer: CsmsAnswer) => void>();
  const links: { readonly toCharger: MemoryLink; readonly toCsms: MemoryLink }[] = [];
  let ids = 0;
  let transactions = 0;

  /** Something arrives at the CSMS. */
  const atCsms = (index: number, text: string): void => {
    const [type, id, ...rest] = JSON.parse(text) as [number, string, ...unknown[]];
    if (type === 2) {
      const [action, payload] = rest as [string, JsonObject];
      const usual = (): JsonObject => usualAnswer(action, clock.nowMs(), () => ++transactions);
      const result = options.answer?.(index, action, payload) ?? usual();
      toCharger(index, [3, id, result]);
      return;
    }
    const resolve = waiting.get(id);
    waiting.delete(id);
    const result = type === 3 ? (rest[0] as JsonObject) : undefined;
    const errorCode = type === 4 ? String(rest[0]) : undefined;
    resolve?.({ result, errorCode, atMs: clock.nowMs() });
  };
  const openCalls = new Map<string, string>();
  /** Something arrives at a charger. */
  const atCharger = (index: number, text: string): void => {
    const station = stations[index];
    const [type, id, ...rest] = JSON.parse(text) as [number, string, ...unknown[]];
    if (station === undefined) return;
    if (type === 2) {
      const [action, payload] = rest as [string, JsonObject];
      const { calls, result } = station.handle(action, payload, clock.nowMs());
      toCsms(index, [3, id, result]);
      for (const [itsAction, itsPayload] of calls) callCsms(index, itsAction, itsPayload);
    } else if (type === 3) {
      const action = openCalls.get(id);
      const result = rest[0] as JsonObject;
      if (action === 'StartTransaction') station.named(String(result['transactionId']));
      if (action === 'PullDynamicScheduleUpdate') station.pulled(result, clock.nowMs());
    }
    if (type !== 2) openCalls.delete(id);
  };
  const callCsms = (index: number, action: string, payload: JsonObject): void => {
    const id = `s${index}-${++ids}`;
    openCalls.set(id, action);
    toCsms(index, [2, id, action, payload]);
  };
  const toCharger = (index: number, message: readonly unknown[]): void => {
    const text = JSON.stringify(message);
    if (limiter === undefined) queueMicrotask(() => atCharger(index, text));
    else links[index]?.toCsms.receive(text);
  };
  const toCsms = (index: number, message: readonly unknown[]): void => {
    const text = JSON.stringify(message);
    if (limiter === undefined) queueMicrotask(() => atCsms(index, text));
    else links[index]?.toCharger.receive(text);
  };

  const settle = async (): Promise<void> => {
    // What one of them has done may give another something to do: time stands still until nobody has.
    for (let quiet = 0; quiet < quietTurns; quiet += 1) {
      if (limiter?.isIdle === false) quiet = 0;
      await limiter?.idle();
      await turn();
    }
  };

  if (limiter !== undefined && ramp !== undefined) {
    const tools: SessionTools = {
      clock,
      random,
      emit,
      store,
      quarantine: { keep: () => {}, close: async () => {} },
      memories,
      policy: { preset: 'standard', overrides: [] },
      lanes: { charger: laneLimits, csms: { ...laneLimits, waitMs: 30_000 } },
      strikes: { strikesMax: 1000, windowSeconds: 60 },
      signing: undefined,
      limiter,
      ramp,
      probeSeconds: 3,
      rotateDays: 0,
      observeAdded: () => {},
      audited: async () => {},
    };
    for (const [index, { identity, version }] of stations.entries()) {
      const charger = identity as ChargerId;
      const taken = await claims.take(charger);
      if (taken.is !== 'taken') throw new Error(`${identity} is ${taken.is}`);
      const { claim } = taken;
      const memory = await memories.load(claim);
      const toCsmsLink = new MemoryLink(clock, (text) => queueMicrotask(() => atCsms(index, text)));
      const toChargerLink = new MemoryLink(clock, (text) =>
        queueMicrotask(() => atCharger(index, text)),
      );
      const session = new Session(
        {
          charger,
          version,
          listener: 'field',
          credential: noCredential(),
          record: { id: identity, ratedKw: ratedW / 1000 },
          claim,
          memory,
        },
        { charger: toChargerLink, csms: toCsmsLink },
        tools,
        () => {},
      );
      // Each link takes what the session sends to that side, and gives it what that side says.
      links.push({ toCharger: toChargerLink, toCsms: toCsmsLink });
      session.start();
    }
  }
  for (const index of stations.keys()) {
    callCsms(index, 'BootNotification', bootOf(stations[index]?.version ?? 'ocpp1.6'));
  }
  await settle();
  for (const index of stations.keys()) {
    callCsms(index, 'StatusNotification', statusOf(stations[index]?.version ?? 'ocpp1.6', clock));
  }
  await settle();

  return {
    clock,
    meter,
    stations,
    events,
    call(index, action, payload) {
      const id = `c${index}-${++ids}`;
      const { promise, resolve } = Promise.withResolvers<CsmsAnswer>();
      waiting.set(id, resolve);
      toCharger(index, [2, id, action, payload]);
      return promise;
    },
    callCsms,
    async pass(ms) {
      for (let left = ms; left > 0; left -= stepMs) {
        clock.advance(Math.min(stepMs, left));
        for (const station of stations) station.refresh(clock.nowMs());
        await settle();
      }
    },
    async [Symbol.asyncDispose]() {
      await limiter?.stop();
      await memories.close();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const laneLimits = {
  callsMax: 50,
  bytesMax: 1_000_000,
  inFlightMs: 30_000,
  waitMs: undefined,
  recentMax: 64,
  recentMs: 120_000,
};

function bootOf(version: OcppVersion): JsonObject {
  if (version === 'ocpp1.6') return { chargePointVendor: 'Feeder', chargePointModel: 'F1' };
  return { reason: 'PowerUp', chargingStation: { vendorName: 'Feeder', model: 'F2' } };
}

function statusOf(version: OcppVersion, clock: ManualClock): JsonObject {
  const timestamp = new Date(clock.nowMs()).toISOString();
  if (version === 'ocpp1.6') {
    return { connectorId: 1, status: 'Available', errorCode: 'NoError', timestamp };
  }
  return { evseId: 1, connectorId: 1, connectorStatus: 'Available', timestamp };
}

function usualAnswer(action: string, nowMs: number, nextTransaction: () => number): JsonObject {
  const currentTime = new Date(nowMs).toISOString();
  switch (action) {
    case 'BootNotification':
      return { status: 'Accepted', currentTime, interval: 300 };
    case 'Heartbeat':
      return { currentTime };
    case 'StartTransaction':
      return { transactionId: nextTransaction(), idTagInfo: { status: 'Accepted' } };
    case 'Authorize':
      return { idTagInfo: { status: 'Accepted' } };
    default:
      return {};
  }
}
