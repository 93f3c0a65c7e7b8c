import { Worker } from 'node:worker_threads';
import type {
  SqliteAnswer,
  SqliteFault,
  SqliteRequest,
  SqliteResult,
  SqliteWorkerData,
} from './sqlite-protocol.ts';

/** An error of SQLite itself, or of its thread. */
export class SqliteError extends Error {
  readonly fault: SqliteFault;
  /** SQLite's extended result code; undefined when SQLite was not reached. */
  readonly errcode: number | undefined;

  constructor(fault: SqliteFault, message: string, errcode: number | undefined) {
    super(message);
    this.name = 'SqliteError';
    this.fault = fault;
    this.errcode = errcode;
  }
}

interface Waiting {
  resolve(result: SqliteResult): void;
  reject(error: SqliteError): void;
}

/** The published package holds JavaScript, a checkout holds TypeScript. */
const workerFile = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js';

/** The near end of the SQLite thread. */
export class SqliteThread {
  readonly #data: SqliteWorkerData;
  readonly #waiting = new Map<number, Waiting>();
  /** Undefined before `open`, after `close`, and when it has ended by itself. */
  #worker: Worker | undefined;
  #nextId = 0;
  #isClosed = false;

  constructor(data: SqliteWorkerData) {
    this.#data = data;
  }

  /**
   * Starts the thread and opens the file, unless that is done. Whoever shares the thread calls it
   * for one at a time.
   *
   * @throws SqliteError
   */
  async open(): Promise<void> {
    if (this.#worker !== undefined) return;
    if (this.#isClosed) throw threadEnded();
    const worker = new Worker(new URL(workerFile, import.meta.url), {
      workerData: this.#data,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#worker = worker;
    worker.on('message', (answer: SqliteAnswer) => this.#onAnswer(answer));
    worker.on('error', () => this.#onEnd(worker));
    worker.on('exit', () => this.#onEnd(worker));
    try {
      await this.#ask((id) => ({ do: 'open', id }));
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  /** @throws SqliteError */
  execute(sql: string, parameters: readonly unknown[]): Promise<SqliteResult> {
    return this.#ask((id) => ({ do: 'execute', id, sql, parameters }));
  }

  /** Closes the file and ends the thread, for good. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    try {
      await this.#ask((id) => ({ do: 'close', id }));
    } catch {
      // It ended by itself; the file is closed either way.
    }
    await worker.terminate();
    this.#onEnd(worker);
  }

  #ask(make: (id: number) => SqliteRequest): Promise<SqliteResult> {
    return new Promise((resolve, reject) => {
      const worker = this.#worker;
      if (worker === undefined) {
        reject(threadEnded());
        return;
      }
      this.#nextId += 1;
      const id = this.#nextId;
      // First, because it throws for what no thread can be told.
      worker.postMessage(make(id));
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
    });
  }

  #onAnswer({ id, result, error }: SqliteAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    // Only what is being waited for keeps the process alive.
    if (this.#waiting.size === 0) this.#worker?.unref();
    if (error !== undefined) {
      waiting?.reject(new SqliteError(error.fault, error.message, error.errcode));
    } else if (result !== undefined) {
      waiting?.resolve(result);
    }
  }

  #onEnd(worker: Worker): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(threadEnded());
    this.#waiting.clear();
  }
}

function threadEnded(): SqliteError {
  return new SqliteError('ended', 'the SQLite thread has ended', undefined);
}
