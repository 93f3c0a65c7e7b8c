import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { answerDns, type DnsOptions } from './dns.ts';

// Goal: the gateway's names have its addresses, no other name exists, and no bytes do anything else.
// Method: queries written byte by byte from RFC 1035, whole answers compared; both sides of each
// rule; then random and mutated queries.

const options: DnsOptions = {
  names: ['csms.example.com', 'Gateway'],
  addresses: ['192.168.7.1', 'fd00::1', '192.168.7.2'],
  ttlSeconds: 60,
};

const types = { a: 1, ns: 2, soa: 6, ptr: 12, mx: 15, aaaa: 28, srv: 33, axfr: 252, any: 255 };
/** RFC 6891: root, OPT, 1232 bytes, extended code 0, version 0, DO, no options. */
const opt = '00002904d0000080000000';

interface Asked {
  readonly name?: string;
  readonly type?: number;
  readonly class?: number;
  readonly flags?: number;
  /** QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT. */
  readonly counts?: readonly [number, number, number, number];
  /** Hexadecimal digits, instead of the question. */
  readonly question?: string;
  /** Hexadecimal digits behind it. */
  readonly rest?: string;
}

function wire(name: string): string {
  const labels = name === '' ? [] : name.split('.');
  const bytes = labels.flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.from([...bytes, 0]).toString('hex');
}

function u16(...numbers: readonly number[]): string {
  return numbers.map((number) => number.toString(16).padStart(4, '0')).join('');
}

function questionOf({
  name = 'csms.example.com',
  type = types.a,
  class: dnsClass = 1,
}: Asked): string {
  return wire(name) + u16(type, dnsClass);
}

function query(asked: Asked): Buffer {
  const header = u16(0xabcd, asked.flags ?? 0x0100, ...(asked.counts ?? [1, 0, 0, 0]));
  const question = asked.question ?? questionOf(asked);
  return Buffer.from(header + question + (asked.rest ?? ''), 'hex');
}

function ask(asked: Asked, changes: Partial<DnsOptions> = {}): string | undefined {
  return answerDns(query(asked), { ...options, ...changes })?.toString('hex');
}

/** An answer, digit by digit. */
function answer(flags: number, asked: Asked, records: readonly string[] = [], extra = ''): string {
  const counts = u16(1, records.length, 0, extra === '' ? 0 : 1);
  return u16(0xabcd, flags) + counts + questionOf(asked) + records.join('') + extra;
}

const ourOpt = `00${u16(41, 512)}00000000${u16(0)}`;
/** QR, AA and RD. */
const ok = 0x8500;
const noSuchName = 0x8503;
const record = (type: number, data: string): string =>
  `${u16(0xc00c, type, 1)}0000003c${u16(data.length / 2)}${data}`;

describe('the names of the gateway', () => {
  const v4 = [record(1, 'c0a80701'), record(1, 'c0a80702')];
  const v6 = [record(28, `fd${'0'.repeat(29)}1`)];

  test('A and AAAA are the addresses of that family', () => {
    assert.equal(ask({}), answer(ok, {}, v4));
    const asked = { type: types.aaaa, name: 'gateway' };
    assert.equal(ask(asked), answer(ok, asked, v6));
  });

  test('RFC 4343, 0x20: case does not matter, and comes back as it was asked', () => {
    const asked = { name: 'cSMs.eXAMPLE.Com' };
    assert.equal(ask(asked), answer(ok, asked, v4));
    const configured = { names: ['CSMS.Example.Com.'] };
    assert.equal(ask({ name: 'csms.example.com' }, configured), answer(ok, {}, v4));
  });

  test('other types exist with no data', () => {
    for (const type of [types.ns, types.soa, types.mx, types.srv, types.axfr, types.any, 65_535]) {
      assert.equal(ask({ type }), answer(ok, { type }), `${type}`);
    }
  });

  test('a family of which the gateway has no address has no data', () => {
    const asked = { type: types.aaaa };
    assert.equal(ask(asked, { addresses: ['192.168.7.1'] }), answer(ok, asked));
    assert.equal(ask({}, { addresses: ['fe80::1%eth0', 'nonsense'] }), answer(ok, {}));
  });

  test('recursion is not available, whether it is desired or not', () => {
    assert.equal(ask({ flags: 0 }), answer(0x8400, {}, v4));
    // TC, RA, Z, AD, CD and a code of a query are nobody's business.
    assert.equal(ask({ flags: 0x02ff }), answer(0x8400, {}, v4));
  });
});

