import type { ErrorEntry } from './error-entry.ts';
import { checkThePeer, fixThePeer } from './remedies.ts';

/** What can be wrong with a message, and what can become of a call. */
export const messageErrors = {
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

  CREDENTIAL_CHANGE: {
    meaning:
      'The CSMS wants to change a credential of the charger that the gateway answers for, or one ' +
      'that it cannot keep track of.',
    remedy:
      'Change passwords with `gatewatt charger rotate`. Where the CSMS is to do it, set ' +
      '`csms.auth` to `forward`.',
    sentence: 'Credentials of this charging station are not changed this way.',
    callError: 'SecurityError',
  },
  SECURITY_PROFILE_LOWERED: {
    meaning: 'The CSMS wants the charger to use a lower security profile than it has used.',
    remedy: checkThePeer,
    sentence: 'The security profile must not be lowered.',
    callError: 'SecurityError',
  },
  CERTIFICATE_OPERATION_INSECURE: {
    meaning: 'Certificates are handled over a connection without TLS.',
    remedy: 'Let the charger connect to a listener with security profile 2 or 3.',
    sentence: 'Certificates are not handled without TLS.',
    callError: 'SecurityError',
  },
  CERTIFICATE_IN_USE: {
    meaning: 'The CSMS wants the charger to delete the certificate that it authenticates with.',
    remedy: checkThePeer,
    sentence: 'The certificate is in use.',
    callError: 'SecurityError',
  },
  CERTIFICATE_REQUEST_UNACCEPTABLE: {
    meaning:
      'A signing request with a bad signature, a weak key, or the name of another charger; the ' +
      'detail says which.',
    remedy: checkThePeer,
    sentence: 'The certificate signing request is not acceptable.',
    callError: 'SecurityError',
  },
  CERTIFICATE_REQUEST_TOO_OFTEN: {
    meaning: 'The charger sends signing requests faster than anybody needs certificates.',
    remedy: fixThePeer,
    sentence: 'Too many certificate signing requests.',
    callError: 'SecurityError',
  },
  CERTIFICATE_UNREQUESTED: {
    meaning:
      'The CSMS sends a certificate that does not belong to the last signing request of the ' +
      'charger, or that a charger cannot use; the detail says which.',
    remedy: checkThePeer,
    sentence: 'The certificate does not match the request.',
    callError: 'SecurityError',
  },
  RESTRICTED: {
    meaning:
      'The charger has connected with a credential that only serves to get a better one: a ' +
      'default password, or a certificate that has expired. Only what leads there is passed on.',
    remedy: 'See `gatewatt charger show` for why it has not got a better one yet.',
    sentence: 'The charging station has not been commissioned.',
    callError: 'SecurityError',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
