import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { sourceOf } from './source-of.ts';

// Goal: whoever can use many addresses is one source, and the same address is so in each spelling.
// Method: a table, then properties over addresses.

const network = fc.stringMatching(/^[a-z0-9-]{1,24}$/);

describe('sources', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    // Not mapped, though it ends like it.
    ['2001:db8::ffff:192.0.2.1', '2001:db8:0:0::/64'],
    ['192.168.1.5@bay-1', '192.168.1.5@bay-1'],
    ['::ffff:192.168.1.5@bay-1', '192.168.1.5@bay-1'],
    ['2001:db8:1:2::1@bay-1', '2001:db8:1:2::/64@bay-1'],
    ['2001:0DB8:1:2:ffff::@bay-1', '2001:db8:1:2::/64@bay-1'],
    ['fe80::1%eth0@bay-1', 'fe80:0:0:0::/64@bay-1'],
    [`192.168.1.5@${'n'.repeat(24)}`, `192.168.1.5@${'n'.repeat(24)}`],
  ];
  for (const [address, source] of cases) {
    test(`${address} is of ${source}`, () => assert.equal(sourceOf(address), source));
  }

  for (const address of [
    '',
    'x',
    'unknown',
    '256.0.0.1',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4 ',
    ':',
    ':::',
    'g::1',
    '1:2:3:4:5:6:7:8:9',
    '::1]/x?[',
    '::1/48',
    `::${'1'.repeat(100_000)}`,
    '@',
    '@bay-1',
    'unknown@bay-1',
    '1.2.3.4@',
    '1.2.3.4@Bay',
    '1.2.3.4@bay 1',
    '1.2.3.4@bay-1/64',
    '1.2.3.4@bay-1%eth0',
    '1.2.3.4@bay-1@bay-2',
    `1.2.3.4@${'n'.repeat(25)}`,
  ]) {
    test(`${JSON.stringify(address.slice(0, 30))} is no address`, () => {
      assert.equal(sourceOf(address), 'unknown');
    });
  }

  test('a source is its own source', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.option(network), (address, name) => {
        const source = sourceOf(name === null ? address : `${address}@${name}`);
        assert.notEqual(source, 'unknown');
        assert.equal(sourceOf(source), source);
      }),
    );
  });

  test('an address is another source in each isolated network, and outside of them', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), network, network, (address, one, other) => {
        const sources = [sourceOf(`${address}@${one}`), sourceOf(`${address}@${other}`)];
        assert.equal(sources[0] === sources[1], one === other);
        assert.equal(sources.includes(sourceOf(address)), false);
      }),
    );
  });

  test('two addresses are of one source exactly when their networks are the same', () => {
    const group = fc.integer({ min: 0, max: 3 });
    const address = fc.array(group, { minLength: 8, maxLength: 8 });
    const text = (groups: readonly number[]): string =>
      groups.map((number) => number.toString(16)).join(':');
    fc.assert(
      fc.property(address, address, (one, other) => {
        const isSame = text(one.slice(0, 4)) === text(other.slice(0, 4));
        assert.equal(sourceOf(text(one)) === sourceOf(text(other)), isSame);
      }),
    );
  });
});
