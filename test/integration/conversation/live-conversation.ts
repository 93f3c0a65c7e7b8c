import assert from 'node:assert/strict';
import { type CallErrorCode, errors } from '../../../src/errors/catalogue.ts';
import { spellErrorCode } from '../../../src/ocpp/error-codes.ts';
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

/** A charger and a CSMS, both driven by the test, with a real gateway between them. */
export interface LiveConversation {
  readonly version: OcppVersion;
  readonly gateway: LiveGateway;
  readonly server: HandCsms;
  /** The charger's end. What it receives has passed the gateway, or is the gateway's own. */
  readonly charger: TextPeer;
  /** The end of the CSMS. */
  readonly csms: TextPeer;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a test wants otherwise than OCPP 1.6 under the base configuration. */
export interface ConversationOptions {
  readonly version?: OcppVersion;
  readonly changes?: ConfigChanges;
  readonly listener?: ConfigChanges;
  readonly identity?: string;
}

/** Starts all three and waits until they are connected through. */
export async function startConversation(
  options: ConversationOptions = {},
): Promise<LiveConversation> {
  const { version = 'ocpp1.6', changes, listener, identity = 'CP-1' } = options;
  const server = await startHandCsms();
  const gateway = await startLiveGateway(server.url, changes, listener);
  const charger = await connectCharger(gateway.url(identity), [version]);
  const csms = await server.nextConnection();
  // `strict` lets a charger that it has never seen boot do nothing else.
  if (isStrict(changes)) {
    await boot(charger, csms, version);
    charger.forgetTaken();
    csms.forgetTaken();
  }
  return {
    version,
    gateway,
    server,
    charger,
    csms,
    [Symbol.asyncDispose]: async () => {
      charger.socket.terminate();
      await charger.closed;
      await gateway[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

function isStrict(changes: ConfigChanges | undefined): boolean {
  const rules = changes?.['rules'] as { readonly preset?: string } | undefined;
  return rules?.preset === 'strict';
}

/** The charger boots, and the CSMS says `status`. */
export async function boot(
  charger: TextPeer,
  csms: TextPeer,
  version: OcppVersion,
  status: 'Accepted' | 'Pending' | 'Rejected' = 'Accepted',
): Promise<void> {
  const id = `boot-${status}`;
  const station = { vendorName: 'Gatewatt', model: 'Test' };
  const payload =
    version === 'ocpp1.6'
      ? { chargePointVendor: 'Gatewatt', chargePointModel: 'Test' }
      : { reason: 'PowerUp', chargingStation: station };
  const call = JSON.stringify([2, id, 'BootNotification', payload]);
  charger.send(call);
  assert.equal(await csms.next(), call);
  const currentTime = '2026-01-01T00:00:00Z';
  const answer = JSON.stringify([3, id, { status, currentTime, interval: 300 }]);
  csms.send(answer);
  assert.equal(await charger.next(), answer);
}

/** The text of the CallError with which the gateway refuses the call `id`. */
export function refusalText(version: OcppVersion, id: string, code: CallErrorCode): string {
  const { callError, sentence } = errors[code];
  return JSON.stringify([4, id, spellErrorCode(version, callError), sentence, {}]);
}

/** The next text that `peer` gets is the gateway's refusal of the call `id`. */
export async function assertRefused(
  peer: TextPeer,
  version: OcppVersion,
  id: string,
  code: CallErrorCode,
): Promise<void> {
  assert.equal(await peer.next(), refusalText(version, id, code));
}

/**
 * Sends a Heartbeat from the charger and takes it on the other side, then has it answered.
 *
 * Messages of one side keep their order, so whatever the charger sent before it, and has not been
 * taken before it, was not passed on.
 */
export async function assertNothingElseToCsms(
  { charger, csms }: LiveConversation,
  id = 'sentinel-up',
): Promise<void> {
  const call = JSON.stringify([2, id, 'Heartbeat', {}]);
  charger.send(call);
  assert.equal(await csms.next(), call);
  const answer = JSON.stringify([3, id, { currentTime: '2026-01-01T00:00:00Z' }]);
  csms.send(answer);
  assert.equal(await charger.next(), answer);
}

/** The same for what the CSMS sent. */
export async function assertNothingElseToCharger(
  { charger, csms }: LiveConversation,
  id = 'sentinel-down',
): Promise<void> {
  const call = JSON.stringify([2, id, 'ClearCache', {}]);
  csms.send(call);
  assert.equal(await charger.next(), call);
  const answer = JSON.stringify([3, id, { status: 'Accepted' }]);
  charger.send(answer);
  assert.equal(await csms.next(), answer);
}
