import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inodeOf, type NamespaceRecord, NamespaceRecords } from './namespace-record.ts';

// Goal: what was made here is known again, also after a crash; and what is not known for sure counts
//   as not made here.
// Method: notes in a folder, whole ones and every kind of damaged one.

const record: NamespaceRecord = {
  namespace: 'gatewatt-bay-1',
  gateway: 'depot-7',
  interface: 'eth1',
  inode: 4_026_532_000,
};
const other: NamespaceRecord = { ...record, namespace: 'gatewatt-bay-2', inode: undefined };

describe('the notes of namespaces', () => {
  let folder: string;
  let directory: string;
  let records: NamespaceRecords;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatewatt-records-'));
    // As after a restart of the machine: nobody has made it.
    directory = path.join(folder, 'run', 'namespaces');
    records = new NamespaceRecords(directory);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  test('there are none at first, and none is no mistake', async () => {
    assert.deepEqual(await records.all(), []);
    assert.equal(await records.find(record.namespace), undefined);
    await records.remove(record.namespace);
  });

  test('one that was written is found, by whoever looks', async () => {
    await records.write(record);
    await records.write(other);
    const elsewhere = new NamespaceRecords(directory);
    assert.deepEqual(await elsewhere.find(record.namespace), record);
    assert.deepEqual(await elsewhere.find(other.namespace), other);
    const all = await elsewhere.all();
    assert.deepEqual(
      new Set(all.map(({ namespace }) => namespace)),
      new Set([record.namespace, other.namespace]),
    );
  });

  test('the next one takes its place, and half-written ones are none', async () => {
    await records.write({ ...other, inode: 7 });
    assert.equal((await records.find(other.namespace))?.inode, 7);
    await writeFile(path.join(directory, 'gatewatt-bay-3.json.new'), JSON.stringify(record));
    assert.equal((await records.all()).length, 2);
    await records.remove(other.namespace);
    assert.equal(await records.find(other.namespace), undefined);
    assert.deepEqual(await records.all(), [record]);
  });

  test('damaged ones are left out: what they spoke of is not touched', async () => {
    const file = path.join(directory, 'gatewatt-bay-9.json');
    const good = { ...record, namespace: 'gatewatt-bay-9' };
    const damaged: readonly unknown[] = [
      ...['', '{', 'null', '[]', '"text"'],
      JSON.stringify({ ...good, namespace: 9 }),
      JSON.stringify({ ...good, gateway: undefined }),
      JSON.stringify({ ...good, interface: ['eth1'] }),
      JSON.stringify({ ...good, inode: '7' }),
      JSON.stringify({ ...good, inode: null }),
      // Of another namespace, under this name.
      JSON.stringify(record),
    ];
    for (const text of damaged) {
      await writeFile(file, String(text));
      assert.equal(await records.find('gatewatt-bay-9'), undefined, String(text));
      assert.deepEqual(await records.all(), [record], String(text));
    }
    // The twin.
    await writeFile(file, JSON.stringify(good));
    assert.deepEqual(await records.find('gatewatt-bay-9'), good);
    await records.remove('gatewatt-bay-9');
    assert.equal((await readdir(directory)).includes('gatewatt-bay-9.json'), false);
  });

  test('a folder that cannot be read is not an empty one', async () => {
    const file = path.join(folder, 'no-folder');
    await writeFile(file, '');
    await assert.rejects(new NamespaceRecords(file).all(), { code: 'ENOTDIR' });
    await assert.rejects(new NamespaceRecords(file).find('x'), { code: 'ENOTDIR' });
  });

  test('a namespace that is not there has no number', async () => {
    assert.equal(await inodeOf('gatewatt-there-is-no-such-namespace'), undefined);
  });
});
