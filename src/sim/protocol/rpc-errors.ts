import { type OcppErrorCode, spellErrorCode } from '../../ocpp/error-codes.ts';
import type { JsonObject } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';

/**
 * A call was refused with a CallError: by the peer (`RpcPeer.call` rejects with it), or by us (a
 * handler returns or throws it). `code` is spelled as it is on the wire.
 */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly code: string;
  readonly description: string;
  readonly details: JsonObject;

  constructor(code: string, description = '', details: JsonObject = {}) {
    super(description === '' ? code : `${code}: ${description}`);
    this.code = code;
    this.description = description;
    this.details = details;
  }
}

/** No answer came within the call's deadline. */
export class CallTimedOut extends Error {
  override readonly name = 'CallTimedOut';
}

/** There is no connection, or it ended before the answer came. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** More calls wait than the queue holds. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/** A refusal with `code` in the spelling of `version`. */
export function refusal(
  version: OcppVersion,
  code: OcppErrorCode,
  description: string,
): CallRefused {
  return new CallRefused(spellErrorCode(version, code), description);
}
