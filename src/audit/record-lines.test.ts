import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { events } from '../events/catalogue.ts';
import type { AuditRecord } from './export.ts';
import { asciiJson, jsonLine, syslogLine } from './record-lines.ts';

// Goal: each record is one line, which a parser of its form reads back, whatever is in the record.
// Method: a parser of RFC 5424 written from its grammar (section 6), and records that are ordinary,
// hostile, or changed by hand.

const record: AuditRecord = {
  chain: 'gw-1',
  sequence: 42,
  at_ms: Date.UTC(2026, 0, 2, 3, 4, 5, 67),
  event: 'FrameRefused',
  charger: 'CP-1',
  document: '{"code":"FORMAT_JSON","text":"ä€😀"}',
  hash: 'ab'.repeat(32),
};

/** A message by the grammar of RFC 5424 section 6; section 6.3.3 for the values of parameters. */
function parseSyslog(line: string) {
  const grammar =
    /^<(\d{1,3})>1 (-|\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) \[([!#-<>-\\^-~]{1,32})((?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\] (.*)\n$/s;
  const match = grammar.exec(line);
  assert(match !== null, line);
  const [, pri, time, host, app, process, messageId, id, parameters = '', message = ''] = match;
  const values = new Map(
    [...parameters.matchAll(/ ([^=]+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [
      name,
      value?.replace(/\\(["\\\]])/g, '$1'),
    ]),
  );
  return { pri: Number(pri), time, host, app, process, messageId, id, values, message };
}

describe('a record as JSON', () => {
  test('has everything, and the document letter by letter', () => {
    const line = jsonLine({ ...record, document: '{ "a": 1.0,"a":2 }' });
    assert.equal(
      line,
      '{"chain":"gw-1","sequence":42,"at":"2026-01-02T03:04:05.067Z","at_ms":1767323045067,' +
        `"event":"FrameRefused","charger":"CP-1","document":{ "a": 1.0,"a":2 },"hash":"${record.hash}"}\n`,
    );
  });

  for (const document of ['{"a":1}\n{"forged":true}', '} , {"', '', '{"a":\n1}', '1 2']) {
    test(`stays one line of JSON with the document ${JSON.stringify(document)}`, () => {
      const line = jsonLine({ ...record, document });
      assert.equal(line.indexOf('\n'), line.length - 1);
      const parsed = JSON.parse(line) as Readonly<Record<string, unknown>>;
      assert.equal(parsed['document'], document);
    });
  }

  test('can be shown on a terminal, and is the same JSON', () => {
    const document = JSON.stringify({ text: '\u001b[2J \u009b2J \u202e ä😀' });
    const line = jsonLine({ ...record, document }).trimEnd();
    assert.match(asciiJson(line), /^[ -~]+$/);
    assert.deepEqual(JSON.parse(asciiJson(line)), JSON.parse(line));
  });

  test('a time that there is not is null', () => {
    for (const at_ms of [-1, 1e18, Number.NaN]) {
      assert.match(jsonLine({ ...record, at_ms }), /"at":null/);
      assert.equal(parseSyslog(syslogLine({ ...record, at_ms })).time, '-');
    }
  });
});

describe('a record as syslog (RFC 5424)', () => {
  test('has every part in its place', () => {
    const { values, message, ...header } = parseSyslog(syslogLine(record));
    assert.deepEqual(header, {
      pri: 13 * 8 + 4,
      time: '2026-01-02T03:04:05.067Z',
      host: 'gw-1',
      app: 'gatewatt',
      process: '-',
      messageId: 'FrameRefused',
      id: 'audit@32473',
    });
    assert.deepEqual(
      [...values],
      [
        ['sequence', '42'],
        ['hash', record.hash],
        ['charger', 'CP-1'],
      ],
    );
    assert.deepEqual(JSON.parse(message), JSON.parse(record.document));
    assert.match(message, /^[ -~]+$/, 'ASCII needs no byte order mark');
  });

  test('every event has a severity, and a name that fits', () => {
    const severities = { error: 3, warn: 4, info: 6, none: 6, debug: 7 };
    for (const [event, { level }] of Object.entries(events)) {
      const { pri, messageId } = parseSyslog(syslogLine({ ...record, event }));
      assert.equal(pri, 104 + severities[level], event);
      assert.equal(messageId, event);
    }
    assert.equal(parseSyslog(syslogLine({ ...record, event: 'OfANewerRelease' })).pri, 110);
    assert.equal(parseSyslog(syslogLine({ ...record, event: 'toString' })).pri, 110);
  });

  test('a record without a charger has no such parameter', () => {
    assert(!parseSyslog(syslogLine({ ...record, charger: null })).values.has('charger'));
  });

  for (const charger of ['a"b', 'a\\b', 'a]b', '"] forged [x y="', '\\"', 'end\\']) {
    test(`the charger ${charger} cannot leave its value`, () => {
      assert.equal(parseSyslog(syslogLine({ ...record, charger })).values.get('charger'), charger);
    });
  }

  test('nothing breaks the line or the header', () => {
    const hostile = 'a b\nc\r\u0000\u001bé😀';
    const line = syslogLine({
      chain: `${hostile}${'x'.repeat(300)}`,
      sequence: 1,
      at_ms: 0,
      event: `${hostile}${'x'.repeat(100)}`,
      charger: hostile,
      document: hostile,
      hash: hostile,
    });
    const { host, messageId, values, message } = parseSyslog(line);
    assert.equal(host?.length, 255);
    assert.match(messageId ?? '', /^a\?b\?c\?{4,}x+$/);
    assert.equal(messageId?.length, 32);
    assert.match(values.get('charger') ?? '', /^a b\?c\?+$/);
    assert.equal(JSON.parse(message), hostile);
    assert.match(line, /^[ -~]+\n$/);
    assert.equal(parseSyslog(syslogLine({ ...record, chain: '' })).host, '-');
  });
});
