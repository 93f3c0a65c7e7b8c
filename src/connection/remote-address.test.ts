import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readEnds, remoteAddressOf } from './remote-address.ts';

// Goal: a peer is named with its network, and one that has no name ends nothing.
// Method: sockets as Node.js shows them.

/** What Node.js makes of a link-local address when its interface is in another namespace. */
const nameless = {
  get remoteAddress(): string {
    throw Object.assign(new Error('uv_if_indextoiid'), { code: 'ENXIO' });
  },
};

describe('the address of a peer', () => {
  test('is the one of the socket, and has the isolated network behind it', () => {
    const socket = { remoteAddress: '192.168.1.5' };
    assert.equal(remoteAddressOf(socket, undefined), '192.168.1.5');
    assert.equal(remoteAddressOf(socket, 'bay-1'), '192.168.1.5@bay-1');
  });

  test('is unknown when the peer has gone', () => {
    assert.equal(remoteAddressOf({}, undefined), 'unknown');
    assert.equal(remoteAddressOf({ remoteAddress: undefined }, 'bay-1'), 'unknown@bay-1');
    assert.deepEqual(Object.values(readEnds({}) ?? {}), [undefined, undefined, undefined]);
  });

  test('is unknown when it has no name here, and nothing is thrown', () => {
    assert.equal(remoteAddressOf(nameless, 'bay-1'), 'unknown@bay-1');
    assert.equal(readEnds(nameless), undefined);
  });
});
