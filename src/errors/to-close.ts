import { type CloseErrorCode, errors } from './catalogue.ts';

/** A WebSocket close: its code and its reason (at most 123 bytes, RFC 6455 section 5.5). */
export interface Close {
  readonly closeCode: number;
  readonly reason: string;
}

/** The close that tells a peer about `code`. */
export function toClose(code: CloseErrorCode): Close {
  const entry = errors[code];
  return { closeCode: entry.close, reason: entry.sentence };
}
