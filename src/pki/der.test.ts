import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { der } from '../../test/support/certificates.ts';
import { integerDigits, malformed, objectIdentifier, parseDer, timeMs } from './der.ts';

// Goal: there is one way to read a text of bytes as DER, and no bytes break the reader.
// Method: the shortest encodings, and each way to write the same otherwise.

const hex = (digits: string): Buffer => Buffer.from(digits, 'hex');
const contentOf = (bytes: Buffer) =>
  parseDer(bytes, (reader) => reader.take().content)?.toString('hex');

describe('lengths', () => {
  test('short and long ones are read when they are as short as they can be', () => {
    for (const length of [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000]) {
      assert.equal(contentOf(der(0x04, Buffer.alloc(length)))?.length, length * 2);
    }
  });

  test('longer spellings, indefinite lengths and bytes that are missing are not DER', () => {
    for (const bytes of [
      '',
      '04',
      '0401',
      '048101ff',
      '04820001ff',
      '0480ff0000',
      '0485000000000100',
    ]) {
      assert.equal(contentOf(hex(bytes)), undefined, bytes);
    }
    assert.equal(contentOf(hex('04ffffffff')), undefined);
    assert.equal(contentOf(hex('0484ffffffff')), undefined);
  });

  test('nothing may follow, and tags have one byte', () => {
    assert.equal(contentOf(hex('040100')), '00');
    assert.equal(contentOf(hex('04010000')), undefined);
    assert.equal(contentOf(hex('1f1f0100')), undefined);
  });
});

describe('values', () => {
  const integer = (digits: string) =>
    parseDer(hex(digits), (reader) => integerDigits(reader.take(0x02)));

  test('integers are read without leading zeros; negative and padded ones are not', () => {
    assert.equal(integer('020100'), '0');
    assert.equal(integer('02017f'), '7f');
    assert.equal(integer('02020080'), '80');
    for (const other of ['0200', '020180', '0202007f', '02020000', '040100']) {
      assert.equal(integer(other), undefined, other);
    }
  });

  test('object identifiers are read as they are written in the standards', () => {
    const identifier = (digits: string) =>
      parseDer(hex(digits), (reader) => objectIdentifier(reader.take()));
    assert.equal(identifier('0603550403'), '2.5.4.3');
    assert.equal(identifier('06092a864886f70d01010b'), '1.2.840.113549.1.1.11');
    assert.equal(identifier('0603883703'), '2.999.3');
    for (const other of ['0600', '060155ff', '06022a86', '060a2affffffffffffffffff7f']) {
      assert.equal(identifier(other), undefined, other);
    }
  });

  test('times are read in the form that RFC 5280 allows', () => {
    const time = (tag: number, text: string) =>
      parseDer(der(tag, Buffer.from(text)), (reader) => timeMs(reader.take()));
    assert.equal(time(0x17, '491231235959Z'), Date.UTC(2049, 11, 31, 23, 59, 59));
    assert.equal(time(0x17, '500101000000Z'), Date.UTC(1950, 0, 1));
    assert.equal(time(0x18, '20500101000000Z'), Date.UTC(2050, 0, 1));
    for (const text of ['', '4912312359Z', '491231235959', '491231235959+0100', '499931235959Z']) {
      assert.equal(time(0x17, text), undefined, text);
    }
    assert.equal(time(0x18, '20500101000000.5Z'), undefined);
  });

  test('a defect of ours is not taken for a mistake of a peer', () => {
    assert.throws(() => parseDer(hex('0500'), () => JSON.parse('{')), SyntaxError);
    assert.equal(parseDer(hex('0500'), malformed), undefined);
  });
});
