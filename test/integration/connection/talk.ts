import assert from 'node:assert/strict';
import type { LiveGateway } from '../../support/live-gateway.ts';
import { connectCharger, type HandCsms, type TextPeer } from '../../support/text-peer.ts';

/** A charger and its connection to the CSMS. */
export interface Through {
  readonly charger: TextPeer;
  readonly upstream: TextPeer;
}

/** Connects a charger through. Only one at a time, or the connections to the CSMS get mixed up. */
export async function connectThrough(
  gateway: LiveGateway,
  csms: HandCsms,
  identity: string,
  options: object = {},
): Promise<Through> {
  const charger = await connectCharger(gateway.url(identity), ['ocpp1.6'], options);
  const upstream = await csms.nextConnection();
  return { charger, upstream };
}

let calls = 0;

/** A call of each side and their answers pass: the session works in both directions. */
export async function talk({ charger, upstream }: Through): Promise<void> {
  calls += 1;
  const id = `talk-${calls}`;
  charger.sendMessage(2, id, 'Heartbeat', {});
  assert.deepEqual(await upstream.nextMessage(), [2, id, 'Heartbeat', {}]);
  upstream.sendMessage(3, id, { currentTime: '2026-01-01T00:00:00Z' });
  assert.deepEqual(await charger.nextMessage(), [3, id, { currentTime: '2026-01-01T00:00:00Z' }]);
  upstream.sendMessage(2, id, 'ClearCache', {});
  assert.deepEqual(await charger.nextMessage(), [2, id, 'ClearCache', {}]);
  charger.sendMessage(3, id, { status: 'Accepted' });
  assert.deepEqual(await upstream.nextMessage(), [3, id, { status: 'Accepted' }]);
}

/** How an attempt to connect was refused. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Connects in vain, and says how it was refused. */
export async function refusalOf(
  url: string,
  protocols?: readonly string[],
  options?: object,
): Promise<Refusal> {
  try {
    const peer = await connectCharger(url, protocols, options);
    peer.socket.terminate();
  } catch (error) {
    return error as Refusal;
  }
  throw new Error('the connection was accepted');
}
