import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import { isStoreError } from '../store/store-error.ts';
import { appendColumns } from './append-records.ts';
import { type AuditColumns, type AuditEntry, columnsOf } from './audit-entry.ts';
import { describeDefect } from './describe-defect.ts';
import { WriteBehind } from './write-behind.ts';

/** Whose log it is, and how much of it may wait for the database. */
export interface AuditLogOptions {
  /** The id of the gateway. */
  readonly chain: string;
  /** Records that may wait. */
  readonly recordsMax?: number;
  /** Bytes that they may have. */
  readonly bytesMax?: number;
}

/** Some minutes of a busy gateway. */
const recordsMaxDefault = 20_000;
const bytesMaxDefault = 32 * 1024 * 1024;

/** Records of one transaction. */
const recordsPerTransaction = 500;

/** What a record takes in memory beside its document, roughly. */
const recordBytes = 256;

/** Time between reports of a defect, in milliseconds. */
const tellEveryMs = 60_000;

type Item =
  | { readonly kind: 'record'; readonly columns: AuditColumns; readonly bytes: number }
  | { readonly kind: 'gap'; readonly atMs: number; count: number; readonly bytes: number };

/** The audit log of a running gateway. Nobody waits for it, unless with `settled`. */
export class AuditLog {
  readonly #store: Store;
  readonly #chain: string;
  readonly #clock: Clock;
  readonly #emit: EventSink;
  readonly #queue: WriteBehind<Item>;
  #toldAtMs = -Infinity;

  constructor(store: Store, options: AuditLogOptions, clock: Clock, emit: EventSink) {
    this.#store = store;
    this.#chain = options.chain;
    this.#clock = clock;
    this.#emit = emit;
    this.#queue = new WriteBehind<Item>(
      {
        write: (items) => this.#write(items),
        onFailure: (error) => this.#onFailure(error),
        itemsMax: options.recordsMax ?? recordsMaxDefault,
        bytesMax: options.bytesMax ?? bytesMaxDefault,
        batchMax: recordsPerTransaction,
      },
      clock,
    );
  }

  /** Never throws and never waits. The order of calls is the order of the records. */
  record(entry: AuditEntry): void {
    const columns = columnsOf(entry);
    const bytes = recordBytes + 2 * columns.document.length;
    if (this.#queue.push({ kind: 'record', columns, bytes })) return;
    const last = this.#queue.lastWaiting;
    if (last?.kind === 'gap') last.count += 1;
    else this.#queue.pushBeyond({ kind: 'gap', atMs: entry.atMs, count: 1, bytes: recordBytes });
  }

  /**
   * Resolves when what was recorded before is on disk, where a power failure does not reach it; or
   * when writing has failed, because the relay must not wait for a database that is away. The
   * records wait in memory then. Never rejects.
   */
  settled(): Promise<void> {
    return this.#queue.settled();
  }

  /** Tries once more to write what waits. What is recorded later is lost. Never rejects. */
  async close(): Promise<void> {
    await this.#queue.close();
    const { count } = this.#queue;
    if (count > 0) {
      const detail = `the gateway has stopped, and ${count} records are lost`;
      this.#emit({ name: 'AuditFailed', detail });
    }
  }

  /**
   * When the answer to a commit is lost, the records are written twice: the log would rather say
   * something twice than not at all.
   */
  async #write(items: readonly Item[]): Promise<void> {
    const columns = items.map((item) =>
      item.kind === 'record'
        ? item.columns
        : columnsOf({ atMs: item.atMs, event: 'AuditGap', fields: { count: item.count } }),
    );
    await this.#store.transactDurably((db) => appendColumns(db, this.#chain, columns));
    for (const item of items) {
      if (item.kind === 'gap') this.#emit({ name: 'AuditGap', count: item.count });
    }
  }

  /** A store that is away is told by whoever watches the store; a defect is told here. */
  #onFailure(error: unknown): void {
    if (isStoreError(error)) return;
    const nowMs = this.#clock.elapsedMs();
    if (nowMs - this.#toldAtMs < tellEveryMs) return;
    this.#toldAtMs = nowMs;
    this.#emit({ name: 'AuditFailed', detail: describeDefect(error) });
  }
}
