import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualClock } from '../../../../test/support/manual-clock.ts';
import { answerDhcp, type DhcpAnswer, type DhcpOptions } from './dhcp.ts';
import { DhcpLeases } from './dhcp-leases.ts';

// Goal: each message of a client is answered as RFC 2131 says.
// Method: packets written byte by byte from the RFC, answers read by a reader of the test's own;
// each state of a client, both sides of each rule. dhcp-message.test.ts has what is no message,
// dhcp-random.test.ts has random ones.

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

const types = { discover: 1, request: 3, decline: 4, release: 7, inform: 8 };
const ourId: Option = [54, ip('192.168.7.1')];
const otherId: Option = [54, ip('192.168.7.2')];

type Option = readonly [code: number, value: Buffer | readonly number[]];

interface Sent {
  readonly type: keyof typeof types;
  readonly options?: readonly Option[];
  readonly ciaddr?: string;
  readonly chaddr?: string;
  /** Bytes of the header that are not as they should be. */
  readonly header?: Readonly<Record<number, number>>;
}

function ip(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}

/** A packet as RFC 2131 figure 1 has it. */
function packet(sent: Sent): Buffer {
  const header = Buffer.alloc(240);
  header.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 9, 0x80, 0]);
  header.set(ip(sent.ciaddr ?? '0.0.0.0'), 12);
  header.set(Buffer.from(sent.chaddr ?? '020000000001', 'hex'), 28);
  header.set([99, 130, 83, 99], 236);
  for (const [at, byte] of Object.entries(sent.header ?? {})) header[Number(at)] = byte;
  const all: readonly Option[] = [[53, [types[sent.type]]], ...(sent.options ?? [])];
  const parts = all.map(([code, value]) => Buffer.from([code, value.length, ...value]));
  return Buffer.concat([header, ...parts, Buffer.of(255)]);
}

/** What a client sees of an answer. */
function read(answer: DhcpAnswer | undefined) {
  assert(answer !== undefined, 'no answer');
  const { bytes, to } = answer;
  const found = new Map<number, string>();
  const order: number[] = [];
  let at = 240;
  for (; bytes.readUInt8(at) !== 255; at += 2 + bytes.readUInt8(at + 1)) {
    const code = bytes.readUInt8(at);
    found.set(code, bytes.toString('hex', at + 2, at + 2 + bytes.readUInt8(at + 1)));
    order.push(code);
  }
  return {
    to,
    type: Number.parseInt(found.get(53) ?? '', 16),
    ciaddr: [...bytes.subarray(12, 16)].join('.'),
    yiaddr: [...bytes.subarray(16, 20)].join('.'),
    options: found,
    order,
    bytes,
  };
}

function start(changes: Partial<DhcpOptions> = {}) {
  const clock = manualClock();
  const all = { ...options, ...changes };
  const leases = new DhcpLeases(all, clock);
  const send = (sent: Sent) => answerDhcp(packet(sent), leases, all);
  /** DISCOVER and REQUEST. */
  const lease = (chaddr: string): string => {
    const { yiaddr } = read(send({ type: 'discover', chaddr }));
    const wanted: Option = [50, ip(yiaddr)];
    assert.equal(read(send({ type: 'request', chaddr, options: [wanted, ourId] })).type, 5);
    return yiaddr;
  };
  return { clock, send, lease };
}

test('what is no message, and what is meant for another server, has no answer', () => {
  const { send } = start();
  assert.equal(send({ type: 'discover', header: { 0: 2 } }), undefined);
  assert.equal(send({ type: 'discover', options: [otherId] }), undefined);
  assert.equal(read(send({ type: 'discover', options: [ourId] })).type, 2);
});

