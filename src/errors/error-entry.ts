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
