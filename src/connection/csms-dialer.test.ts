import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChargerId } from '../chargers/charger-id.ts';
import { urlFor } from './csms-dialer.ts';

// Goal: the identity is one segment behind the path of the CSMS, whatever characters it has.
// Method: a table.

const urls: readonly (readonly [base: string, identity: string, url: string])[] = [
  ['ws://csms', 'CP-1', 'ws://csms/CP-1'],
  ['ws://csms/', 'CP-1', 'ws://csms/CP-1'],
  ['wss://csms:9000/ocpp', 'CP-1', 'wss://csms:9000/ocpp/CP-1'],
  ['wss://csms/a/b/', 'CP-1', 'wss://csms/a/b/CP-1'],
  ['ws://[::1]:9000/ocpp', 'CP-1', 'ws://[::1]:9000/ocpp/CP-1'],
  ['ws://csms', 'RDAM|123', 'ws://csms/RDAM%7C123'],
  ['ws://csms', 'a?b#c d', 'ws://csms/a%3Fb%23c%20d'],
  ['ws://csms', 'a:b@c', 'ws://csms/a%3Ab%40c'],
  // encodeURIComponent leaves these alone, and a path may hold them.
  ['ws://csms', "a!b'(c)*~", "ws://csms/a!b'(c)*~"],
];

for (const [base, identity, url] of urls) {
  test(`C4: ${identity} at ${base} is ${url}`, () => {
    assert.equal(urlFor(base, identity as ChargerId), url);
  });
}
