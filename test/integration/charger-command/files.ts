import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RegistryAtWork } from './registry-at-work.ts';

/** Writes a file that nobody else can read, beside the configuration file. */
export async function at(
  work: RegistryAtWork,
  name: string,
  content: string | Buffer,
): Promise<string> {
  const file = path.join(work.directory, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content, { mode: 0o600 });
  return file;
}

/** `rows` as a file to be imported. */
export function written(rows: readonly object[], form: 'csv' | 'jsonl'): string {
  if (form === 'jsonl') return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = rows.map((row) => {
    const cells = new Map<string, string>(Object.entries(row));
    return columns.map((column) => quoted(cells.get(column) ?? '')).join(',');
  });
  return [columns.join(','), ...lines].map((line) => `${line}\r\n`).join('');
}
