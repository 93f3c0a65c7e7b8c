import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where the programs are that somebody runs. */
export interface Programs {
  /** Node.js. */
  readonly node: string;
  readonly main: string;
  /** `command-line-process.ts`. */
  readonly commandLine: string;
}

/**
 * What a user without privileges can run: the sources, or, where the folder that they are in is
 * closed to others, as that of a CI job may be, a copy in `folder`.
 */
export async function readableSources(folder: string, user: number): Promise<Programs> {
  const here = programsIn(root, process.execPath);
  const test = 'test -x "$1" && test -r "$2"';
  const ids = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
  const isReadable = await run('setpriv', [
    ...ids,
    'sh',
    '-c',
    test,
    'sh',
    here.node,
    here.main,
  ]).then(
    () => true,
    () => false,
  );
  if (isReadable) return here;
  const copy = path.join(folder, 'programs');
  const lock = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  const packages = Object.entries(lock.packages)
    .filter(([name, { dev }]) => name !== '' && dev !== true)
    .map(([name]) => name);
  const wanted = ['package.json', 'src', 'test/support', ...packages];
  for (const name of wanted) {
    await mkdir(path.join(copy, path.dirname(name)), { recursive: true });
    // A package within another one has come with it.
    await run('cp', ['-a', '--', path.join(root, name), path.join(copy, path.dirname(name))]);
  }
  await run('cp', ['-L', '--', process.execPath, path.join(copy, 'node')]);
  await run('chmod', ['-R', 'a+rX', copy]);
  return programsIn(copy, path.join(copy, 'node'));
}

function programsIn(folder: string, node: string): Programs {
  const at = (name: string): string => path.join(folder, name);
  const commandLine = at('test/support/command-line-process.ts');
  return { node, main: at('src/cmd/main.ts'), commandLine };
}
