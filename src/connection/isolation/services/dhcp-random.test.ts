import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { manualClock } from '../../../../test/support/manual-clock.ts';
import { answerDhcp, type DhcpOptions } from './dhcp.ts';
import { DhcpLeases } from './dhcp-leases.ts';

// Goal: no bytes break the server, and no answer is larger than it may be, or leaves the network.
// Method: random bytes, messages with random fields and options, and such messages mutated; several
// to one server, since what it remembers matters.

const options: DhcpOptions = {
  serverAddress: '192.168.7.1',
  prefixLength: 24,
  from: '192.168.7.10',
  to: '192.168.7.11',
  leaseSeconds: 600,
  offersRouter: true,
  offersDns: true,
  offersNtp: true,
};

const address = fc
  .constantFrom('0.0.0.0', '192.168.7.10', '192.168.7.11', '192.168.7.99', '255.255.255.255')
  .map((text) => text.split('.').map(Number));
const option = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom([54, 4, 192, 168, 7, 1], [54, 4, 192, 168, 7, 2]) },
  { weight: 3, arbitrary: address.map((bytes) => [50, 4, ...bytes]) },
  fc
    .tuple(fc.constantFrom(12, 50, 52, 53, 54, 55, 61), fc.uint8Array({ maxLength: 255 }))
    .map(([code, value]) => [code, value.length, ...value]),
);
const message = fc
  .record({
    type: fc.constantFrom(1, 3, 4, 7, 8),
    ciaddr: address,
    client: fc.nat(2),
    options: fc.array(option, { maxLength: 3 }),
  })
  .map(({ type, ciaddr, client, options }) => {
    const header = Buffer.alloc(240);
    header.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
    header.set(ciaddr, 12);
    header.set([2, 0, 0, 0, 0, client], 28);
    header.set([99, 130, 83, 99], 236);
    return Buffer.concat([header, Buffer.from([53, 1, type, ...options.flat(), 255])]);
  });
const mutated = fc
  .tuple(message, fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 3 }), fc.nat(60))
  .map(([bytes, changes, cut]) => {
    for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
    return bytes.subarray(0, bytes.length - (cut > 30 ? 0 : cut));
  });
const noise = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));

test('no bytes break DHCP; an answer is small, and goes to the network or a host of it', () => {
  let answers = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(noise, message, mutated), { minLength: 4, maxLength: 12 }),
      (packets) => {
        const leases = new DhcpLeases(options, manualClock());
        for (const packet of packets) {
          const answer = answerDhcp(packet, leases, options);
          if (answer === undefined) continue;
          answers += 1;
          const { bytes, to } = answer;
          assert(bytes.length <= 548, 'RFC 2131 section 2');
          assert(bytes.length <= Math.max(300, packet.length + 48), 'amplification');
          assert.match(to, /^(?:broadcast|192\.168\.7\.(?!0$|1$|255$)\d+)$/);
          assert.deepEqual(bytes.subarray(4, 8), packet.subarray(4, 8));
          assert.equal(isEnded(bytes.subarray(240)), true);
        }
      },
    ),
    { numRuns: 1000 },
  );
  assert(answers > 400, 'the messages are good enough to be answered');
});

/** Do these options come to an end, with nothing but padding after it? */
function isEnded(bytes: Buffer): boolean {
  let at = 0;
  while (at < bytes.length && bytes[at] !== 255) at += 2 + (bytes[at + 1] ?? 0);
  return at < bytes.length && bytes.subarray(at + 1).every((byte) => byte === 0);
}
