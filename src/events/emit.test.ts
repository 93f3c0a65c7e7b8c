import assert from 'node:assert/strict';
import { test } from 'node:test';
import { events, type GatewayEvent } from './catalogue.ts';
import { gatewaySink } from './emit.ts';

// Goal: that a message has passed is counted without asking the logs, and they lose nothing by it.
// Method: one event of either kind; and what the catalogue says of the one that is set apart.

test('a message that passes is counted alone, and everything else goes to all', () => {
  const counted: string[] = [];
  const heard: string[] = [];
  const emit = gatewaySink(
    ({ name }) => counted.push(name),
    ({ name }) => heard.push(name),
  );
  const passed: GatewayEvent = {
    name: 'FrameAdmitted',
    charger: 'CP-1',
    from: 'charger',
    version: 'ocpp1.6',
    frameKind: 'call',
    action: 'Heartbeat',
  };
  emit(passed);
  emit({ name: 'CallRetried', charger: 'CP-1', from: 'charger' });
  assert.deepEqual(counted, ['FrameAdmitted']);
  assert.deepEqual(heard, ['CallRetried']);
});

test('what is counted alone is in no log', () => {
  const { isAudited, level } = events.FrameAdmitted;
  assert.deepEqual({ isAudited, level }, { isAudited: false, level: 'none' });
});
