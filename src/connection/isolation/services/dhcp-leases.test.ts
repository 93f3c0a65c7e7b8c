import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { manualClock } from '../../../../test/support/manual-clock.ts';
import { BrokenInvariant } from '../../../lib/assert.ts';
import { DhcpLeases } from './dhcp-leases.ts';
import { ipv4Number } from './ip-address.ts';

// Goal: no address has two holders, a lease is kept against any flood, and the memory is bounded.
// Method: a small range and a clock that stands still; then random histories against a model that
// knows nothing but who was told that he has a lease.

const range = {
  serverAddress: '192.168.7.1',
  prefixLength: 24,
  from: '192.168.7.10',
  to: '192.168.7.13',
};
const [first, second, third, fourth] = [10, 11, 12, 13].map((last) =>
  ipv4Number(`192.168.7.${last}`),
);
assert(first !== undefined && second !== undefined && third !== undefined && fourth !== undefined);
const fresh = { leaseSeconds: 600, isInUse: false };
const inUse = { leaseSeconds: 600, isInUse: true };

function start(changes: Partial<typeof range> = {}) {
  const clock = manualClock();
  const leases = new DhcpLeases({ ...range, ...changes }, clock);
  /** Gives `client` a lease of an address that is free. */
  const lease = (client: string): number => {
    const address = leases.offer(client, undefined);
    assert(address !== undefined);
    assert.equal(leases.acknowledge(client, address, fresh), true);
    return address;
  };
  return { clock, leases, lease };
}

describe('offers', () => {
  test('a client gets one address, however often it asks', () => {
    const { leases } = start();
    assert.deepEqual(
      ['a', 'a', 'b', 'a'].map((client) => leases.offer(client, undefined)),
      [first, first, second, first],
    );
  });

  test('a client gets the address that it wishes, if that is of the range and free', () => {
    const { leases, lease } = start();
    assert.equal(leases.offer('a', third), third);
    assert.equal(leases.offer('b', third), first, 'offered to another');
    assert.equal(leases.offer('c', ipv4Number('192.168.7.9')), second, 'not of the range');
    assert.equal(lease('a'), third);
    assert.equal(leases.offer('a', fourth), third, 'its own comes before its wish');
  });

  test('an address whose lease has ended is not given to a wish: its owner may come back', () => {
    const { clock, leases, lease } = start();
    assert.equal(lease('a'), first);
    clock.advance(600_000);
    assert.equal(leases.offer('b', first), second);
    assert.equal(leases.offer('a', undefined), first);
  });

  test('neither the gateway nor the ends of the network are given away', () => {
    const { leases } = start({ prefixLength: 30, from: '192.168.7.0', to: '192.168.7.3' });
    assert.equal(leases.offer('a', ipv4Number('192.168.7.0')), ipv4Number('192.168.7.2'));
    assert.equal(leases.offer('b', ipv4Number('192.168.7.1')), undefined);
    assert.equal(leases.acknowledge('b', ipv4Number('192.168.7.3'), inUse), false);
  });

  test('a flood of invented clients takes no leased address, and what it takes comes back', () => {
    const { clock, leases, lease } = start();
    const charger = lease('charger');
    for (let each = 0; each < 1000; each += 1) leases.offer(`invented ${each}`, charger);
    assert.equal(leases.offer('late', undefined), undefined);
    assert.equal(leases.acknowledge('charger', charger, inUse), true);
    clock.advance(9_999);
    assert.equal(leases.offer('late', undefined), undefined);
    clock.advance(1);
    assert.equal(leases.offer('late', undefined), second);
    assert.equal(leases.offer('charger', undefined), charger);
  });

  test('leases that have ended are used again, the oldest first, when none is unused', () => {
    const { clock, leases, lease } = start();
    for (const client of ['a', 'b', 'c', 'd']) lease(client);
    clock.advance(1000);
    assert.equal(leases.acknowledge('a', first, inUse), true);
    leases.release('c', third);
    clock.advance(599_999);
    assert.equal(leases.offer('e', undefined), third, 'released, so it ended first');
    assert.equal(leases.offer('f', undefined), second);
    assert.equal(leases.offer('g', undefined), fourth);
    assert.equal(leases.offer('h', undefined), undefined, 'a has renewed');
    clock.advance(1);
    assert.equal(leases.offer('h', undefined), first);
    assert.equal(leases.offer('a', undefined), undefined, 'forgotten');
  });

  test('an offer to a client whose lease has ended leaves it remembered', () => {
    const { clock, leases, lease } = start();
    lease('a');
    clock.advance(600_000);
    assert.equal(leases.offer('a', undefined), first);
    clock.advance(10_000);
    assert.equal(leases.offer('b', undefined), second);
  });

  test('what is withdrawn is free at once; a lease is not withdrawn', () => {
    const { leases, lease } = start();
    leases.offer('a', undefined);
    leases.withdraw('a');
    assert.equal(lease('b'), first);
    leases.withdraw('b');
    leases.withdraw('nobody');
    assert.equal(leases.offer('c', undefined), second);
  });
});

