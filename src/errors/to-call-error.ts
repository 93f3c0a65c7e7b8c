import { spellErrorCode } from '../ocpp/error-codes.ts';
import type { CallError } from '../ocpp/message.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import { type CallErrorCode, errors } from './catalogue.ts';

/**
 * The CallError that tells a caller about `code`.
 *
 * It holds the fixed sentence and nothing else, so that neither the message nor the gateway's
 * inner life can leak through it.
 */
export function toCallError(code: CallErrorCode, id: string, version: OcppVersion): CallError {
  const entry = errors[code];
  return {
    kind: 'call-error',
    id,
    code: spellErrorCode(version, entry.callError),
    description: entry.sentence,
    details: {},
  };
}
