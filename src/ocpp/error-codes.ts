import type { OcppVersion } from './version.ts';

/**
 * The error codes of CallError, by one name for all versions and the spelling of each.
 *
 * Versions disagree on two spellings, and 1.6 lacks two codes. Some chargers send a message for
 * ever when the answer is spelled in another version's way (field-proven), so spelling is a table.
 *
 * Source: OCPP-J 1.6 section 4.2.3; OCPP 2.0.1 and 2.1 part 4 section 4.3.
 */
const spellings = {
  NotImplemented: ['NotImplemented', 'NotImplemented'],
  NotSupported: ['NotSupported', 'NotSupported'],
  InternalError: ['InternalError', 'InternalError'],
  ProtocolError: ['ProtocolError', 'ProtocolError'],
  SecurityError: ['SecurityError', 'SecurityError'],
  FormatViolation: ['FormationViolation', 'FormatViolation'],
  PropertyConstraintViolation: ['PropertyConstraintViolation', 'PropertyConstraintViolation'],
  // The missing "r" is the specification's own, in 1.6.
  OccurrenceConstraintViolation: ['OccurenceConstraintViolation', 'OccurrenceConstraintViolation'],
  TypeConstraintViolation: ['TypeConstraintViolation', 'TypeConstraintViolation'],
  GenericError: ['GenericError', 'GenericError'],
  MessageTypeNotSupported: ['ProtocolError', 'MessageTypeNotSupported'],
  RpcFrameworkError: ['FormationViolation', 'RpcFrameworkError'],
} as const;

/** An OCPP error code, by its OCPP 2.x name. */
export type OcppErrorCode = keyof typeof spellings;

/** `code` as `version` spells it. */
export function spellErrorCode(version: OcppVersion, code: OcppErrorCode): string {
  const [in16, in2x] = spellings[code];
  return version === 'ocpp1.6' ? in16 : in2x;
}

const knownSpellings: ReadonlySet<string> = new Set(Object.values(spellings).flat());

/** Is `text` an error code in any version's spelling? Peers mix them, so all are accepted. */
export function isErrorCodeSpelling(text: string): boolean {
  return knownSpellings.has(text);
}
