import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { root, tableRows, textOf } from '../docs/repository.ts';

// Goal: the checks on imports catch what they are there to catch; a check that sees nothing is
// worse than none.
// Method: a small tree with planted mistakes, beside files that keep the rules, and the same
// configuration and tool as `npm run test:imports`.
describe('dependency-cruiser', () => {
  const tree = mkdtempSync(path.join(tmpdir(), 'gatewatt-imports-'));
  after(() => rmSync(tree, { recursive: true, force: true }));
  const planted: Readonly<Record<string, string>> = {
    'src/cmd/main.ts': "import '../gateway/gateway.ts';\nimport '../rules/socket.ts';\n",
    'src/gateway/gateway.ts': "import '../lib/upwards.ts';\nexport const gateway = 1;\n",
    'src/lib/upwards.ts': "import { gateway } from '../gateway/gateway.ts';\nexport { gateway };\n",
    'src/lib/plain.ts': 'export const plain = 1;\n',
    'src/rules/socket.ts': "import net from 'node:net';\nexport const socket = net.isIP('');\n",
    'src/rules/keeps-the-rules.ts':
      "import { plain } from '../lib/plain.ts';\nexport const kept = plain;\n",
    'src/audit/program.ts':
      "import { spawn } from 'node:child_process';\nexport const start = spawn;\n",
    'src/novelty/thing.ts': "import { plain } from '../lib/plain.ts';\nexport const x = plain;\n",
    'src/queue/command.ts': "import '../cmd/main.ts';\n",
    'src/connection/development.ts': "import fc from 'fast-check';\nexport const check = fc;\n",
    'src/events/lost.ts': "import '../nowhere/at-all.ts';\n",
    'src/config/alone.ts': 'export const alone = 1;\n',
  };
  for (const [file, text] of Object.entries(planted)) {
    mkdirSync(path.join(tree, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(tree, file), text);
  }
  for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.mjs']) {
    cpSync(path.join(root, file), path.join(tree, file));
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
  const found = violationsIn(tree);

  const expected: readonly (readonly [mistake: string, rule: string, file: string])[] = [
    ['a rule that opens a socket', 'pure-folders-do-no-io', 'src/rules/socket.ts'],
    ['a socket outside the few folders', 'few-folders-open-sockets', 'src/rules/socket.ts'],
    ['a folder that leans on a higher one', 'lib-leans-only-on-its-row', 'src/lib/upwards.ts'],
    ['a new folder without a row', 'every-folder-has-a-row', 'src/novelty/thing.ts'],
    ['a circle', 'no-cycles', 'src/gateway/gateway.ts'],
    ['starting another program', 'one-folder-starts-programs', 'src/audit/program.ts'],
    ['importing the command line', 'nothing-imports-cmd', 'src/queue/command.ts'],
    [
      'a development dependency at run time',
      'no-development-dependency-at-run-time',
      'src/connection/development.ts',
    ],
    ['an import that leads nowhere', 'everything-resolves', 'src/events/lost.ts'],
    ['a file that nothing reaches', 'no-file-that-nothing-reaches', 'src/config/alone.ts'],
  ];
  for (const [mistake, rule, file] of expected) {
    test(`catches ${mistake}`, () => {
      assert.ok(
        found.some((violation) => violation.rule === rule && violation.from === file),
        JSON.stringify(found, undefined, 1),
      );
    });
  }

  test('says nothing of files that keep the rules', () => {
    const blamed = found.map(({ from }) => from);
    assert.ok(!blamed.includes('src/rules/keeps-the-rules.ts'));
    assert.ok(!blamed.includes('src/lib/plain.ts'));
  });
});

describe('ARCHITECTURE.md', () => {
  test('has the same table of imports as .dependency-cruiser.mjs', async () => {
    const shown = new Map(
      tableRows(sectionOf('Who may import whom')).map(([folder = '', may = '']) => [
        folder.replaceAll('`', ''),
        may === 'nothing' ? [] : may.split(', '),
      ]),
    );
    assert.deepEqual(shown, await importTable());
  });
});

interface Violation {
  readonly rule: string;
  readonly from: string;
}

function violationsIn(tree: string): readonly Violation[] {
  const tool = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = ['--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'src'];
  const { stdout } = spawnSync(process.execPath, [tool, ...args], {
    cwd: tree,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const { summary } = JSON.parse(stdout) as {
    readonly summary: {
      readonly violations: readonly {
        readonly from: string;
        readonly rule: { readonly name: string };
      }[];
    };
  };
  return summary.violations.map(({ from, rule }) => ({ from, rule: rule.name }));
}

/** The table in the configuration, read back from the rules that are made of it. */
async function importTable(): Promise<ReadonlyMap<string, readonly string[]>> {
  const file = new URL('../../.dependency-cruiser.mjs', import.meta.url);
  const { default: configuration } = (await import(file.href)) as {
    readonly default: {
      readonly forbidden: readonly {
        readonly name: string;
        readonly to: { readonly pathNot?: readonly string[] };
      }[];
    };
  };
  const table = new Map<string, readonly string[]>();
  for (const { name, to } of configuration.forbidden) {
    const folder = /^(.+)-leans-only-on-its-row$/.exec(name)?.[1];
    if (folder === undefined) continue;
    const allowed = /\(\?:(.*)\)/.exec(to.pathNot?.[0] ?? '')?.[1]?.split('|') ?? [];
    table.set(
      folder,
      allowed.filter((it) => it !== folder),
    );
  }
  assert.notEqual(table.size, 0);
  return table;
}

function sectionOf(title: string): string {
  const text = textOf('ARCHITECTURE.md');
  const start = text.indexOf(`\n## ${title}\n`);
  assert.notEqual(start, -1, `ARCHITECTURE.md has no "${title}"`);
  const end = text.indexOf('\n## ', start + 4);
  return text.slice(start, end === -1 ? undefined : end);
}