describe('all other names', () => {
  for (const name of [
    'example.com',
    'www.csms.example.com',
    'csms.example.co',
    'csms.example.comx',
    'csmsxexample.com',
    'localhost',
    '1.7.168.192.in-addr.arpa',
    '__proto__',
    '',
  ]) {
    test(`"${name}" does not exist`, () => {
      for (const type of [types.a, types.aaaa, types.ptr]) {
        assert.equal(ask({ name, type }), answer(noSuchName, { name, type }));
      }
    });
  }

  test('a dot in a label does not make it two labels', () => {
    const question = `10${Buffer.from('csms.example.com').toString('hex')}00${u16(1, 1)}`;
    assert.equal(ask({ question })?.slice(4, 8), u16(noSuchName));
  });

  test('without names, none exists', () => {
    assert.equal(ask({ name: '' }, { names: [] }), answer(noSuchName, { name: '' }));
    assert.equal(ask({ name: 'a' }, { names: ['', '.'] }), answer(noSuchName, { name: 'a' }));
  });

  test('a class other than IN is refused: version.bind tells nothing', () => {
    for (const dnsClass of [3, 4, 254, 255]) {
      const asked = { name: 'version.bind', type: 16, class: dnsClass };
      assert.equal(ask(asked), answer(0x8105, asked));
      assert.equal(ask({ class: dnsClass }), answer(0x8105, { class: dnsClass }));
    }
  });
});

describe('RFC 6891: EDNS', () => {
  const counts = [1, 0, 0, 1] as const;

  test('an OPT is answered with an empty one', () => {
    const asked = { type: types.mx };
    assert.equal(ask({ ...asked, counts, rest: opt }), answer(ok, asked, [], ourOpt));
    const unknown = { name: 'x' };
    assert.equal(ask({ ...unknown, counts, rest: opt }), answer(noSuchName, unknown, [], ourOpt));
  });

  test('options in it, a cookie for example, are passed over', () => {
    const rest = `${opt.slice(0, -4)}000c000a00080102030405060708`;
    assert.equal(ask({ type: types.mx, counts, rest }), answer(ok, { type: types.mx }, [], ourOpt));
  });

  test('another version is BADVERS, without an answer', () => {
    const rest = `${opt.slice(0, 12)}01${opt.slice(14)}`;
    const badVersion = `00${u16(41, 512)}01000000${u16(0)}`;
    assert.equal(ask({ counts, rest }), answer(ok, {}, [], badVersion));
  });

  test('two OPTs, one with a name, and one that is cut off are malformed', () => {
    for (const asked of [
      { counts: [1, 0, 0, 2], rest: opt + opt },
      { counts, rest: `0161${opt}` },
      { counts, rest: opt.slice(0, -2) },
      { counts, rest: `${opt.slice(0, -4)}0001` },
    ] satisfies Asked[]) {
      assert.equal(ask(asked), malformed);
    }
  });

  test('another record, such as a signature, is passed over; its pointer is not followed', () => {
    const tsig = `c00c${u16(250, 255)}00000000${u16(2)}abcd`;
    const asked = { type: types.mx };
    const rest = opt + tsig;
    assert.equal(ask({ ...asked, counts: [1, 0, 0, 2], rest }), answer(ok, asked, [], ourOpt));
  });
});

/** A header with FORMERR, and nothing else. */
const malformed = u16(0xabcd, 0x8101, 0, 0, 0, 0);