describe('RFC 2131 3.1: a client without an address', () => {
  test('a DISCOVER is offered an address, with all that table 3 asks for, by broadcast', () => {
    const { send } = start();
    const offer = read(send({ type: 'discover', chaddr: '02000000000a' }));
    const { bytes } = offer;
    assert.equal(offer.to, 'broadcast');
    assert.equal(offer.type, 2);
    assert.deepEqual([offer.ciaddr, offer.yiaddr], ['0.0.0.0', '192.168.7.10']);
    // op, htype, hlen, hops; xid; secs; flags.
    assert.equal(bytes.toString('hex', 0, 12), '02010600deadbeef00008000');
    // siaddr and giaddr; chaddr; sname and file; the cookie.
    assert.equal(bytes.toString('hex', 20, 28), '00'.repeat(8));
    assert.equal(bytes.toString('hex', 28, 44), `02000000000a${'00'.repeat(10)}`);
    assert.equal(bytes.toString('hex', 44, 236), '00'.repeat(192));
    assert.equal(bytes.toString('hex', 236, 240), '63825363');
    assert.equal(bytes.length, 300);
    assert.deepEqual(
      [...offer.options],
      [
        [53, '02'],
        [54, 'c0a80701'],
        [51, '00000258'],
        [1, 'ffffff00'],
        [3, 'c0a80701'],
        [6, 'c0a80701'],
        [42, 'c0a80701'],
      ],
    );
  });

  test('the flags are the client’s, and a set or clear broadcast flag changes nothing else', () => {
    const { send } = start();
    const offer = read(send({ type: 'discover', header: { 10: 0 } }));
    assert.equal(offer.bytes.readUInt16BE(10), 0);
    assert.equal(offer.to, 'broadcast');
  });

  test('only what the gateway offers is told', () => {
    const { send } = start({ offersRouter: false, offersDns: false, offersNtp: false });
    assert.deepEqual(read(send({ type: 'discover' })).order, [53, 54, 51, 1]);
  });

  test('the REQUEST for the offer is acknowledged', () => {
    const { send } = start();
    read(send({ type: 'discover' }));
    const ack = read(send({ type: 'request', options: [[50, ip('192.168.7.10')], ourId] }));
    assert.deepEqual([ack.type, ack.yiaddr, ack.to], [5, '192.168.7.10', 'broadcast']);
    assert.deepEqual(ack.order, [53, 54, 51, 1, 3, 6, 42]);
  });

  test('a REQUEST for another address than the offered one is refused', () => {
    const { send } = start();
    read(send({ type: 'discover' }));
    const nak = read(send({ type: 'request', options: [[50, ip('192.168.7.11')], ourId] }));
    assert.deepEqual([nak.type, nak.yiaddr, nak.to], [6, '0.0.0.0', 'broadcast']);
    // Table 3: neither lease time nor parameters.
    assert.deepEqual(nak.order, [53, 54, 56]);
  });

  test('who requests from another server is left alone, and its offer is free', () => {
    const { send } = start();
    read(send({ type: 'discover', chaddr: '02000000000a' }));
    const chosen: Sent = { type: 'request', options: [[50, ip('192.168.7.10')], otherId] };
    assert.equal(send({ ...chosen, chaddr: '02000000000a' }), undefined);
    assert.equal(read(send({ type: 'discover', chaddr: '02000000000b' })).yiaddr, '192.168.7.10');
  });

  test('a DISCOVER may say which address it wishes', () => {
    const { send } = start();
    const wish: Option = [50, ip('192.168.7.11')];
    assert.equal(read(send({ type: 'discover', options: [wish] })).yiaddr, '192.168.7.11');
  });

  test('with no address left, a DISCOVER has no answer', () => {
    const { send, lease } = start();
    lease('02000000000a');
    lease('02000000000b');
    assert.equal(send({ type: 'discover', chaddr: '02000000000c' }), undefined);
  });

  test('the address of a DISCOVER is not where its answer goes: it should have none', () => {
    const { send } = start();
    const offer = read(send({ type: 'discover', ciaddr: '203.0.113.1' }));
    assert.deepEqual([offer.to, offer.ciaddr], ['broadcast', '0.0.0.0']);
  });
});

