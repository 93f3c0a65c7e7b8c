/** What the SQLite thread is started with. */
export interface SqliteWorkerData {
  readonly file: string;
  /** Locked for as long as the thread lives; undefined for those who only visit. */
  readonly lockFile: string | undefined;
}

/** What is asked of the SQLite thread. It answers in order. */
export type SqliteRequest =
  | { readonly do: 'open'; readonly id: number }
  | {
      readonly do: 'execute';
      readonly id: number;
      readonly sql: string;
      readonly parameters: readonly unknown[];
    }
  | { readonly do: 'close'; readonly id: number };

/** What a statement gave. */
export interface SqliteResult {
  readonly rows: readonly unknown[];
  readonly changes: number;
}

/** What failed: `lock` is another process that holds the gateway's lock. */
export type SqliteFault = 'lock' | 'ended' | 'statement';

/** What comes back; one of `result` and `error` is there. */
export interface SqliteAnswer {
  readonly id: number;
  readonly result?: SqliteResult;
  readonly error?: {
    readonly fault: SqliteFault;
    readonly message: string;
    /** SQLite's extended result code; undefined when SQLite was not reached. */
    readonly errcode: number | undefined;
  };
}