describe('what is no question', () => {
  test('a response has no answer: nobody can make two servers talk for ever', () => {
    for (const flags of [0x8000, 0x8180, 0xf800]) assert.equal(ask({ flags }), undefined);
    const own = answerDns(query({}), options);
    assert(own !== undefined);
    assert.equal(answerDns(own, options), undefined);
  });

  test('less than a header, and more than a frame, has no answer', () => {
    const bytes = query({});
    for (const length of [0, 1, 11]) {
      assert.equal(answerDns(bytes.subarray(0, length), options), undefined);
    }
    const padding = (length: number): Asked => ({
      counts: [1, 0, 0, 1],
      rest: `${opt.slice(0, -4)}${u16(length)}${'00'.repeat(length)}`,
    });
    const fixed = query(padding(0)).length;
    assert.notEqual(ask(padding(1472 - fixed)), undefined);
    assert.equal(ask(padding(1473 - fixed)), undefined);
  });

  test('RFC 1035 4.1.1: other opcodes are not implemented', () => {
    for (let opcode = 1; opcode < 16; opcode += 1) {
      const flags = (opcode << 11) | 0x0100;
      assert.equal(ask({ flags }), u16(0xabcd, 0x8104 | (opcode << 11), 0, 0, 0, 0));
    }
  });

  test('RFC 9619: no question, or two, are malformed', () => {
    assert.equal(ask({ counts: [0, 0, 0, 0], question: '' }), malformed);
    assert.equal(ask({ counts: [0, 0, 0, 0] }), malformed);
    const two = questionOf({}) + questionOf({ name: 'x' });
    assert.equal(ask({ counts: [2, 0, 0, 0], question: two }), malformed);
    assert.equal(ask({ counts: [65_535, 0, 0, 0] }), malformed);
  });

  test('answers and authorities do not belong into a question', () => {
    const extra = record(1, '00000000');
    for (const rest of ['', extra]) {
      assert.equal(ask({ counts: [1, 1, 0, 0], rest }), malformed);
      assert.equal(ask({ counts: [1, 0, 1, 0], rest }), malformed);
    }
  });

  test('bytes that are missing, or left over, are malformed', () => {
    assert.equal(ask({ rest: '00' }), malformed);
    const { length } = query({});
    for (let end = 12; end < length; end += 1) {
      const bytes = query({}).subarray(0, end);
      assert.equal(answerDns(bytes, options)?.toString('hex'), malformed, `${end}`);
    }
    assert.equal(ask({ counts: [1, 0, 0, 1] }), malformed);
    assert.equal(ask({ counts: [1, 0, 0, 65_535], rest: opt }), malformed);
  });

  test('attack: compression pointers, to themselves or elsewhere, are malformed', () => {
    for (const pointer of ['c00c', 'c000', 'c0ff', 'ffff', '0161c00c', '046373' + '6d73c00c']) {
      assert.equal(ask({ question: pointer + u16(1, 1) }), malformed, pointer);
    }
    // The reserved kinds of label, 01 and 10.
    assert.equal(ask({ question: `40${'61'.repeat(64)}00${u16(1, 1)}` }), malformed);
    assert.equal(ask({ question: `80${'61'.repeat(128)}00${u16(1, 1)}` }), malformed);
  });

  test('RFC 1035 2.3.4: a label has 63 bytes at most, a name 255', () => {
    const label = 'a'.repeat(63);
    const longest = [label, label, label, 'a'.repeat(61)].join('.');
    assert.equal(ask({ name: longest }), answer(noSuchName, { name: longest }));
    assert.equal(ask({ name: `${longest}a` }), malformed);
    assert.equal(ask({ name: `${longest}.a` }), malformed);
  });
});

describe('sizes', () => {
  const label = 'a'.repeat(63);
  const many: DnsOptions = {
    names: [[label, label, label, 'a'.repeat(61)].join('.'), 'gateway'],
    addresses: Array.from({ length: 40 }, (_, index) => `fd00::${index}`),
    ttlSeconds: 2 ** 31 - 1,
  };

  test('the longest answer there is has 506 bytes', () => {
    const [name = ''] = many.names;
    const asked = query({ name, type: types.aaaa, counts: [1, 0, 0, 1], rest: opt });
    assert.equal(answerDns(asked, many)?.length, 506);
  });

  test('no bytes break it, and no answer is longer than 512 or answers an answer', () => {
    const text = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    const almost = fc
      .record({
        name: fc.constantFrom(...many.names, 'csms.example.com', ''),
        type: fc.constantFrom(...Object.values(types)),
        flags: fc.oneof({ weight: 4, arbitrary: fc.constant(0x0100) }, fc.nat(0xffff)),
      })
      .map((asked) => query({ ...asked, counts: [1, 0, 0, 1], rest: opt }));
    const mutated = fc
      .tuple(almost, fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 3 }), fc.nat(20))
      .map(([bytes, changes, cut]) => {
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        return bytes.subarray(0, bytes.length - (cut > 10 ? 0 : cut));
      });
    fc.assert(
      fc.property(fc.oneof(text, almost, mutated), fc.constantFrom(options, many), (asked, of) => {
        const response = answerDns(asked, of);
        if (response === undefined) return;
        assert(response.length <= 512);
        assert(asked.readUInt16BE(2) < 0x8000 && response.readUInt16BE(2) >= 0x8000);
        assert.equal(response.readUInt16BE(0), asked.readUInt16BE(0));
        // Neither TC nor RA.
        assert.equal(response.readUInt16BE(2) & 0x0280, 0);
        assert(response.length <= asked.length + 8 * 28);
      }),
      { numRuns: 2000 },
    );
  });
});
