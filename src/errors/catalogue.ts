import type { OcppErrorCode } from '../ocpp/error-codes.ts';

/**
 * Every error that a peer or an operator can meet: one code, what it means, what to do about it,
 * and what the peer is told. Codes are never renamed and never used again for something else.
 *
 * `docs/errors.md` is generated from this table.
 */
export interface ErrorEntry {
  /** What happened, for an operator. */
  readonly meaning: string;
  /** What the operator should do. */
  readonly remedy: string;
  /** The fixed sentence that the peer gets; it holds nothing that the peer sent. */
  readonly sentence: string;
  /** The code of the CallError that answers a refused call. */
  readonly callError?: OcppErrorCode;
  /** The WebSocket close code (RFC 6455 section 7.4), where this error ends a connection. */
  readonly close?: number;
  /** The HTTP status, where this error refuses an upgrade. */
  readonly http?: number;
}

const fixThePeer =
  'Find out what sent it: the log and the quarantine name the charger. If it is a known quirk of ' +
  'a model, add a rule override for that model.';
const checkThePeer =
  'Rare from healthy equipment: check the sender for defects, and whether its credentials leaked.';

/** The catalogue. */
export const errors = {
  // Rule 1: JSON and OCPP format.
  FORMAT_EMPTY: {
    meaning: 'A text frame without any text.',
    remedy: 'Harmless: some chargers send them. They are ignored and counted.',
    sentence: 'The message is empty.',
    close: 1002,
  },
  FORMAT_JSON: {
    meaning: 'The text is not JSON.',
    remedy: fixThePeer,
    sentence: 'The message is not valid JSON.',
    callError: 'RpcFrameworkError',
    close: 1002,
  },
  FORMAT_JSON_AMBIGUOUS: {
    meaning:
      'Two JSON parsers could read the text differently: duplicate keys, a prototype key, half a ' +
      'surrogate pair, or a NUL character.',
    remedy: checkThePeer,
    sentence: 'The message can be read in more than one way.',
    callError: 'FormatViolation',
    close: 1002,
  },
  FORMAT_JSON_DEPTH: {
    meaning: 'The JSON is nested deeper than any OCPP message.',
    remedy: checkThePeer,
    sentence: 'The message is nested too deeply.',
    callError: 'RpcFrameworkError',
    close: 1002,
  },
  FORMAT_NUMBER_INEXACT: {
    meaning: 'An integer between 2^53 and 2^63, which some parsers round.',
    remedy: 'Usually an uninitialised transaction id; the charger needs a firmware update.',
    sentence: 'The message holds an integer beyond 53 bits.',
    callError: 'FormatViolation',
    close: 1002,
  },
  FORMAT_NUMBER_RANGE: {
    meaning: 'A number that no IEEE 754 double can hold.',
    remedy: checkThePeer,
    sentence: 'The message holds a number out of range.',
    callError: 'FormatViolation',
    close: 1002,
  },
  FORMAT_FRAME: {
    meaning: 'The JSON is not an OCPP message: wrong type, length or order of elements.',
    remedy: fixThePeer,
    sentence: 'The message is not an OCPP message.',
    callError: 'FormatViolation',
    close: 1002,
  },
  FORMAT_MESSAGE_TYPE: {
    meaning: 'The version has no message with this MessageTypeId.',
    remedy: fixThePeer,
    sentence: 'The message type is not supported.',
    callError: 'MessageTypeNotSupported',
    close: 1002,
  },
  FORMAT_MESSAGE_ID: {
    meaning: 'The message id is not a text, is empty, is reserved, or is far too long.',
    remedy: fixThePeer,
    sentence: 'The message id is not acceptable.',
    callError: 'FormatViolation',
    close: 1002,
  },
  FORMAT_MESSAGE_ID_LONG: {
    meaning: 'The message id has more than 36 characters.',
    remedy: 'Harmless to the gateway; the charger needs a firmware update.',
    sentence: 'The message id is too long.',
    callError: 'FormatViolation',
    close: 1002,
  },
  FORMAT_PAYLOAD_NULL: {
    meaning: 'The payload is null, or an empty list, where an empty object belongs.',
    remedy: 'Harmless: early editions of OCPP 1.6 allowed null, and PHP writes empty lists.',
    sentence: 'The payload is missing.',
    callError: 'FormatViolation',
    close: 1002,
  },
  FORMAT_ERROR_FIELDS: {
    meaning:
      'A CallError without all of its elements, with an unknown error code, or with a description ' +
      'of more than 255 characters.',
    remedy:
      'Harmless to a CSMS: it still says that the call failed. Long descriptions have crashed ' +
      'chargers, so towards them they are refused.',
    sentence: 'The error message is incomplete.',
    close: 1002,
  },

  // Rule 2: direction.
  DIRECTION_UNKNOWN_ACTION: {
    meaning: 'The negotiated version has no such action.',
    remedy: 'Check that charger and CSMS speak the version that they negotiated.',
    sentence: 'The action is not known in this version.',
    callError: 'NotImplemented',
  },
  DIRECTION_WRONG_SENDER: {
    meaning: 'The action exists, but this side may not send it.',
    remedy: checkThePeer,
    sentence: 'The action may not be sent by this side.',
    callError: 'NotSupported',
  },
  DIRECTION_WRONG_KIND: {
    meaning: 'A SEND of an action that is a CALL, or the reverse.',
    remedy: checkThePeer,
    sentence: 'The action may not be sent in this kind of message.',
    callError: 'NotSupported',
  },

  // Rule 3: message ids.
  MATCH_UNSOLICITED: {
    meaning: 'A reply to a call that was never passed on.',
    remedy: checkThePeer,
    sentence: 'The reply answers no call.',
  },
  MATCH_LATE: {
    meaning: 'A reply to a call whose deadline has passed, or that was answered before.',
    remedy: 'If it happens often, raise `queue.inFlightSeconds` or look at the slow side.',
    sentence: 'The reply comes too late.',
  },
  MATCH_STALE: {
    meaning: 'A reply to a call from before the charger connected again.',
    remedy: 'Nothing: its caller was told that the connection had ended.',
    sentence: 'The reply is from an earlier connection.',
  },
  MATCH_ID_IN_USE: {
    meaning: 'A call with the id of an open call, but with other bytes.',
    remedy: checkThePeer,
    // Never sent as a CallError: with that id, it would answer the open call.
    sentence: 'The message id is in use.',
  },
  MATCH_ID_REUSED: {
    meaning: 'A call with the id of a call answered shortly before, but with other bytes.',
    remedy: 'Some chargers count badly; from a CSMS it is suspicious.',
    sentence: 'The message id has been used.',
    callError: 'FormatViolation',
  },

  // Rule 4: payload.
  PAYLOAD_MISSING: {
    meaning: 'A required property is missing.',
    remedy: fixThePeer,
    sentence: 'A required property is missing.',
    callError: 'OccurrenceConstraintViolation',
  },
  PAYLOAD_EXTRA: {
    meaning: 'A property that the official schema does not know.',
    remedy: fixThePeer,
    sentence: 'There is an unknown property.',
    callError: 'FormatViolation',
  },
  PAYLOAD_TYPE: {
    meaning: 'A property has the wrong JSON type.',
    remedy: fixThePeer,
    sentence: 'A property has the wrong type.',
    callError: 'TypeConstraintViolation',
  },
  PAYLOAD_NULL: {
    meaning: 'An optional property is null instead of absent.',
    remedy: 'Harmless to most systems; from a charger it passes by default.',
    sentence: 'A property is null.',
    callError: 'TypeConstraintViolation',
  },
  PAYLOAD_OPAQUE_DATA: {
    meaning: 'DataTransfer carries structured data where OCPP 1.6 has a string.',
    remedy: 'Harmless: vendors do it on both sides.',
    sentence: 'The data is not a string.',
    callError: 'TypeConstraintViolation',
  },
  PAYLOAD_LENGTH: {
    meaning: 'A text is longer than the official limit.',
    remedy: fixThePeer,
    sentence: 'A property is too long.',
    callError: 'PropertyConstraintViolation',
  },
  PAYLOAD_VALUE: {
    meaning: 'A value that is not one of the allowed ones.',
    remedy: fixThePeer,
    sentence: 'A property has a value that is not allowed.',
    callError: 'PropertyConstraintViolation',
  },
  PAYLOAD_RANGE: {
    meaning: 'A number outside its range, or with too many decimals.',
    remedy: fixThePeer,
    sentence: 'A number is out of range.',
    callError: 'PropertyConstraintViolation',
  },
  PAYLOAD_DATE: {
    meaning: 'A date and time that is not RFC 3339, such as one without a time zone.',
    remedy: fixThePeer,
    sentence: 'A date and time is not acceptable.',
    callError: 'FormatViolation',
  },
  PAYLOAD_YEAR: {
    meaning: 'A date and time with a year of five digits or more, which has broken databases.',
    remedy: checkThePeer,
    sentence: 'A date and time is out of range.',
    callError: 'PropertyConstraintViolation',
  },
  PAYLOAD_COUNT: {
    meaning: 'A list with too few or too many elements.',
    remedy: fixThePeer,
    sentence: 'A list has the wrong number of elements.',
    callError: 'OccurrenceConstraintViolation',
  },
  PAYLOAD_FORMAT: {
    meaning: 'A text that does not have the form it must have, such as a URL.',
    remedy: fixThePeer,
    sentence: 'A property is malformed.',
    callError: 'FormatViolation',
  },

  // Rule 5: secure firmware.
  FIRMWARE_UNSIGNED: {
    meaning: 'A firmware update without signing certificate and signature.',
    remedy:
      'Use SignedUpdateFirmware (OCPP 1.6) or UpdateFirmware with signingCertificate and ' +
      'signature (OCPP 2.x). Chargers that cannot do that need an override of the rule ' +
      'secure-firmware.',
    sentence: 'Firmware updates must be signed.',
    callError: 'SecurityError',
  },

  // The queue and the gateway itself.
  QUEUE_FULL: {
    meaning: 'Too many calls wait for the other side.',
    remedy: 'Look at the slow side; raise `queue.callsMax` only if bursts are legitimate.',
    sentence: 'Too many calls are waiting.',
    callError: 'InternalError',
  },
  QUEUE_EXPIRED: {
    meaning: 'The call got no answer in time, or could not be passed on in time.',
    remedy: 'Look at the side that did not answer.',
    sentence: 'No answer came in time.',
    callError: 'InternalError',
  },
  REPLY_REFUSED: {
    meaning: 'The other side answered, but its answer broke a rule.',
    remedy: 'The record of the refused reply names the rule.',
    sentence: 'The answer was not acceptable.',
    callError: 'InternalError',
  },

  // Context: what this charger may do at this moment.
  BOOT_NOT_ACCEPTED: {
    meaning:
      'The CSMS has not accepted the charger, which may only send BootNotification and what it was ' +
      'asked for, and may not be told to start charging.',
    remedy:
      'See in the CSMS why the charger is not accepted: `gatewatt charger show` has its state.',
    sentence: 'The charging station has not been accepted.',
    callError: 'SecurityError',
  },
  TRANSACTION_FOREIGN: {
    meaning: 'The charger speaks of a transaction that another charger has started.',
    remedy:
      'Check the charger and its credentials. If the CSMS numbers transactions for each charger, or ' +
      'has begun to count anew, override `transaction-owner` with `monitor`.',
    sentence: 'The transaction belongs to another charging station.',
    callError: 'SecurityError',
  },
  TRANSACTION_AMBIGUOUS: {
    meaning:
      'The id of the transaction is a list, or a text such as 0x7 or 1e1: one CSMS reads it as this ' +
      'transaction, another one as that.',
    remedy: checkThePeer,
    sentence: 'The transaction id is not acceptable.',
    callError: 'TypeConstraintViolation',
  },
  TRANSACTION_UNCHECKED: {
    meaning:
      'The charger speaks of a transaction that the gateway has not seen start, and the database ' +
      'is away, so nobody knows whose it is.',
    remedy: 'Bring the database back.',
    sentence: 'The transaction cannot be checked at the moment.',
    callError: 'InternalError',
  },

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
      'Let it connect to a listener with its profile, or lower `--security-profile` of the charger.',
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
  CSMS_REFUSED: {
    meaning: 'The CSMS answered the upgrade with something else than 101.',
    remedy: 'Check that the CSMS knows this charger; the log has its HTTP status.',
    sentence: 'The management system refused the charging station.',
    http: 502,
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

/** A stable error code. */
export type ErrorCode = keyof typeof errors;

type CodesWith<Property extends string> = {
  [Code in ErrorCode]: (typeof errors)[Code] extends Readonly<Record<Property, unknown>>
    ? Code
    : never;
}[ErrorCode];

/** Codes that can answer a call. */
export type CallErrorCode = CodesWith<'callError'>;
/** Codes that can end a connection. */
export type CloseErrorCode = CodesWith<'close'>;
/** Codes that can refuse an upgrade. */
export type HttpErrorCode = CodesWith<'http'>;

/** Can `code` answer a call? */
export function isCallErrorCode(code: ErrorCode): code is CallErrorCode {
  return 'callError' in errors[code];
}

/** Can `code` end a connection? */
export function isCloseErrorCode(code: ErrorCode): code is CloseErrorCode {
  return 'close' in errors[code];
}
