import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openSqliteTestStore } from '../../support/stores.ts';
import { at } from './files.ts';
import { registryAtWork } from './registry-at-work.ts';

// Goal: a feeder that is misspelled does not silently count for nothing.
// Method: the real command beside configurations with feeders and without.

const rampLimit = { feeders: [{ name: 'north' }, { name: 'south' }] };
const remark = (name: string): string =>
  `rampLimit.feeders of the configuration has no feeder of that name: ${name}`;

describe('the feeder of a charger', () => {
  test('is stored as it was given, and a name that nobody describes is remarked on', async () => {
    await using work = await registryAtWork(openSqliteTestStore, {}, { rampLimit });
    const given = [
      ['add', 'CP-1', '--feeder', 'north'],
      ['set', 'CP-1', '--feeder', 'nroth'],
      ['set', 'CP-1', '--clear', 'feeder'],
      ['add', 'CP-2', '--feeder', 'North'],
    ];
    const said = [];
    for (const parameters of given) said.push(await work.charger(...parameters));
    assert.deepEqual(
      said.map(({ code, stderr }) => [code, stderr]),
      [
        [0, ''],
        [0, `${remark('nroth')}\n`],
        [0, ''],
        [0, `${remark('North')}\n`],
      ],
    );
  });

  test('in a file likewise, with its line', async () => {
    await using work = await registryAtWork(openSqliteTestStore, {}, { rampLimit });
    const file = await at(work, 'file.csv', 'identity,feeder\nA,south\nB,suoth\n');
    const imported = await work.charger('import', file);
    assert.equal(imported.code, 0);
    assert.match(imported.stderr, new RegExp(`^line 3: .*${remark('suoth')}\n$`));
    const strict = await work.charger('import', file, '--update', '--strict');
    assert.notEqual(strict.code, 0);
  });

  test('is nobody’s business before the grid is described', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const { stderr } = await work.charger('add', 'CP-1', '--feeder', 'north');
    assert.equal(stderr, '');
  });
});
