import { connectionErrors } from './connection-errors.ts';
import { credentialErrors } from './credential-errors.ts';
import { messageErrors } from './message-errors.ts';
import { rampErrors } from './ramp-errors.ts';
import { signatureErrors } from './signature-errors.ts';

/** The catalogue: every error that a peer or an operator can meet. */
export const errors = {
  ...messageErrors,
  ...rampErrors,
  ...signatureErrors,
  ...connectionErrors,
  ...credentialErrors,
} as const;

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
