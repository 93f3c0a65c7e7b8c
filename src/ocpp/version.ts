/**
 * The protocol versions that the gateway speaks, by their WebSocket subprotocol names.
 *
 * Source: IANA WebSocket Subprotocol Name Registry; OCPP-J 1.6 section 3.1.2; OCPP 2.0.1 and 2.1
 * part 4 section 3.1.2.
 */
export const ocppVersions = ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'] as const;

/** One protocol version. */
export type OcppVersion = (typeof ocppVersions)[number];

/** The two ends of an OCPP conversation. */
export type Peer = 'charger' | 'csms';

/** The other end. */
export function otherPeer(peer: Peer): Peer {
  return peer === 'charger' ? 'csms' : 'charger';
}

/** Is `text` the name of a version that the gateway speaks? */
export function isOcppVersion(text: string): text is OcppVersion {
  return (ocppVersions as readonly string[]).includes(text);
}
