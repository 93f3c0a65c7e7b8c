import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Clock, Timer } from '../lib/clock.ts';
import { failed, ok, type Result } from '../lib/result.ts';

/** A file that is read as a whole. */
export interface WatchedFile {
  /** Absolute. */
  readonly path: string;
  /** A larger file is not read. */
  readonly bytesMax: number;
}

/** The texts of the files by path. */
export type FileTexts = ReadonlyMap<string, string>;

/** What is made of the files, and what is done about it. */
export interface WatchOptions<Value> {
  readonly files: readonly WatchedFile[];
  /**
   * Makes something of all files together. The failure is a text for people that names the file and
   * repeats nothing of it.
   */
  readonly parse: (texts: FileTexts) => Result<Value, string>;
  /** The files have changed, and this is what they say now. Not called for the first reading. */
  readonly onChanged: (value: Value) => void;
  /** The files have changed, but cannot be used; called once for each change. */
  readonly onFailed: (detail: string) => void;
  /** Called at each look, after the others. */
  readonly onLook: () => void;
}

/** Files that are read again when they change. */
export interface Watched<Value> {
  /** What is in force: the last that could be used. */
  current(): Value;
  close(): void;
}

/**
 * Time between two looks at the files. Looking, and not being told by the system: a link that is set
 * to another directory, as Kubernetes does with secrets, changes no file that could be watched.
 */
const lookMs = 5_000;

/**
 * Reads files, and from then on looks whether they have changed.
 *
 * @throws Error when they cannot be used at the start; its message names the file.
 */
export async function watchFiles<Value>(
  options: WatchOptions<Value>,
  clock: Clock,
): Promise<Watched<Value>> {
  const { files, parse } = options;
  const first = await readAll(files);
  const value = first.texts.ok ? parse(first.texts.value) : first.texts;
  if (!first.texts.ok || !value.ok) throw new Error(value.ok ? 'unreadable' : value.error);
  const watch = new FileWatch(options, clock, {
    state: first.state,
    texts: first.texts.value,
    value: value.value,
  });
  return { current: () => watch.inForce.value, close: () => watch.close() };
}

/** What was read, and what the files looked like just before. */
interface Reading<Value> {
  readonly state: string;
  readonly texts: FileTexts;
  readonly value: Value;
}

class FileWatch<Value> {
  inForce: Reading<Value>;
  /** The state that was judged last; undefined when it has to be read again in any case. */
  #judgedState: string | undefined;
  /** What was reported last, so that it is reported once. */
  #reported: string | undefined;
  #timer: Timer;
  #isClosed = false;
  readonly #options: WatchOptions<Value>;
  readonly #clock: Clock;

  constructor(options: WatchOptions<Value>, clock: Clock, first: Reading<Value>) {
    this.#options = options;
    this.#clock = clock;
    this.inForce = first;
    this.#judgedState = first.state;
    this.#timer = this.#nextLook();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer.cancel();
  }

  #nextLook(): Timer {
    return this.#clock.after(lookMs, () => {
      // `#look` fails in no way; the next look waits for it.
      void this.#look().then(() => {
        if (!this.#isClosed) this.#timer = this.#nextLook();
      });
    });
  }

  async #look(): Promise<void> {
    const state = await stateOf(this.#options.files);
    if (state !== this.#judgedState) await this.#read();
    if (!this.#isClosed) this.#options.onLook();
  }

  async #read(): Promise<void> {
    const { state, texts } = await readAll(this.#options.files);
    if (this.#isClosed) return;
    if (!texts.ok) {
      // It may be a passing want of the system: look again, whether or not the files change.
      this.#judgedState = undefined;
      this.#fail(state, texts.error);
      return;
    }
    this.#judgedState = state;
    if (isSame(texts.value, this.inForce.texts)) {
      this.#reported = undefined;
      return;
    }
    const value = this.#options.parse(texts.value);
    if (!value.ok) {
      this.#fail(state, value.error);
      return;
    }
    this.#reported = undefined;
    this.inForce = { state, texts: texts.value, value: value.value };
    this.#options.onChanged(value.value);
  }

  #fail(state: string, detail: string): void {
    const report = `${state} ${detail}`;
    if (this.#reported === report) return;
    this.#reported = report;
    this.#options.onFailed(detail);
  }
}

function isSame(some: FileTexts, others: FileTexts): boolean {
  return [...some].every(([path, text]) => others.get(path) === text);
}

/** Where the files are, how long, and when they were changed; what is not there is `none`. */
async function stateOf(files: readonly WatchedFile[]): Promise<string> {
  const states = await Promise.all(
    files.map(async ({ path }) => {
      try {
        const { ctimeNs, dev, ino, mtimeNs, size } = await stat(path, { bigint: true });
        return [dev, ino, size, mtimeNs, ctimeNs].join(':');
      } catch {
        return 'none';
      }
    }),
  );
  return states.join(' ');
}

/** All files. The state is from before: what is changed while they are read counts as a change. */
async function readAll(
  files: readonly WatchedFile[],
): Promise<{ readonly state: string; readonly texts: Result<FileTexts, string> }> {
  const state = await stateOf(files);
  const texts = new Map<string, string>();
  for (const file of files) {
    const text = await readBounded(file);
    if (!text.ok) return { state, texts: failed(`${file.path}: ${text.error}`) };
    texts.set(file.path, text.value);
  }
  return { state, texts: ok(texts) };
}

async function readBounded({ bytesMax, path }: WatchedFile): Promise<Result<string, string>> {
  let file: FileHandle | undefined;
  try {
    // A pipe would block whoever opens it.
    const { size, isFile } = await fileKind(path);
    if (!isFile) return failed('is not a file');
    if (size > bytesMax) return failed(`has more than ${bytesMax} bytes`);
    file = await open(path, 'r');
    const buffer = Buffer.alloc(bytesMax < size + 4096 ? bytesMax + 1 : size + 4096);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length === buffer.length) return failed('is being written');
    return ok(buffer.toString('utf8', 0, length));
  } catch (error) {
    return failed(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  } finally {
    await file?.close();
  }
}

async function fileKind(
  path: string,
): Promise<{ readonly size: number; readonly isFile: boolean }> {
  const found = await stat(path);
  return { size: found.size, isFile: found.isFile() };
}
