import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { answerNtp, ntpTimestamp } from './ntp.ts';

// Goal: a client gets the time, nobody gets more bytes than he sent, and 2036 is a year like others.
// Method: the dates of RFC 5905 figure 4, requests written by hand, and every first byte there is.

const receivedMs = Date.UTC(2026, 0, 2, 3, 4, 5, 250);
const times = { receivedMs, sentMs: receivedMs + 500 };

/** A request of `length` bytes: leap, version and mode; stratum, poll 6, precision; the rest 0. */
function request(first = 0x23, length = 48): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.set([first, 0, 6, 0xec].slice(0, length));
  if (length >= 48) bytes.set([1, 2, 3, 4, 5, 6, 7, 8], 40);
  return bytes;
}

describe('RFC 5905 section 6: timestamps', () => {
  const dates: readonly (readonly [string, string])[] = [
    ['1900-01-01T00:00:00Z', '0000000000000000'],
    ['1970-01-01T00:00:00Z', '83aa7e8000000000'],
    ['1970-01-01T00:00:00.500Z', '83aa7e8080000000'],
    ['1969-12-31T23:59:59.750Z', '83aa7e7fc0000000'],
    ['1972-01-01T00:00:00Z', '876ce58000000000'],
    ['1999-12-31T00:00:00Z', 'bc16708000000000'],
    // Era 1.
    ['2036-02-07T06:28:15Z', 'ffffffff00000000'],
    ['2036-02-07T06:28:16Z', '0000000000000000'],
    ['2036-02-08T00:00:00Z', '0000f68000000000'],
    // Era -1, of which RFC 5905 has a date too.
    ['1899-12-31T00:00:00Z', 'fffeae8000000000'],
  ];
  for (const [date, timestamp] of dates) {
    test(`${date} is ${timestamp}`, () => {
      assert.equal(ntpTimestamp(Date.parse(date)).toString(16).padStart(16, '0'), timestamp);
    });
  }

  test('a timestamp is within a microsecond of its time, in each era', () => {
    fc.assert(
      fc.property(fc.double({ min: -3e12, max: 1e13, noNaN: true }), (unixMs) => {
        const timestamp = ntpTimestamp(unixMs);
        assert(timestamp >= 0n && timestamp < 2n ** 64n);
        const eraMs = 2 ** 32 * 1000;
        const sinceMs =
          Number(timestamp >> 32n) * 1000 + Number(timestamp & 0xffffffffn) / 4294967.296;
        const offMs = (((unixMs + 2_208_988_800_000 - sinceMs) % eraMs) + eraMs) % eraMs;
        assert(Math.min(offMs, eraMs - offMs) < 0.01);
      }),
    );
  });
});

describe('answers', () => {
  test('a client gets the time in each field of RFC 5905 figure 8', () => {
    const answer = answerNtp(request(), times);
    assert(answer !== undefined);
    assert.equal(
      answer.toString('hex'),
      [
        // Leap 0, version 4, mode 4; stratum 3; poll as asked; precision 2^-10 s.
        '240306f6',
        // Root delay 0, root dispersion 0.5 s, reference 127.127.1.1.
        '00000000',
        '00008000',
        '7f7f0101',
        // Reference, origin, receive, transmit.
        'ed01b42540000000',
        '0102030405060708',
        'ed01b42540000000',
        'ed01b425c0000000',
      ].join(''),
    );
  });

  test('the version is the client’s, the stratum is as configured', () => {
    const answer = answerNtp(request(0x1b), times, { stratum: 10 });
    assert.equal(answer?.toString('hex', 0, 2), '1c0a');
  });

  test('only clients of versions 3 and 4 are answered, whatever their leap indicator', () => {
    for (let first = 0; first < 256; first += 1) {
      const isClient = (first & 7) === 3;
      const version = (first >> 3) & 7;
      const isAnswered = isClient && (version === 3 || version === 4);
      assert.equal(answerNtp(request(first), times) !== undefined, isAnswered, `${first}`);
    }
  });

  test('attack: monlist and other private or control messages have no answer', () => {
    // CVE-2013-5211: NTP version 2, mode 7, implementation 3, request 42; and a mode 6 READVAR.
    assert.equal(answerNtp(Buffer.from('1700032a00000000', 'hex'), times), undefined);
    const padded = Buffer.alloc(192);
    padded.set([0x17, 0, 3, 0x2a]);
    assert.equal(answerNtp(padded, times), undefined);
    padded.set([0x26, 2, 0, 1]);
    assert.equal(answerNtp(padded, times), undefined);
  });

  test('a header is 48 bytes; extension fields and a MAC are not read, and not answered', () => {
    for (const length of [0, 1, 4, 44, 47, 49, 50, 1025, 1028]) {
      assert.equal(answerNtp(request(0x23, length), times), undefined, `${length}`);
    }
    for (const length of [48, 52, 68, 72, 1024]) {
      assert.equal(answerNtp(request(0x23, length), times)?.length, 48, `${length}`);
    }
  });

  test('an answer is not taken for a request: two servers do not talk for ever', () => {
    const answer = answerNtp(request(), times);
    assert(answer !== undefined);
    assert.equal(answerNtp(answer, times), undefined);
  });

  test('no bytes break it, and no answer is longer than what asked for it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 1200 }),
        fc.option(fc.constantFrom(0x1b, 0x23, 0xe3)),
        (bytes, first) => {
          const asked = Buffer.from(bytes);
          if (first !== null && asked.length > 0) asked[0] = first;
          const answer = answerNtp(asked, times);
          if (answer === undefined) return;
          assert.equal(answer.length, 48);
          assert(answer.length <= asked.length);
          assert.deepEqual(answer.subarray(24, 32), asked.subarray(40, 48));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
