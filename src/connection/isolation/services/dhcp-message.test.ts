import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readDhcpMessage } from './dhcp-message.ts';

// Goal: what a client sends is read in one way, or not at all.
// Method: a packet that is a message, changed in one place at a time; what is written is tested
// where answers are, in dhcp.test.ts.

const discover = [53, 1, 1];

/** A packet as RFC 2131 figure 1 has it. `header` has the bytes that are not as they should be. */
function packet(options: readonly number[], header: Readonly<Record<number, number>> = {}): Buffer {
  const bytes = Buffer.alloc(240);
  bytes.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 9, 0x80, 0, 192, 168, 7, 9]);
  bytes.set([2, 0, 0, 0, 0, 1], 28);
  bytes.set([99, 130, 83, 99], 236);
  for (const [at, byte] of Object.entries(header)) bytes[Number(at)] = byte;
  return Buffer.concat([bytes, Buffer.from(options)]);
}

describe('messages', () => {
  test('the fields and options of RFC 2131 section 2 are read', () => {
    const options = [61, 2, 0, 7, 50, 4, 1, 2, 3, 4, 54, 4, 255, 255, 255, 255];
    assert.deepEqual(readDhcpMessage(packet([...discover, ...options, 255])), {
      type: 'discover',
      transactionId: Buffer.from('deadbeef', 'hex'),
      flags: 0x8000,
      clientAddress: 0xc0a80709,
      hardwareAddress: Buffer.from(`020000000001${'00'.repeat(10)}`, 'hex'),
      clientIdentifier: Buffer.of(0, 7),
      requestedAddress: 0x01020304,
      serverIdentifier: 0xffffffff,
    });
  });

  test('RFC 2132 9.6: the types that clients send are known, and only these', () => {
    const known = new Map<number, string | undefined>();
    for (let type = 0; type < 256; type += 1) {
      const message = readDhcpMessage(packet([53, 1, type, 255]));
      if (message !== undefined) known.set(type, message.type);
    }
    assert.deepEqual(
      [...known],
      [
        [1, 'discover'],
        [3, 'request'],
        [4, 'decline'],
        [7, 'release'],
        [8, 'inform'],
      ],
    );
  });

  const zeros = (count: number): number[] => new Array<number>(count).fill(0);
  const same: Readonly<Record<string, readonly number[]>> = {
    'padding before, between and after': [0, 0, ...discover, 0, 255, 12],
    'options that are not read, also empty ones and twice': [12, 0, ...discover, 12, 1, 7, 255],
    'all of a frame': [...discover, 255, ...zeros(1228)],
    'overload: what it points to is not read': [...discover, 52, 1, 3, 255],
  };
  for (const [name, options] of Object.entries(same)) {
    test(`${name}: changes nothing`, () => {
      const plain = readDhcpMessage(packet([...discover, 255]));
      assert.notEqual(plain, undefined);
      assert.deepEqual(readDhcpMessage(packet(options)), plain);
    });
  }

  const none: Readonly<Record<string, Buffer>> = {
    'no bytes': Buffer.alloc(0),
    'an answer of a server': packet([...discover, 255], { 0: 2 }),
    'other hardware than Ethernet': packet([...discover, 255], { 1: 6 }),
    'a hardware address that is longer': packet([...discover, 255], { 2: 16 }),
    'a relay (giaddr)': packet([...discover, 255], { 27: 1 }),
    'another magic cookie': packet([...discover, 255], { 239: 0 }),
    'BOOTP, without a message type': packet([255]),
    'no options at all': packet([]),
    'a message type of two bytes': packet([53, 2, 1, 1, 255]),
    'an empty message type': packet([53, 0, 255]),
    'two message types': packet([...discover, ...discover, 255]),
    'options that are not ended': packet([...discover, 0, 0]),
    'an option without a length': packet([...discover, 12]),
    'an option that is cut off': packet([...discover, 12, 5, 1, 2, 255]),
    'an address of three bytes': packet([...discover, 50, 3, 1, 2, 3, 255]),
    'a server of five bytes': packet([...discover, 54, 5, 192, 168, 7, 1, 0, 255]),
    'an identifier of one byte': packet([...discover, 61, 1, 1, 255]),
    'more than a frame': packet([...discover, 255, ...zeros(1229)]),
  };
  for (const [name, bytes] of Object.entries(none)) {
    test(`${name}: no message`, () => assert.equal(readDhcpMessage(bytes), undefined));
  }
});
