import assert from 'node:assert/strict';
import type { CallErrorCode } from '../../../src/errors/catalogue.ts';
import type { OcppVersion } from '../../../src/ocpp/version.ts';
import {
  type ConfigChanges,
  type LiveGateway,
  startLiveGateway,
} from '../../support/live-gateway.ts';
import {
  connectCharger,
  type HandCsms,
  startHandCsms,
  type TextPeer,
} from '../../support/text-peer.ts';
import type { Through } from '../connection/talk.ts';
import { refusalText } from '../conversation/live-conversation.ts';
import { exchange, until } from '../store/exchanges.ts';

/** A charger and its connection to the CSMS, both driven by the test. */
export interface Station extends Through {
  readonly identity: string;
  readonly version: OcppVersion;
}

/** Chargers and a CSMS, with a real gateway between them that paces load. */
export interface RampSite {
  readonly gateway: LiveGateway;
  readonly csms: HandCsms;
  /** Those that were asked for at the start, in their order. */
  readonly stations: readonly Station[];
  /** One by its number; there must be one. */
  station(index: number): Station;
  /** Connects one more, or one that was away. */
  connect(identity: string): Promise<Station>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a test wants otherwise than three chargers of OCPP 1.6. */
export interface SiteOptions {
  readonly version?: OcppVersion;
  /** How many chargers there are at the start, or their identities. */
  readonly chargers?: number | readonly string[];
  /** Sections of the configuration beside `rampLimit`. */
  readonly changes?: ConfigChanges;
}

/** The `unassigned` section for so many commands in each second, or so many seconds. */
export const every = (intervalSeconds: number, commandsPerInterval: number) => ({
  intervalSeconds,
  commandsPerInterval,
});
/** One command in two seconds: enough to send the next one before the window has ended. */
export const slow = { unassigned: every(2, 1) };
/** With these, a second command is answered at once, and released two seconds later. */
export const slowAndAnswered = { ...slow, openSecondsMax: 1 };

/** A window that outlasts every test: what has to wait for its end waits. */
export const endlessSeconds = 500;
/** With it, a call is kept open all that time. */
export const patientCsms = { callTimeoutSeconds: 600 };

/** Starts a gateway with this `rampLimit` section, without jitter and rest, and connects chargers. */
export async function startRampSite(
  rampLimit: ConfigChanges,
  options: SiteOptions = {},
): Promise<RampSite> {
  const { changes = {}, chargers = 3, version = 'ocpp1.6' } = options;
  const identities =
    typeof chargers === 'number'
      ? Array.from({ length: chargers }, (_, index) => `CP-${index + 1}`)
      : chargers;
  const stack = new AsyncDisposableStack();
  try {
    const csms = stack.use(await startHandCsms());
    const section = { jitterSeconds: 0, dwellSeconds: 0, ...rampLimit };
    const gateway = stack.use(await startLiveGateway(csms.url, { ...changes, rampLimit: section }));
    const sockets: TextPeer['socket'][] = [];
    stack.defer(() => {
      for (const socket of sockets) socket.terminate();
    });
    const connect = async (identity: string): Promise<Station> => {
      const charger = await connectCharger(gateway.url(identity), [version]);
      sockets.push(charger.socket);
      return { identity, version, charger, upstream: await csms.nextConnection() };
    };
    const stations: Station[] = [];
    for (const identity of identities) stations.push(await connect(identity));
    const held = stack.move();
    return {
      gateway,
      csms,
      stations,
      station: (index) => {
        const station = stations[index];
        assert.ok(station, `there is a station ${index}`);
        return station;
      },
      connect,
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

const timestamp = '2026-01-01T00:00:00Z';

/** The charger says that nobody charges there. */
export async function reportIdle(station: Station): Promise<void> {
  await reportStatus(station, 'Available');
}

/** The charger says this of its only EVSE. */
export async function reportStatus(station: Station, status: string): Promise<void> {
  const payload =
    station.version === 'ocpp1.6'
      ? { connectorId: 1, errorCode: 'NoError', status }
      : { timestamp, connectorStatus: status, evseId: 1, connectorId: 1 };
  await exchange(station, 'StatusNotification', payload);
}

/** A car begins to charge there. Transaction ids are numbers, because OCPP 1.6 has no others. */
export async function begin(station: Station, transactionId: number): Promise<void> {
  if (station.version === 'ocpp1.6') {
    const started = { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp };
    const answer = { transactionId, idTagInfo: { status: 'Accepted' } };
    await exchange(station, 'StartTransaction', started, answer);
    return;
  }
  await exchange(station, 'TransactionEvent', transactionEvent('Started', transactionId, 0));
}

/** The charger reports that it takes so much. */
export async function reportWatts(
  station: Station,
  transactionId: number,
  watts: number,
): Promise<void> {
  const measurand = 'Power.Active.Import';
  // What is measured in the millisecond in which a transaction begins says nothing of it.
  const begunAtMs = Date.now();
  await until(() => Date.now() > begunAtMs);
  if (station.version === 'ocpp1.6') {
    const sampledValue = [{ value: String(watts), measurand, unit: 'W' }];
    const meterValue = [{ timestamp: new Date().toISOString(), sampledValue }];
    await exchange(station, 'MeterValues', { connectorId: 1, transactionId, meterValue });
    return;
  }
  const sampledValue = [{ value: watts, measurand, unitOfMeasure: { unit: 'W' } }];
  const meterValue = [{ timestamp: new Date().toISOString(), sampledValue }];
  const event = transactionEvent('Updated', transactionId, 1);
  await exchange(station, 'TransactionEvent', { ...event, meterValue });
}

/** The car there has stopped charging. */
export async function end(station: Station, transactionId: number): Promise<void> {
  if (station.version === 'ocpp1.6') {
    await exchange(station, 'StopTransaction', { transactionId, meterStop: 1, timestamp });
    return;
  }
  await exchange(station, 'TransactionEvent', transactionEvent('Ended', transactionId, 9));
}

function transactionEvent(eventType: string, transactionId: number, seqNo: number) {
  return {
    eventType,
    timestamp,
    triggerReason: 'ChargingStateChanged',
    seqNo,
    transactionInfo: { transactionId: `${transactionId}` },
    evse: { id: 1, connectorId: 1 },
  };
}

/** The text of a call. */
export function callText(id: string, action: string, payload: object): string {
  return JSON.stringify([2, id, action, payload]);
}

/** The text of the answer that a command is done. */
export function acceptedText(id: string): string {
  return JSON.stringify([3, id, { status: 'Accepted' }]);
}

/** A RemoteStopTransaction, or a RequestStopTransaction. */
export function stopText(id: string, { version }: Station, transactionId: number): string {
  return version === 'ocpp1.6'
    ? callText(id, 'RemoteStopTransaction', { transactionId })
    : callText(id, 'RequestStopTransaction', { transactionId: `${transactionId}` });
}

/** A RemoteStartTransaction, or a RequestStartTransaction. */
export function startText(id: string, { version }: Station): string {
  return version === 'ocpp1.6'
    ? callText(id, 'RemoteStartTransaction', { connectorId: 1, idTag: 'TAG' })
    : callText(id, 'RequestStartTransaction', {
        evseId: 1,
        remoteStartId: 1,
        idToken: { idToken: 'TAG', type: 'Central' },
      });
}

/** The charger gets exactly this text, answers, and its answer reaches the CSMS. */
export async function passes(
  { charger, upstream }: Through,
  text: string,
  answer: object = { status: 'Accepted' },
): Promise<void> {
  assert.equal(await charger.next(), text);
  const reply = JSON.stringify([3, idOf(text), answer]);
  charger.send(reply);
  assert.equal(await upstream.next(), reply);
}

/** The CSMS sends this call, and it passes. */
export async function sendThrough(through: Through, text: string, answer?: object): Promise<void> {
  through.upstream.send(text);
  await passes(through, text, answer);
}

/** The gateway has answered the call `id` for the charger. */
export async function assertAnswered(
  { upstream }: Through,
  id: string,
  status = 'Accepted',
): Promise<void> {
  assert.deepEqual(await upstream.nextMessage(), [3, id, { status }]);
}

/** The CSMS hears that its call `id` is refused. */
export async function assertCsmsRefused(
  { upstream, version }: Station,
  id: string,
  code: CallErrorCode,
): Promise<void> {
  assert.equal(await upstream.next(), refusalText(version, id, code));
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * The charger gets a command that was answered before: under an id of the gateway, and otherwise as
 * it came.
 *
 * @returns the id.
 */
export async function takesReleased({ charger }: Through, text: string): Promise<string> {
  const [type, id, action, payload] = await charger.nextMessage();
  const [, ...sent] = JSON.parse(text) as readonly unknown[];
  assert.deepEqual([type, action, payload], [2, ...sent.slice(1)]);
  assert.match(String(id), uuid);
  assert.notEqual(id, sent[0]);
  return String(id);
}

let sentinels = 0;

/** A command that moves nothing passes, and nothing has come to the charger before it. */
export async function assertNothingToCharger(through: Through): Promise<void> {
  sentinels += 1;
  await sendThrough(through, callText(`down-${sentinels}`, 'ClearCache', {}));
}

/** A message of the charger passes, and nothing has come to the CSMS before it. */
export async function assertNothingToCsms(through: Through): Promise<void> {
  await exchange(through, 'Heartbeat', {}, { currentTime: timestamp });
}

/** The id in the text of a message. */
export function idOf(text: string): string {
  const [, id] = JSON.parse(text) as readonly unknown[];
  return String(id);
}

/** A message that came to a charger. */
export interface Arrival {
  readonly station: string;
  readonly atMs: number;
  readonly text: string;
}

/** What comes to these chargers from now on, in the order in which it comes. */
export function watchArrivals(
  stations: readonly Pick<Station, 'charger' | 'identity'>[],
): readonly Arrival[] {
  const arrivals: Arrival[] = [];
  for (const { charger, identity } of stations) {
    charger.socket.on('message', (data) => {
      arrivals.push({ station: identity, atMs: performance.now(), text: data.toString() });
    });
  }
  return arrivals;
}

/** Answers every call that comes to the charger as done. */
export function obey({ charger }: { readonly charger: TextPeer }): void {
  charger.socket.on('message', (data) => {
    const [type, id] = JSON.parse(data.toString()) as readonly unknown[];
    if (type === 2) charger.send(acceptedText(String(id)));
  });
}

/**
 * Fails when more than `budget` messages have come within a window of `intervalMs`.
 *
 * The gateway counts a command when it sends it, and a command needs a while to its charger: a late
 * one and the punctual one after it are closer together than they were sent. So windows are taken
 * shorter by `crossingMs`. Whoever keeps no budget sends all at once, and is found all the same.
 */
export function assertPaced(
  timesMs: readonly number[],
  {
    budget,
    intervalMs,
    crossingMs = intervalMs / 2,
  }: {
    readonly budget: number;
    readonly intervalMs: number;
    readonly crossingMs?: number;
  },
): void {
  for (const [index, atMs] of timesMs.entries()) {
    const before = timesMs[index - budget];
    if (before === undefined) continue;
    assert.ok(
      atMs - before >= intervalMs - crossingMs,
      `${budget + 1} messages within ${Math.round(atMs - before)} ms`,
    );
  }
}