describe('RFC 2131 4.3.2: a client that has, or had, an address', () => {
  test('INIT-REBOOT: its own address is acknowledged by broadcast, another one is refused', () => {
    const { send, lease } = start();
    lease('02000000000a');
    const reboot = (address: string) =>
      read(send({ type: 'request', chaddr: '02000000000a', options: [[50, ip(address)]] }));
    const ack = reboot('192.168.7.10');
    assert.deepEqual([ack.type, ack.yiaddr, ack.to], [5, '192.168.7.10', 'broadcast']);
    assert.equal(reboot('192.168.7.11').type, 6, 'not its own');
    assert.equal(reboot('10.0.0.1').type, 6, 'of another network');
  });

  test('INIT-REBOOT: the address of another client is refused', () => {
    const { send, lease } = start();
    lease('02000000000a');
    const wanted: Option = [50, ip('192.168.7.10')];
    const nak = read(send({ type: 'request', chaddr: '02000000000b', options: [wanted] }));
    assert.equal(nak.type, 6);
  });

  test('RENEWING and REBINDING: the lease begins anew, and the answer goes to the client', () => {
    const { clock, send, lease } = start();
    lease('02000000000a');
    clock.advance(599_000);
    const renew: Sent = { type: 'request', chaddr: '02000000000a', ciaddr: '192.168.7.10' };
    const ack = read(send(renew));
    assert.deepEqual(
      [ack.type, ack.ciaddr, ack.yiaddr, ack.to],
      [5, '192.168.7.10', '192.168.7.10', '192.168.7.10'],
    );
    clock.advance(599_000);
    assert.equal(read(send({ ...renew, chaddr: '02000000000b' })).type, 6, 'not ended yet');
  });

  test('RENEWING: what is another’s, or not of the range, is refused by broadcast', () => {
    const { send, lease } = start();
    lease('02000000000a');
    for (const ciaddr of ['192.168.7.10', '192.168.7.1', '192.168.7.255', '203.0.113.1']) {
      const nak = read(send({ type: 'request', chaddr: '02000000000b', ciaddr }));
      assert.deepEqual([nak.type, nak.ciaddr, nak.to], [6, '0.0.0.0', 'broadcast'], ciaddr);
    }
  });

  test('RENEWING after a restart of the gateway: an address that nobody has is acknowledged', () => {
    const { send } = start();
    const ack = read(send({ type: 'request', ciaddr: '192.168.7.11' }));
    assert.deepEqual([ack.type, ack.yiaddr], [5, '192.168.7.11']);
    const reboot: Sent = { type: 'request', options: [[50, ip('192.168.7.10')]] };
    assert.equal(read(send({ ...reboot, chaddr: '02000000000b' })).type, 5);
  });

  test('a REQUEST that names no address, or two, has no answer', () => {
    const { send } = start();
    assert.equal(send({ type: 'request' }), undefined);
    assert.equal(send({ type: 'request', options: [ourId] }), undefined);
    const wanted: Option = [50, ip('192.168.7.11')];
    assert.equal(send({ type: 'request', ciaddr: '192.168.7.10', options: [wanted] }), undefined);
  });

  test('flood: of 1000 invented clients none takes the lease of a charger', () => {
    const { send, lease } = start();
    const charger = lease('0200000000ff');
    for (let each = 0; each < 1000; each += 1) {
      const chaddr = `0300${each.toString(16).padStart(8, '0')}`;
      send({ type: 'discover', chaddr });
      for (const address of ['192.168.7.10', '192.168.7.11']) {
        send({ type: 'request', chaddr, options: [[50, ip(address)], ourId] });
        send({ type: 'request', chaddr, ciaddr: address });
        send({ type: 'release', chaddr, ciaddr: address, options: [ourId] });
        send({ type: 'decline', chaddr, options: [[50, ip(address)], ourId] });
      }
    }
    const renewed = read(send({ type: 'request', chaddr: '0200000000ff', ciaddr: charger }));
    assert.deepEqual([renewed.type, renewed.yiaddr], [5, charger]);
  });
});