describe('acknowledgements', () => {
  test('a client gets what it was offered, and what nobody holds, but not another one', () => {
    const { clock, leases } = start();
    leases.offer('a', undefined);
    assert.equal(leases.acknowledge('a', second, fresh), false, 'another than offered');
    assert.equal(leases.acknowledge('b', first, fresh), false, 'offered to a');
    assert.equal(leases.acknowledge('a', first, fresh), true);
    assert.equal(leases.acknowledge('a', second, inUse), false, 'it has one');
    assert.equal(leases.acknowledge('c', ipv4Number('192.168.7.14'), inUse), false);
    assert.equal(leases.acknowledge('c', ipv4Number('10.0.0.1'), inUse), false);
    clock.advance(600_000);
    assert.equal(leases.acknowledge('a', second, inUse), true, 'the first has ended');
    assert.equal(leases.offer('d', first), first, 'and is free');
  });

  test('after a restart, an address in use stays with its client', () => {
    const { leases } = start();
    assert.equal(leases.acknowledge('a', third, inUse), true);
    assert.equal(leases.acknowledge('b', third, inUse), false);
    assert.equal(leases.acknowledge('a', third, inUse), true);
  });

  test('after a restart, a flood of offers does not take an address that is in use', () => {
    const { leases } = start();
    for (let each = 0; each < 10; each += 1) leases.offer(`invented ${each}`, undefined);
    assert.equal(leases.acknowledge('charger', second, fresh), false);
    assert.equal(leases.acknowledge('charger', second, inUse), true);
    assert.equal(leases.acknowledge('invented 1', second, fresh), false);
  });

  test('a lease ends when it ends', () => {
    const { clock, leases, lease } = start();
    lease('a');
    clock.advance(599_999);
    assert.equal(leases.acknowledge('b', first, inUse), false);
    clock.advance(1);
    assert.equal(leases.acknowledge('b', first, inUse), true);
    assert.equal(leases.offer('a', undefined), second);
  });
});

describe('releases and declines', () => {
  test('only its client releases or declines an address', () => {
    const { leases, lease } = start();
    lease('a');
    leases.release('b', first);
    leases.decline('b', first);
    leases.release('a', second);
    assert.equal(leases.acknowledge('b', first, inUse), false);
    leases.release('a', first);
    assert.equal(leases.acknowledge('b', first, inUse), true);
  });

  test('an offer that is released is free', () => {
    const { leases } = start();
    leases.offer('a', undefined);
    leases.release('a', first);
    assert.equal(leases.offer('b', undefined), first);
  });

  test('a declined address is left alone for five minutes', () => {
    const { clock, leases, lease } = start();
    lease('a');
    leases.decline('a', first);
    assert.equal(leases.offer('a', first), second);
    clock.advance(299_999);
    assert.equal(leases.acknowledge('b', first, inUse), false);
    assert.equal(leases.offer('b', first), second);
    leases.withdraw('b');
    clock.advance(1);
    assert.equal(leases.offer('b', undefined), first);
  });

  test('a client that declines all it gets does not use up the range, and takes no lease', () => {
    const { clock, leases, lease } = start();
    const charger = lease('charger');
    for (let each = 0; each < 10; each += 1) {
      clock.advance(1000);
      const address = leases.offer('picky', undefined);
      assert(address !== undefined && address !== charger);
      leases.decline('picky', address);
    }
    assert.equal(leases.offer('b', undefined), third, 'declined first of the three');
    assert.equal(leases.acknowledge('b', third, fresh), true);
  });
});

describe('ranges', () => {
  test('a range of 256 addresses is one; what is longer, or goes down, is a mistake', () => {
    const network = { prefixLength: 16, from: '192.168.0.0' };
    const { leases } = start({ ...network, to: '192.168.0.255' });
    const given = new Set<number | undefined>();
    for (let each = 0; each < 300; each += 1) given.add(leases.offer(`${each}`, undefined));
    assert.equal(given.size, 255 + 1, '192.168.0.0 is the network; undefined for the rest');
    assert.throws(() => start({ ...network, to: '192.168.1.0' }), BrokenInvariant);
    assert.throws(() => start({ from: '192.168.7.14' }), BrokenInvariant);
    assert.throws(() => start({ prefixLength: 0 }), BrokenInvariant);
    assert.throws(() => start({ prefixLength: 33 }), BrokenInvariant);
  });
});

describe('histories', () => {
  const client = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const address = fc.constantFrom(first, second, third, fourth);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('offer' as const), client, address }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('acknowledge' as const, 'renew' as const),
        client,
        address,
      }),
    },
    fc.record({
      do: fc.constantFrom('release' as const, 'decline' as const, 'withdraw' as const),
      client,
      address,
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 400_000 }) }),
  );

  test('no address has two holders, and who has a lease keeps it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, leases } = start();
        const held = new Map<string, { readonly address: number; readonly untilMs: number }>();
        const ofOthers = (who: string, where: number): boolean =>
          [...held].some(([other, it]) => other !== who && it.address === where);
        for (const it of steps) {
          if (it.do === 'wait') {
            clock.advance(it.ms);
            for (const [who, { untilMs }] of held) {
              if (untilMs <= clock.elapsedMs()) held.delete(who);
            }
            continue;
          }
          const own = held.get(it.client)?.address;
          if (it.do === 'offer') {
            const offered = leases.offer(it.client, it.address);
            if (own !== undefined) assert.equal(offered, own);
            if (offered !== undefined) assert.equal(ofOthers(it.client, offered), false);
          } else if (it.do === 'acknowledge' || it.do === 'renew') {
            const how = it.do === 'renew' ? inUse : fresh;
            const isGiven = leases.acknowledge(it.client, it.address, how);
            if (own === it.address) assert.equal(isGiven, true);
            if (!isGiven) continue;
            assert.equal(ofOthers(it.client, it.address), false);
            assert.equal(own ?? it.address, it.address);
            held.set(it.client, { address: it.address, untilMs: clock.elapsedMs() + 600_000 });
          } else if (it.do === 'withdraw') {
            leases.withdraw(it.client);
          } else {
            leases[it.do](it.client, it.address);
            if (own === it.address) held.delete(it.client);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
