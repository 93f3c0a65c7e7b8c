import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { events } from './catalogue.ts';
import { teeSink } from './emit.ts';
import { jsonLogger, logSink } from './log-sink.ts';
import { gatewayMetrics } from './metrics-sink.ts';

// Goal: every event is explained, and what is counted is what is written.
// Method: walk the catalogue; then one event through all sinks.

const finding = {
  charger: 'CP-1',
  from: 'charger',
  version: 'ocpp1.6',
  rule: 'payload',
  code: 'PAYLOAD_LENGTH',
  severity: 'soft',
  action: 'BootNotification',
  detail: 'BootNotification request /chargePointModel maxLength',
} as const;

describe('the event catalogue', () => {
  for (const [name, { meaning, remedy }] of Object.entries(events)) {
    test(`${name} is named and explained`, () => {
      assert.match(name, /^(?:[A-Z][a-z]+)+$/);
      assert.match(meaning, /^[A-Z].*\.$/s);
      assert.match(remedy, /^[A-Z].*\.$/s);
    });
  }
});

describe('the log', () => {
  const logged = (level: 'debug' | 'info' | 'warn' | 'error') => {
    const lines: string[] = [];
    const sink = logSink(jsonLogger(level, { write: (line) => lines.push(line) }));
    return { lines, sink };
  };

  test('an event is one line of JSON with its time, level, name and fields', () => {
    const { lines, sink } = logged('info');
    sink({ name: 'FrameRefused', ...finding, penalty: 'drop' });
    assert.equal(lines.length, 1);
    const entry = JSON.parse(lines[0] ?? '') as Readonly<Record<string, unknown>>;
    assert.deepEqual([entry['event'], entry['level']], ['FrameRefused', 'warn']);
    assert.deepEqual([entry['charger'], entry['code']], ['CP-1', 'PAYLOAD_LENGTH']);
    assert.match(String(entry['time']), /^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test('quieter events than the level are left out, and counted-only ones always', () => {
    const { lines, sink } = logged('warn');
    sink({ name: 'FrameFlagged', ...finding });
    assert.equal(lines.length, 0);
    const { lines: all, sink: debugSink } = logged('debug');
    debugSink({
      name: 'FrameAdmitted',
      charger: 'CP-1',
      from: 'csms',
      version: 'ocpp2.1',
      frameKind: 'call',
      action: 'Reset',
    });
    assert.equal(all.length, 0);
  });

  test('T2-34: a newline in a field stays inside its line', () => {
    const { lines, sink } = logged('info');
    sink({
      name: 'CsmsDialFailed',
      charger: 'CP-1',
      code: 'CSMS_UNREACHABLE',
      detail: 'a\nb\u001b[31m',
    });
    assert.equal(lines.join('').trimEnd().split('\n').length, 1);
    assert.equal(lines.join('').includes('\u001b'), false);
  });
});

describe('the metrics', () => {
  test('a refused message is counted by rule and verdict, and the event by code', async () => {
    const metrics = gatewayMetrics({ processMetrics: false });
    const sink = teeSink([metrics.sink, metrics.sink]);
    sink({ name: 'FrameRefused', ...finding, penalty: 'drop' });
    metrics.sessionsFrom(() => 3);
    metrics.observeAdded('charger', 'call', 0.0002);
    const text = await metrics.registry.metrics();
    const labels = 'from="charger",version="ocpp1.6",rule="payload",verdict="refused"';
    assert(text.includes(`gatewatt_frames_total{${labels}} 2`), text);
    assert(text.includes('gatewatt_events_total{event="FrameRefused",code="PAYLOAD_LENGTH"} 2'));
    assert(text.includes('gatewatt_sessions 3'));
    assert(text.includes('gatewatt_frame_added_seconds_count{from="charger",kind="call"} 1'));
  });

  test('times are in the buckets that Prometheus expects, each with those before it', async () => {
    const metrics = gatewayMetrics({ processMetrics: false });
    for (const seconds of [0.0001, 0.0002, 0.003, 28, 31]) {
      metrics.observeAdded('csms', 'call-result', seconds);
    }
    const text = await metrics.registry.metrics();
    const added = (suffix: string): string =>
      new RegExp(`^gatewatt_frame_added_seconds_${suffix} (.*)$`, 'm').exec(text)?.[1] ?? '';
    const bucket = (le: string): string =>
      added(`bucket\\{le="${le}",from="csms",kind="call-result"\\}`);
    const bounds = ['0.0001', '0.00025', '0.0025', '0.005', '5', '30', '\\+Inf'];
    assert.deepEqual(bounds.map(bucket), ['1', '2', '2', '3', '3', '4', '5']);
    assert.equal(
      added('sum\\{from="csms",kind="call-result"\\}'),
      String(0.0001 + 0.0002 + 0.003 + 28 + 31),
    );
    assert.equal(added('count\\{from="csms",kind="call-result"\\}'), '5');
    assert.match(text, /^# TYPE gatewatt_frame_added_seconds histogram$/m);
  });

  test('an admitted message is counted once, without its charger or action', async () => {
    const metrics = gatewayMetrics({ processMetrics: false });
    const { charger, from, version } = finding;
    const event = { name: 'FrameAdmitted', charger, from, version, frameKind: 'call' } as const;
    metrics.sink({ ...event, action: 'Heartbeat' });
    const text = await metrics.registry.metrics();
    const labels = 'from="charger",version="ocpp1.6",rule="none",verdict="admitted"';
    assert(text.includes(`gatewatt_frames_total{${labels}} 1`), text);
    assert.doesNotMatch(text, /CP-1|Heartbeat/);
  });
});
