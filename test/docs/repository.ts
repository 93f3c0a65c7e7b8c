import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** What is made from other files, or is not ours. */
const ignored: ReadonlySet<string> = new Set(['node_modules', '.git', 'dist', 'data']);

/** Every file of the repository, by its path from the root, in alphabetical order. */
export function repositoryFiles(): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.split(path.sep).some((part) => ignored.has(part)))
    .filter((file) => !file.endsWith('.log'))
    .sort();
}

/** The text of one file. */
export function textOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** Is there a file or folder at `file`? */
export function exists(file: string): boolean {
  return existsSync(path.join(root, file));
}

/** The Markdown pages of the repository. */
export function pages(): readonly string[] {
  return repositoryFiles().filter((file) => file.endsWith('.md'));
}

/** One fenced block of a page. */
export interface FencedBlock {
  /** What stands behind the fence: `sh`, or `yaml config`. */
  readonly info: string;
  readonly text: string;
}

/** The fenced blocks of a page. */
export function fencedBlocks(markdown: string): readonly FencedBlock[] {
  return [...markdown.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, info, text]) => ({
    info: (info ?? '').trim(),
    text: text ?? '',
  }));
}

/** A page without its fenced blocks. */
export function prose(markdown: string): string {
  return markdown.replace(/^```[^\n]*\n[\s\S]*?^```$/gm, '');
}

/** The rows of all tables of a page, without heads and rulers, each as its cells. */
export function tableRows(markdown: string): readonly (readonly string[])[] {
  const rows = markdown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
  const isRuler = (cells: readonly string[] | undefined): boolean =>
    cells?.every((cell) => /^-+$/.test(cell)) === true;
  return rows.filter((cells, index) => !isRuler(cells) && !isRuler(rows[index + 1]));
}
