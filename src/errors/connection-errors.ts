import type { ErrorEntry } from './error-entry.ts';
import { fixThePeer } from './remedies.ts';

/** Why connections end, and why upgrades are refused. */
export const connectionErrors = {
  // Connections: closes.
  STRIKES: {
    meaning: 'Too many malformed or unsolicited messages in a short time.',
    remedy: fixThePeer,
    sentence: 'Too many unacceptable messages.',
    close: 1008,
  },
  CHARGER_GONE: {
    meaning: 'The charger closed its connection or vanished.',
    remedy: 'Nothing, unless it happens often.',
    sentence: 'The charging station has disconnected.',
    close: 1001,
  },
  CSMS_GONE: {
    meaning: 'The CSMS closed the connection of this charger or vanished.',
    remedy: 'Look at the CSMS if it happens often.',
    sentence: 'The management system has disconnected.',
    close: 1001,
  },
  CSMS_MISBEHAVED: {
    meaning: 'The connection was ended because of what the CSMS sent.',
    remedy: 'The record of the refused message names the rule.',
    sentence: 'The management system has been disconnected.',
    close: 1011,
  },
  CHARGER_MISBEHAVED: {
    meaning: 'The connection was ended because of what the charger sent.',
    remedy: 'The record of the refused message names the rule.',
    sentence: 'The charging station has been disconnected.',
    close: 1008,
  },
  PEER_SILENT: {
    meaning: 'Nothing came from the peer, not even an answer to a ping.',
    remedy: 'Check the network. For chargers that never answer pings set `pingSeconds: 0`.',
    sentence: 'The connection is silent.',
    close: 1001,
  },
  PEER_STALLED: {
    meaning: 'The peer does not take what is sent to it.',
    remedy: 'Check the network and the load of the peer.',
    sentence: 'The connection is stalled.',
    close: 1008,
  },
  SESSION_REPLACED: {
    meaning: 'The charger has connected again and this connection was silent.',
    remedy: 'Nothing: chargers do that after a network failure.',
    sentence: 'A newer connection has taken over.',
    close: 1001,
  },
  CLAIM_LOST: {
    meaning: 'Another gateway has this charger now.',
    remedy: 'If it happens often, look at the connection to the database.',
    sentence: 'Another gateway has taken over.',
    close: 1001,
  },
  CHARGER_REMOVED: {
    meaning: 'An operator removed the charger.',
    remedy: 'Nothing.',
    sentence: 'Not authorized.',
    close: 1008,
  },
  CREDENTIAL_CHANGED: {
    meaning: 'The charger has a new password, and is to connect again with it.',
    remedy: 'Nothing.',
    sentence: 'Connect again with the new password.',
    close: 1012,
  },
  CREDENTIAL_REVOKED: {
    meaning: 'What the charger has authenticated itself with is not valid any more.',
    remedy: 'Nothing, if an operator took it away.',
    sentence: 'Not authorized.',
    close: 1008,
  },
  GATEWAY_STOPPING: {
    meaning: 'The gateway is shutting down.',
    remedy: 'Nothing: chargers reconnect by themselves.',
    sentence: 'The gateway is restarting.',
    close: 1012,
    http: 503,
  },
  SESSION_FAILED: {
    meaning: 'A defect of the gateway ended this session; the others go on.',
    remedy: 'Report it, with the log entry.',
    sentence: 'Internal error.',
    close: 1011,
    http: 500,
  },

  // Connections: refused upgrades.
  UPGRADE_REQUIRED: {
    meaning: 'An HTTP request that is not a WebSocket upgrade.',
    remedy: 'Nothing, unless a charger sends it: then its URL scheme is wrong.',
    sentence: 'This is a WebSocket endpoint for charging stations.',
    http: 426,
  },
  UPGRADE_MALFORMED: {
    meaning: 'A WebSocket upgrade with missing or wrong headers.',
    remedy: fixThePeer,
    sentence: 'The WebSocket upgrade request is malformed.',
    http: 400,
  },
  UPGRADE_PATH: {
    meaning: 'The path of the request is not the one of this listener.',
    remedy: 'Compare the URL in the charger with `listeners[].path`.',
    sentence: 'The path is not known here.',
    http: 404,
  },
  IDENTITY_MALFORMED: {
    meaning: 'The last segment of the path is not an acceptable charger identity.',
    remedy:
      'Use up to 64 printable ASCII characters without slashes and percent signs (OCPP 2.x: 48).',
    sentence: 'The charging station identity is not acceptable.',
    http: 400,
  },
  IDENTITY_OUT_OF_PLACE: {
    meaning:
      'The charger has come from another network than the one that its identity is bound to, or ' +
      'another charger from the network of this one.',
    remedy:
      'If it is plugged in there rightly, change `chargers` of its entry in `isolation.bindings`. ' +
      'Otherwise somebody in that network uses a stolen identity: look at what is plugged in.',
    sentence: 'Not authorized.',
    http: 403,
  },
  IDENTITY_UNKNOWN: {
    meaning: 'No record matches the identity, and `chargers.unknown` is `reject`.',
    remedy: 'Add a record for the charger, or set `chargers.unknown: enroll`.',
    sentence: 'Not authorized.',
    http: 401,
  },
  IDENTITY_QUARANTINED: {
    meaning:
      'Nobody may connect with this identity for now: it was taken over too often, or an operator ' +
      'said so.',
    remedy: 'See why with `gatewatt charger show`; `gatewatt charger release` ends it.',
    sentence: 'The charging station identity is blocked.',
    close: 1008,
    http: 403,
  },
  SECURITY_PROFILE_TOO_LOW: {
    meaning: 'The charger must use a higher security profile than this listener has.',
    remedy:
      'Let it connect to a listener with its profile. A profile that was used is never lowered: for ' +
      'another device with this identity, remove the charger and add it again.',
    sentence: 'Not authorized.',
    http: 401,
  },
  ENROLLMENT_FULL: {
    meaning: 'As many unknown chargers were let in as `chargers.enrolledMax` allows.',
    remedy: 'Remove those that are not yours, set `chargers.unknown: reject`, or raise the limit.',
    sentence: 'Not authorized.',
    http: 401,
  },
  STORE_UNAVAILABLE: {
    meaning: 'The database is away, so nobody knows whether the charger may connect.',
    remedy: 'Bring the database back; connected chargers go on meanwhile.',
    sentence: 'The service is not available.',
    http: 503,
  },
  IDENTITY_ACTIVE: {
    meaning: 'The identity is connected, and that connection is alive.',
    remedy: 'Two chargers with one identity, or an impostor: find out which.',
    sentence: 'The charging station is already connected.',
    http: 409,
  },
  SUBPROTOCOL_MISSING: {
    meaning: 'The charger offered no subprotocol, so its OCPP version is unknown.',
    remedy: 'Set `assumeSubprotocol` in the record of this charger.',
    sentence: 'Sec-WebSocket-Protocol is missing.',
    http: 400,
  },
  SUBPROTOCOL_NONE_IN_COMMON: {
    meaning: 'Charger, gateway and CSMS have no OCPP version in common.',
    remedy: 'Compare the versions that the charger offers with what the CSMS accepts.',
    sentence: 'No OCPP version in common.',
    http: 400,
  },
  CONNECTIONS_FULL: {
    meaning: 'A limit of connections, in all or from one address, is reached.',
    remedy: 'Raise `limits` if they are all legitimate chargers.',
    sentence: 'Too many connections.',
    http: 503,
  },
  CSMS_UNREACHABLE: {
    meaning: 'The CSMS could not be reached, or did not answer in time.',
    remedy: 'Check `csms.url` and the CSMS.',
    sentence: 'The management system is not available.',
    http: 503,
  },
  CSMS_DIALS_FULL: {
    meaning:
      'So many chargers wait to be connected to the CSMS that this one would have waited for too ' +
      'long. Chargers that have shown who they are go before others.',
    remedy:
      'Nothing: it comes again by itself. If chargers stay away for too long after a restart, raise ' +
      '`csms.dialsPerSecond`, as far as the CSMS bears it.',
    sentence: 'Too many charging stations are connecting.',
    http: 503,
  },
  CSMS_REFUSED: {
    meaning: 'The CSMS answered the upgrade with something else than 101.',
    remedy: 'Check that the CSMS knows this charger; the log has its HTTP status.',
    sentence: 'The management system refused the charging station.',
    http: 502,
  },
  CSMS_UNTRUSTED: {
    meaning: 'The certificate of the CSMS is not trusted, not for its name, or not the pinned one.',
    remedy:
      'Check `csms.tls`. If nothing was changed there, somebody may stand between the gateway and ' +
      'the CSMS.',
    sentence: 'The management system is not available.',
    http: 503,
  },
  CSMS_CREDENTIAL_MISSING: {
    meaning: 'The gateway has no credential for this charger with which to connect to the CSMS.',
    remedy: 'Set one with `gatewatt charger set ID --csms-password-file FILE`.',
    sentence: 'The management system refused the charging station.',
    http: 502,
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