describe('RFC 2131 4.3.3 to 4.3.5: DECLINE, RELEASE, INFORM', () => {
  test('a declined address is not offered again at once, and has no answer', () => {
    const { send, lease } = start();
    const address = lease('02000000000a');
    const declined: Option = [50, ip(address)];
    const decline: Sent = { type: 'decline', chaddr: '02000000000a' };
    assert.equal(send({ ...decline, options: [declined] }), undefined, 'to nobody');
    assert.equal(send({ ...decline, options: [declined, otherId] }), undefined, 'to another');
    assert.equal(send({ ...decline, options: [ourId] }), undefined, 'of nothing');
    const discover: Sent = { type: 'discover', chaddr: '02000000000a' };
    assert.equal(read(send(discover)).yiaddr, address, 'none of these counts');
    assert.equal(send({ ...decline, options: [declined, ourId] }), undefined);
    assert.equal(read(send(discover)).yiaddr, '192.168.7.11');
  });

  test('a released address is free for others, and has no answer', () => {
    const { send, lease } = start();
    const ciaddr = lease('02000000000a');
    lease('02000000000b');
    const discover: Sent = { type: 'discover', chaddr: '02000000000c' };
    const release: Sent = { type: 'release', chaddr: '02000000000a', ciaddr };
    assert.equal(send(release), undefined);
    assert.equal(send({ ...release, options: [otherId] }), undefined);
    assert.equal(send(discover), undefined, 'not released to us');
    assert.equal(send({ ...release, options: [ourId] }), undefined);
    assert.equal(read(send(discover)).yiaddr, ciaddr);
  });

  test('an INFORM gets parameters and neither address nor lease', () => {
    const { send } = start();
    const ack = read(send({ type: 'inform', ciaddr: '192.168.7.99' }));
    assert.deepEqual(
      [ack.type, ack.ciaddr, ack.yiaddr, ack.to],
      [5, '192.168.7.99', '0.0.0.0', '192.168.7.99'],
    );
    assert.deepEqual(ack.order, [53, 54, 1, 3, 6, 42]);
  });

  test('attack: an INFORM does not send an answer out of the network, or to all of it', () => {
    const { send } = start();
    for (const ciaddr of [
      '0.0.0.0',
      '203.0.113.1',
      '192.168.7.0',
      '192.168.7.255',
      '192.168.7.1',
    ]) {
      assert.equal(send({ type: 'inform', ciaddr }), undefined, ciaddr);
    }
  });
});

describe('who a client is', () => {
  const identifier: Option = [61, [0, ...Buffer.from('charger')]];

  test('RFC 2131 4.2: a client is its identifier, whatever hardware it has', () => {
    const { send } = start();
    const options = [identifier];
    const one = read(send({ type: 'discover', chaddr: '02000000000a', options }));
    const two = read(send({ type: 'discover', chaddr: '02000000000b', options }));
    const other = read(send({ type: 'discover', chaddr: '02000000000b' }));
    assert.deepEqual(
      [one.yiaddr, two.yiaddr, other.yiaddr],
      ['192.168.7.10', '192.168.7.10', '192.168.7.11'],
    );
  });

  test('RFC 6842: the identifier comes back in OFFER, ACK and NAK', () => {
    const { send } = start();
    const request = (address: string) =>
      read(send({ type: 'request', options: [identifier, [50, ip(address)]] }));
    const answers = [
      read(send({ type: 'discover', options: [identifier] })),
      request('192.168.7.10'),
      request('10.0.0.1'),
      read(send({ type: 'inform', ciaddr: '192.168.7.9', options: [identifier] })),
    ];
    assert.deepEqual(
      answers.map(({ type }) => type),
      [2, 5, 6, 5],
    );
    for (const answer of answers) assert.equal(answer.options.get(61), '0063686172676572');
  });

  test('the longest identifier fits into what each client can take', () => {
    const { send } = start();
    const options: readonly Option[] = [[61, Buffer.alloc(255, 7)]];
    const offer = read(send({ type: 'discover', options }));
    assert.equal(offer.options.get(61), '07'.repeat(255));
    assert(offer.bytes.length <= 548);
  });
});
