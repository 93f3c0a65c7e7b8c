import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { repositoryFiles, tableRows, textOf } from './repository.ts';

// Goal: the repository stands by itself, on any machine.
// Method: read the package and every text file in it.
describe('the repository', () => {
  const packageJson = JSON.parse(textOf('package.json')) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };

  test('package.json names exact versions only', () => {
    const all = { ...packageJson.dependencies, ...packageJson.devDependencies };
    for (const [name, version] of Object.entries(all)) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
    }
  });

  test('docs/dependencies.md says of each dependency why it is worth its risk, and of no other', () => {
    const rows = tableRows(textOf('docs/dependencies.md'));
    const named = rows.map((cells) => cells[0]?.replaceAll('`', ''));
    const { dependencies, devDependencies } = packageJson;
    assert.deepEqual(named, [...Object.keys(dependencies), ...Object.keys(devDependencies)]);
    for (const cells of rows) assert.ok((cells.at(-1) ?? '').length > 20, cells[0]);
  });

  test('no text file names a folder of one machine, or a host that packages came from', () => {
    for (const file of repositoryFiles()) {
      const text = textOf(file);
      // A binary file is no text.
      if (text.includes('\u0000')) continue;
      const found = machinePath.exec(text) ?? packageHost.exec(text);
      assert.equal(found?.[0], undefined, file);
    }
  });
});

const machinePath = /(?<![\w.])\/(?:work|home|root|Users)\/\w+|[A-Z]:\\Users\\/;
const packageHost = /https?:\/\/[\w.-]*(?:registry|nexus|artifactory|verdaccio)[\w.-]*/i;
