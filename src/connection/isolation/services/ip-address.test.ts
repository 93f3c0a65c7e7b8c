import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BrokenInvariant } from '../../../lib/assert.ts';
import {
  addressBytes,
  ipv4Bytes,
  ipv4Mask,
  ipv4Number,
  ipv4Text,
  isHostAddress,
} from './ip-address.ts';

// Goal: an address in a packet is the one that was written in the configuration.
// Method: tables of spellings, and properties over addresses.

describe('addresses', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['0.0.0.0', '00000000'],
    ['192.168.101.1', 'c0a86501'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['fd00::', `fd${'0'.repeat(30)}`],
    ['2001:db8:0:1::2:3', '20010db8000000010000000000020003'],
    ['2001:DB8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
  ];
  for (const [text, hex] of cases) {
    test(`${text} has the bytes of RFC 4291`, () => {
      assert.equal(addressBytes(text)?.toString('hex'), hex);
    });
  }

  test('what is no address, or has a zone, has no bytes', () => {
    for (const text of ['', 'gateway', '1.2.3', '1.2.3.256', '1::2::3', 'fe80::1%eth0', '[::1]']) {
      assert.equal(addressBytes(text), undefined, text);
    }
    assert.throws(() => ipv4Number('::1'), BrokenInvariant);
  });

  test('text, number and bytes of an IPv4 address are the same address', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        assert.equal(ipv4Text(ipv4Number(text)), text);
        assert.deepEqual(addressBytes(text), ipv4Bytes(ipv4Number(text)));
      }),
    );
  });

  test('masks have as many bits as the prefix', () => {
    for (const [length, mask] of [
      [1, '128.0.0.0'],
      [8, '255.0.0.0'],
      [23, '255.255.254.0'],
      [24, '255.255.255.0'],
      [31, '255.255.255.254'],
      [32, '255.255.255.255'],
    ] as const) {
      assert.equal(ipv4Text(ipv4Mask(length)), mask);
    }
  });

  test('RFC 1122 3.2.1.3: first and last of a network are no hosts, but of two both are', () => {
    const isHost = (address: string, member: string, length: number): boolean =>
      isHostAddress(ipv4Number(address), ipv4Number(member), length);
    assert.equal(isHost('192.168.1.1', '192.168.1.200', 24), true);
    assert.equal(isHost('192.168.1.254', '192.168.1.200', 24), true);
    assert.equal(isHost('192.168.1.0', '192.168.1.200', 24), false);
    assert.equal(isHost('192.168.1.255', '192.168.1.200', 24), false);
    assert.equal(isHost('192.168.0.255', '192.168.1.200', 24), false);
    assert.equal(isHost('192.168.2.0', '192.168.1.200', 24), false);
    assert.equal(isHost('192.168.1.255', '192.168.0.1', 23), false);
    assert.equal(isHost('192.168.0.255', '192.168.0.1', 23), true);
    assert.equal(isHost('10.0.0.0', '10.0.0.1', 31), true);
    assert.equal(isHost('10.0.0.2', '10.0.0.1', 31), false);
    assert.equal(isHost('10.0.0.1', '10.0.0.1', 32), true);
  });
});
