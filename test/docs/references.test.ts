import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { exists, pages, prose, repositoryFiles, tableRows, textOf } from './repository.ts';

// Goal: what a page or a comment refers to is there.
// Method: follow every link, every row of the conformance table and every docs/ path in the code.
describe('references', () => {
  test('every relative link in a page leads to a file, and its anchor to a heading', () => {
    for (const file of pages()) {
      for (const [, target] of prose(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (target === undefined || /^[a-z]+:/.test(target)) continue;
        const [place = '', anchor] = target.split('#');
        const linked = place === '' ? file : path.join(path.dirname(file), place);
        assert.ok(exists(linked), `${file} links to ${target}`);
        if (anchor === undefined || !linked.endsWith('.md')) continue;
        assert.ok(anchorsOf(linked).has(anchor), `${file} links to ${target}`);
      }
    }
  });

  test('every page that the code names exists', () => {
    for (const file of codeFiles()) {
      for (const [name] of textOf(file).matchAll(/\bdocs\/[\w./-]+\.(?:md|json)\b/g)) {
        assert.ok(exists(name), `${file} names ${name}`);
      }
    }
  });

  test('every place in docs/divergences.md that the code names is there', () => {
    const page = textOf('docs/divergences.md');
    const first = new Set(tableRows(page).map((cells) => cells[0]));
    for (const file of codeFiles().filter((it) => it.startsWith('src/'))) {
      for (const [, ids = ''] of textOf(file).matchAll(/docs\/divergences\.md, ([CRP\d and]+)/g)) {
        for (const id of ids.match(/[CRP]\d+/g) ?? []) {
          assert.ok(first.has(id), `${file} names ${id}`);
        }
      }
      for (const [, title] of textOf(file).matchAll(/docs\/divergences\.md, "([^"]+)"/g)) {
        assert.match(page, new RegExp(`^## ${title}$`, 'm'), `${file} names ${title}`);
      }
    }
  });

  test('every id that the name of a test begins with is explained', () => {
    const quirks = new Set(tableRows(textOf('docs/divergences.md')).map((cells) => cells[0]));
    const attacks = new Set(tableRows(textOf('docs/threat-model.md')).map((cells) => cells[0]));
    for (const file of codeFiles().filter((it) => it.endsWith('.test.ts'))) {
      const names = textOf(file).matchAll(/\b(?:test|describe)\(\s*['"`]([^'"`]*)/g);
      for (const [, name = ''] of names) {
        const ids = /^(?:\$\{\w+\}: )?((?:[CRPD]\d+|T\d-\d+)(?:, (?:[CRPD]\d+|T\d-\d+))*): /.exec(
          name,
        );
        for (const id of (ids?.[1] ?? '').split(', ').filter((it) => it !== '')) {
          assert.ok(quirks.has(id) || attacks.has(id), `${file}: ${id} in "${name}"`);
        }
      }
    }
  });

  test('every row of docs/conformance.md names a file and a test that exist, and a status', () => {
    const rows = tableRows(textOf('docs/conformance.md')).filter((cells) => cells.length === 4);
    assert.ok(rows.length >= 30, 'the table is there');
    for (const [requirement = '', files = '', tests = '', status = ''] of rows) {
      assert.match(status, /^(?:met|partly|not yet)$/, requirement);
      for (const [, file = ''] of files.matchAll(/`([^`]+)`/g)) {
        assert.ok(exists(file), `${requirement}: ${file}`);
      }
      if (status === 'not yet') continue;
      assert.match(files, /`/, `${requirement}: no file`);
      assert.match(tests, /`/, `${requirement}: no test`);
      assertTestsExist(tests, requirement);
    }
  });

  test('every test that another page names exists', () => {
    for (const file of ['docs/threat-model.md', 'docs/divergences.md', 'SECURITY.md']) {
      for (const cells of tableRows(textOf(file))) {
        for (const cell of cells.filter((it) => /`[^`]+\.test\.ts`: "/.test(it))) {
          assertTestsExist(cell, file);
        }
      }
    }
  });
});

/** `cell` holds references such as `test/a.test.ts`: "one name", "another". */
function assertTestsExist(cell: string, what: string): void {
  for (const [, file = '', names = ''] of cell.matchAll(/`([^`]+)`((?:[:,] "[^"]+")*)/g)) {
    assert.ok(exists(file), `${what}: ${file}`);
    const text = textOf(file);
    for (const [, name = ''] of names.matchAll(/"([^"]+)"/g)) {
      assert.ok(text.includes(name), `${what}: ${file} has no "${name}"`);
    }
  }
}

function codeFiles(): readonly string[] {
  return repositoryFiles().filter((file) => /\.(?:ts|mjs)$/.test(file));
}

function anchorsOf(file: string): ReadonlySet<string> {
  const headings = [...prose(textOf(file)).matchAll(/^#{1,6} (.+)$/gm)];
  return new Set(
    headings.map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
