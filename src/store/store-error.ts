/** Why the store could not do what it was asked. */
export type StoreFailure =
  /** It does not answer, or cannot write: nothing is known. */
  | 'unavailable'
  /** Another gateway uses this SQLite file. */
  | 'in-use'
  /** A newer release made its tables. */
  | 'newer-schema';

/**
 * A lost resource, which never means "no": whoever needed an answer must refuse and say why.
 *
 * `message` is for operators and names no secret; the database's own error is the cause.
 */
export class StoreError extends Error {
  readonly failure: StoreFailure;

  constructor(failure: StoreFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.failure = failure;
  }
}

/** Is `error` a store that is away? */
export function isStoreError(error: unknown): error is StoreError {
  return error instanceof StoreError;
}
