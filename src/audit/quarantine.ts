import type { EventSink } from '../events/emit.ts';
import type { FrameFinding } from '../events/fields.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';
import { redactText } from '../ocpp/secrets.ts';
import type { Store } from '../store/store.ts';
import { isStoreError } from '../store/store-error.ts';
import type { RowOf } from '../store/tables.ts';
import { describeDefect } from './describe-defect.ts';
import { pruneQuarantineStep, type QuarantineRetention } from './prune.ts';
import { addToTotals, lockTotals } from './quarantine-totals.ts';
import { WriteBehind } from './write-behind.ts';

/** A refused message, and why it was refused. */
export interface QuarantinedFrame extends FrameFinding {
  readonly penalty: string;
  /** The message whole; secrets are taken out when it is kept. */
  readonly bytes: Uint8Array;
}

/** Keeps refused messages. */
export interface Quarantine {
  /** Never throws and never waits for the store. */
  keep(frame: QuarantinedFrame): void;
  /** Tries once more to write what waits. Never rejects. */
  close(): Promise<void>;
}

/** Whose refused messages they are, and how many are kept. */
export interface QuarantineOptions extends QuarantineRetention {
  readonly gatewayId: string;
}

/**
 * The quarantine in the store. Its size is bounded: whatever is written, the oldest messages make
 * room for it.
 */
export function openQuarantine(
  store: Store,
  options: QuarantineOptions,
  emit: EventSink,
  clock: Clock,
  random: Random,
): Quarantine {
  return new StoredQuarantine(store, options, emit, clock, frameIds(random));
}

/**
 * What one charger may put into the quarantine, in messages and in bytes: without a limit it could
 * push the evidence of what others did out of it.
 */
const messagesPerCharger = { burst: 200, perSecond: 1 };
const bytesPerCharger = { burst: 2 * 1024 * 1024, perSecond: 1024 };
const chargersMax = 10_000;

/** Messages and bytes that may wait for the store. Beyond them messages are refused unkept. */
const pendingMax = 10_000;
const pendingBytesMax = 8 * 1024 * 1024;

/** Messages of one transaction. */
const framesPerTransaction = 64;

/** Time between reports of what could not be kept, in milliseconds. */
const tellEveryMs = 60_000;

type FrameRow = RowOf<'quarantined_frame'>;

interface Item {
  readonly row: FrameRow;
  readonly bytes: number;
}

class StoredQuarantine implements Quarantine {
  readonly #store: Store;
  readonly #options: QuarantineOptions;
  readonly #emit: EventSink;
  readonly #clock: Clock;
  readonly #nextId: (atMs: number) => string;
  readonly #messages: TokenBuckets;
  readonly #bytes: TokenBuckets;
  readonly #queue: WriteBehind<Item>;
  #lost = 0;
  #toldAtMs = -Infinity;

  constructor(
    store: Store,
    options: QuarantineOptions,
    emit: EventSink,
    clock: Clock,
    nextId: (atMs: number) => string,
  ) {
    this.#store = store;
    this.#options = options;
    this.#emit = emit;
    this.#clock = clock;
    this.#nextId = nextId;
    this.#messages = new TokenBuckets(messagesPerCharger, chargersMax, clock);
    this.#bytes = new TokenBuckets(bytesPerCharger, chargersMax, clock);
    this.#queue = new WriteBehind<Item>(
      {
        write: (items) => this.#write(items.map(({ row }) => row)),
        // A store that is away is told by whoever watches the store.
        onFailure: (error) => {
          if (!isStoreError(error)) this.#tell(describeDefect(error));
        },
        itemsMax: pendingMax,
        bytesMax: pendingBytesMax,
        batchMax: framesPerTransaction,
      },
      clock,
    );
  }

  keep({ bytes, charger, ...finding }: QuarantinedFrame): void {
    // Spellings that differ in case are one charger.
    const identity_key = charger.toLowerCase();
    if (!this.#messages.take(identity_key)) return;
    // As JSON, because PostgreSQL keeps no U+0000 in a text, and a peer can send one.
    const frame = JSON.stringify(redactText(Buffer.from(bytes).toString('utf8')));
    const findingText = JSON.stringify(finding);
    const frame_bytes = Buffer.byteLength(frame);
    const itemBytes = frame_bytes + findingText.length;
    if (!this.#bytes.take(identity_key, itemBytes)) return;
    const at_ms = this.#clock.nowMs();
    const row = {
      id: this.#nextId(at_ms),
      at_ms,
      gateway_id: this.#options.gatewayId,
      identity_key,
      charger,
      finding: findingText,
      frame,
      frame_bytes,
    };
    if (this.#queue.push({ row, bytes: itemBytes })) return;
    this.#lost += 1;
    this.#tell('the store is slow or away');
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#lost += this.#queue.count;
    if (this.#lost === 0) return;
    this.#toldAtMs = -Infinity;
    this.#tell('the gateway has stopped');
  }

  async #write(rows: readonly FrameRow[]): Promise<void> {
    await this.#store.transact(async (db) => {
      await lockTotals(db);
      const written = await db
        .insertInto('quarantined_frame')
        .values(rows)
        // Written already, when the answer to an earlier commit was lost.
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('frame_bytes')
        .execute();
      await addToTotals(db, {
        frames: written.length,
        bytes: written.reduce((sum, { frame_bytes }) => sum + frame_bytes, 0),
      });
      await pruneQuarantineStep(db, this.#options);
    });
  }

  /** Once a minute is enough to know: a full disk must not fill the log as well. */
  #tell(reason: string): void {
    const nowMs = this.#clock.elapsedMs();
    if (nowMs - this.#toldAtMs < tellEveryMs) return;
    this.#toldAtMs = nowMs;
    const detail = this.#lost === 0 ? reason : `${reason}: messages not kept: ${this.#lost}`;
    this.#lost = 0;
    this.#emit({ name: 'QuarantineFailed', detail });
  }
}

/**
 * Makes ids that sort by time: milliseconds in base 36 (eight digits until 2059), and eight
 * hexadecimal digits. Within a millisecond the latter count on from a random start, as those of
 * ULIDs do, so that messages keep their order.
 */
function frameIds(random: Random): (atMs: number) => string {
  let lastMs = Number.NaN;
  let digits = 0;
  return (atMs) => {
    // Without its first bit, so that there is room to count on.
    if (atMs !== lastMs) digits = Number.parseInt(random.uuid().slice(0, 8), 16) >>> 1;
    else digits += 1;
    lastMs = atMs;
    return `${atMs.toString(36).padStart(8, '0')}-${digits.toString(16).padStart(8, '0')}`;
  };
}
