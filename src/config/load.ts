import { readFile, stat } from 'node:fs/promises';
import { type Document, isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { failed, ok, type Result } from '../lib/result.ts';
import { type Config, configSchema } from './schema/config.ts';

/** One mistake in a configuration file. */
export interface ConfigMistake {
  /** 1-based; undefined where the whole file is meant. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** Where, in dots and brackets: `listeners[0].address`. */
  readonly path: string;
  readonly message: string;
}

/** A configuration file is written by people; a larger one is not ours. */
const fileBytesMax = 16 * 1024 * 1024;

/** Reads and checks the configuration in `file`. All mistakes are reported, not just the first. */
export function loadConfig(file: string): Promise<Result<Config, readonly ConfigMistake[]>> {
  return loadYaml(file, configSchema);
}

/** Reads and checks a YAML file that `schema` describes. All mistakes are reported. */
export async function loadYaml<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
): Promise<Result<z.output<Schema>, readonly ConfigMistake[]>> {
  let text: string;
  try {
    if ((await stat(file)).size > fileBytesMax) return failed([wholeFile('is too large')]);
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return failed([wholeFile(`cannot be read (${code ?? 'unknown reason'})`)]);
  }
  return parseYaml(text, schema);
}

/** Checks the text of a configuration file. */
export function parseConfig(text: string): Result<Config, readonly ConfigMistake[]> {
  return parseYaml(text, configSchema);
}

function parseYaml<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
): Result<z.output<Schema>, readonly ConfigMistake[]> {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    strict: true,
    uniqueKeys: true,
    merge: false,
  });
  const at = (offset: number): { readonly line: number; readonly column: number } => {
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0) {
    return failed(
      document.errors.map(({ message, pos }) => ({ ...at(pos[0]), path: '', message })),
    );
  }
  let value: unknown;
  try {
    // Aliases are bounded: a small file must not become a large value.
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch {
    return failed([wholeFile('has too many aliases')]);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const mistakes: ConfigMistake[] = [];
  for (const issue of parsed.error.issues) {
    const paths =
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is not a known key' }))
        : [{ path: issue.path, message: plainMessage(issue.message) }];
    for (const { path, message } of paths) {
      const offset = offsetOf(document, path);
      const position = offset === undefined ? { line: undefined, column: undefined } : at(offset);
      mistakes.push({ ...position, path: pathText(path), message });
    }
  }
  return failed(mistakes.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)));
}

/** One line for people: `gatewatt.yaml:4:12 listeners[0].address must be host:port`. */
export function describeMistake(file: string, mistake: ConfigMistake): string {
  const { line, column, path, message } = mistake;
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  return path === '' ? `${place} ${message}` : `${place} ${path}: ${message}`;
}

function wholeFile(message: string): ConfigMistake {
  return { line: undefined, column: undefined, path: '', message };
}

/** Where `path` stands in the text, or the nearest of its parents that is there. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (isScalar(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    const node: unknown = document.getIn(path.slice(0, length), true);
    const range = (node as { readonly range?: readonly number[] } | undefined)?.range;
    if (range?.[0] !== undefined) return range[0];
  }
  return document.contents?.range?.[0];
}

/** zod speaks of `undefined`; a file has no such thing. */
function plainMessage(message: string): string {
  return message.endsWith('received undefined') ? 'is missing' : message;
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      return index === 0 ? String(part) : `.${String(part)}`;
    })
    .join('');
}
