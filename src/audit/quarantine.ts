import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { FrameFinding } from '../events/catalogue.ts';
import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';
import { redactText } from '../ocpp/secrets.ts';

/** A refused message, and why it was refused. */
export interface QuarantinedFrame extends FrameFinding {
  readonly penalty: string;
  /** The message whole; secrets are taken out when it is written. */
  readonly bytes: Uint8Array;
}

/** Keeps refused messages. */
export interface Quarantine {
  /** Never throws and never waits for the disk. */
  keep(frame: QuarantinedFrame): void;
  /** Writes what is pending. */
  close(): Promise<void>;
}

/** Limits of a quarantine on disk. */
export interface QuarantineLimits {
  /** Bytes of one file. */
  readonly fileBytesMax: number;
  /** Files that are kept; the oldest goes first. */
  readonly filesMax: number;
}

/** Bytes that may wait for the disk. Beyond them messages are refused without being kept. */
const pendingBytesMax = 8 * 1024 * 1024;

/**
 * A quarantine of JSON Lines files in `directory`, which is made if it is missing.
 *
 * Its size is bounded: an attacker who sends rubbish for a month fills `filesMax` files.
 *
 * @throws the system's error when the directory cannot be made or read.
 */
export async function openQuarantine(
  directory: string,
  limits: QuarantineLimits,
  emit: EventSink,
  clock: Clock,
): Promise<Quarantine> {
  // Refused messages are evidence and may hold personal data: nobody else reads them.
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const existing = (await readdir(directory)).filter((name) => filePattern.test(name)).sort();
  return new FileQuarantine(directory, limits, emit, clock, existing);
}

/**
 * What one charger may put into the quarantine, in messages and in bytes: without a limit it could
 * push the evidence of what others did out of it.
 */
const messagesPerCharger = { burst: 200, perSecond: 1 };
const bytesPerCharger = { burst: 2 * 1024 * 1024, perSecond: 1024 };
const chargersMax = 10_000;

/** Time without writing after a failure, in milliseconds. */
const pauseAfterFailureMs = 60_000;

const filePattern = /^refused-\d{10}\.jsonl$/;

class FileQuarantine implements Quarantine {
  readonly #directory: string;
  readonly #limits: QuarantineLimits;
  readonly #emit: EventSink;
  readonly #clock: Clock;
  readonly #files: string[];
  #number: number;
  /** Files that are not written out yet, by name; the last one is `#stream`. */
  readonly #unwritten = new Map<string, WriteStream>();
  readonly #removals = new Set<Promise<void>>();
  #stream: WriteStream | undefined;
  #streamBytes = 0;
  readonly #messages: TokenBuckets;
  readonly #bytes: TokenBuckets;
  #toldSlowAtMs = -Infinity;
  #resumeAtMs = 0;

  constructor(
    directory: string,
    limits: QuarantineLimits,
    emit: EventSink,
    clock: Clock,
    files: readonly string[],
  ) {
    this.#directory = directory;
    this.#limits = limits;
    this.#emit = emit;
    this.#clock = clock;
    this.#files = [...files];
    this.#messages = new TokenBuckets(messagesPerCharger, chargersMax, clock);
    this.#bytes = new TokenBuckets(bytesPerCharger, chargersMax, clock);
    this.#number = Number(files.at(-1)?.slice(8, 18) ?? 0);
  }

  keep({ bytes, ...finding }: QuarantinedFrame): void {
    if (this.#clock.elapsedMs() < this.#resumeAtMs) return;
    // Spellings that differ in case are one charger.
    const source = finding.charger.toLowerCase();
    if (!this.#messages.take(source)) return;
    const frame = redactText(Buffer.from(bytes).toString('utf8'));
    const at = new Date(this.#clock.nowMs()).toISOString();
    const line = `${JSON.stringify({ at, ...finding, frame })}\n`;
    const lineBytes = Buffer.byteLength(line);
    if (!this.#bytes.take(source, lineBytes)) return;
    if (this.#pendingBytes() + lineBytes > pendingBytesMax) {
      this.#tellSlow();
      return;
    }
    this.#streamFor(lineBytes).write(line);
  }

  async close(): Promise<void> {
    this.#stream?.end();
    this.#stream = undefined;
    await Promise.all([...this.#unwritten.values()].map(closed));
    await Promise.all(this.#removals);
  }

  #pendingBytes(): number {
    let bytes = 0;
    for (const { writableLength } of this.#unwritten.values()) bytes += writableLength;
    return bytes;
  }

  #streamFor(lineBytes: number): WriteStream {
    const isFull = this.#streamBytes + lineBytes > this.#limits.fileBytesMax;
    if (this.#stream !== undefined && !isFull && !this.#stream.destroyed) {
      this.#streamBytes += lineBytes;
      return this.#stream;
    }
    this.#stream?.end();
    this.#number += 1;
    const name = `refused-${String(this.#number).padStart(10, '0')}.jsonl`;
    const stream = createWriteStream(path.join(this.#directory, name), {
      flags: 'a',
      mode: 0o600,
    });
    stream.on('error', (error: NodeJS.ErrnoException) => this.#fail(error.code ?? 'write failed'));
    stream.once('close', () => this.#unwritten.delete(name));
    this.#unwritten.set(name, stream);
    this.#stream = stream;
    this.#streamBytes = lineBytes;
    this.#files.push(name);
    this.#removeOldest();
    return stream;
  }

  #removeOldest(): void {
    while (this.#files.length > this.#limits.filesMax) {
      const oldest = this.#files.shift();
      if (oldest === undefined) return;
      const removal = this.#remove(oldest).finally(() => this.#removals.delete(removal));
      this.#removals.add(removal);
    }
  }

  async #remove(name: string): Promise<void> {
    const stream = this.#unwritten.get(name);
    // A file that is still to be made would come back after it was removed.
    if (stream !== undefined) await closed(stream);
    try {
      await rm(path.join(this.#directory, name), { force: true });
    } catch {
      this.#fail('an old file could not be removed');
    }
  }

  /** This message is lost, the next one may not be; once a minute is enough to know. */
  #tellSlow(): void {
    const nowMs = this.#clock.elapsedMs();
    if (nowMs - this.#toldSlowAtMs < pauseAfterFailureMs) return;
    this.#toldSlowAtMs = nowMs;
    this.#emit({ name: 'QuarantineFailed', detail: 'the disk is too slow' });
  }

  /** Then a pause: a full disk must not fill the log as well. */
  #fail(detail: string): void {
    this.#resumeAtMs = this.#clock.elapsedMs() + pauseAfterFailureMs;
    this.#emit({ name: 'QuarantineFailed', detail });
  }
}

/** Resolves when nothing more will happen to `stream`'s file. */
function closed(stream: WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
}
