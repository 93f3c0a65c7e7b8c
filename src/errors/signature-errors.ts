import type { ErrorEntry } from './error-entry.ts';
import { checkThePeer } from './remedies.ts';

const forged =
  'Either the signer of the CSMS is set up wrongly, or somebody else speaks in its name: find out ' +
  'which before you relax anything.';

/** Rule 0: what is wrong with a message of the CSMS that must be signed. */
export const signatureErrors = {
  SIGNATURE_MISSING: {
    meaning: 'The CSMS must sign its messages, and this one is not signed.',
    remedy: forged,
    sentence: 'Messages must be signed.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_UNREADABLE: {
    meaning:
      'The signature is not a JWS that has one reading: its parts are not canonical base64url, its ' +
      'header is not strict JSON, or a member has the wrong type; the detail says which.',
    remedy: checkThePeer,
    sentence: 'The signature cannot be read.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_OVERSIZED: {
    meaning: 'The header or the signature is longer than any that the gateway accepts.',
    remedy: checkThePeer,
    sentence: 'The signature is too long.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_HEADER: {
    meaning:
      'The header of the signature holds what would let its sender choose the key or the meaning ' +
      'of the message: jwk, jku, x5u, x5c, crit, b64, zip, or anything unprotected.',
    remedy: checkThePeer,
    sentence: 'The header of the signature is not acceptable.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_ALGORITHM: {
    meaning: 'The algorithm is not allowed, or is not one of the key that the signature names.',
    remedy: 'Compare the algorithm of the signer with `csms.signing.algorithms`.',
    sentence: 'The algorithm of the signature is not acceptable.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_KEY_UNKNOWN: {
    meaning: 'No pinned key has the name that the signature gives, or it is not valid now.',
    remedy:
      'After a change of keys: pin the new one beside the old one, in `csms.signing.keysFile` or ' +
      '`csms.signing.certificateFiles`, before the signer uses it.',
    sentence: 'The key of the signature is not known.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_ALTERED: {
    meaning: 'The signature does not belong to this text: one of them was changed, or forged.',
    remedy: forged,
    sentence: 'The signature does not belong to the message.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_OTHER_MESSAGE: {
    meaning: 'The text was signed for a message with another id or of another type.',
    remedy: forged,
    sentence: 'The signature is for another message.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_OTHER_ACTION: {
    meaning: 'The text was signed for another action.',
    remedy: forged,
    sentence: 'The signature is for another action.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_OTHER_CHARGER: {
    meaning: 'The message was signed for another charger.',
    remedy: forged,
    sentence: 'The signature is for another charging station.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_STALE: {
    meaning: 'The message was signed too long ago, or does not say when.',
    remedy:
      'Compare the clocks of the signer and of the gateway. If messages wait on their way, raise ' +
      '`csms.signing.maxAgeSeconds`.',
    sentence: 'The signature is too old.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_FUTURE: {
    meaning: 'The message claims to have been signed later than now.',
    remedy: 'Compare the clocks of the signer and of the gateway.',
    sentence: 'The signature is not valid yet.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_REPLAYED: {
    meaning: 'The same signed message has come before, or does not say which one it is.',
    remedy: forged,
    sentence: 'The message has come before.',
    callError: 'SecurityError',
    close: 1008,
  },
  SIGNATURE_UNCHECKED: {
    meaning:
      'The store is away, and without it nobody knows whether this message has come before, in an ' +
      'earlier session of the charger.',
    remedy:
      'See to the store. Only commands that were signed around the beginning of a session are ' +
      'refused for this.',
    sentence: 'The message cannot be checked at the moment.',
    callError: 'SecurityError',
    close: 1008,
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
