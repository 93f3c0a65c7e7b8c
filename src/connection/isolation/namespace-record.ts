import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { namespaceFile } from './network.ts';

/**
 * What is noted of a namespace that was made here. It is written before the namespace is made, so
 * that whatever a crash leaves behind is known to be ours; and what is not noted is never touched.
 */
export interface NamespaceRecord {
  readonly namespace: string;
  /** The gateway that it belongs to. */
  readonly gateway: string;
  /** The interface that belongs into it. */
  readonly interface: string;
  /** The number of the namespace; undefined until it was made. */
  readonly inode: number | undefined;
}

/** Notes of namespaces, each in a file of its own. */
export class NamespaceRecords {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** All of them. Damaged ones are left out: what they spoke of is not touched any more. */
  async all(): Promise<readonly NamespaceRecord[]> {
    let files: readonly string[];
    try {
      files = await readdir(this.#directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const names = files
      .filter((file) => file.endsWith(suffix))
      .map((it) => it.slice(0, -suffix.length));
    const records = await Promise.all(names.map((name) => this.find(name)));
    return records.filter((record) => record !== undefined);
  }

  async find(namespace: string): Promise<NamespaceRecord | undefined> {
    let text: string;
    try {
      text = await readFile(this.#fileOf(namespace), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const record = parsed(text);
    return record?.namespace === namespace ? record : undefined;
  }

  async write(record: NamespaceRecord): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o755 });
    const file = this.#fileOf(record.namespace);
    await writeFile(`${file}.new`, `${JSON.stringify(record)}\n`, { mode: 0o644 });
    await rename(`${file}.new`, file);
  }

  async remove(namespace: string): Promise<void> {
    await rm(this.#fileOf(namespace), { force: true });
  }

  #fileOf(namespace: string): string {
    return path.join(this.#directory, `${namespace}${suffix}`);
  }
}

const suffix = '.json';

function parsed(text: string): NamespaceRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { namespace, gateway, interface: name, inode } = Object(value) as Record<string, unknown>;
  const isRecord =
    typeof namespace === 'string' &&
    typeof gateway === 'string' &&
    typeof name === 'string' &&
    (inode === undefined || typeof inode === 'number');
  return isRecord ? { namespace, gateway, interface: name, inode } : undefined;
}

/** The number of a namespace; undefined when there is none of that name. */
export async function inodeOf(namespace: string): Promise<number | undefined> {
  try {
    const { ino } = await stat(namespaceFile(namespace));
    return ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
