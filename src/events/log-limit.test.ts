import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualClock } from '../../test/support/manual-clock.ts';
import type { GatewayEvent } from './catalogue.ts';
import { limitLog } from './log-limit.ts';

// Goal: neither one peer nor a crowd fills the log, and nobody else loses an entry for it.
// Method: a clock that stands still, small limits, and the entries that come out.

const perSource = { burst: 3, perSecond: 1 };
const total = { burst: 100, perSecond: 10 };

function limited(limits = { perSource, total }) {
  const clock = manualClock();
  const out: GatewayEvent[] = [];
  return { clock, out, sink: limitLog((event) => out.push(event), limits, clock) };
}

const retried = (charger: string): GatewayEvent => ({ name: 'CallRetried', charger, from: 'csms' });
const refusedUpgrade = (charger: string, remoteAddress: string): GatewayEvent => ({
  name: 'UpgradeRefused',
  code: 'IDENTITY_UNKNOWN',
  listener: 'field',
  remoteAddress,
  charger,
});

describe('the log limit', () => {
  test('a burst of one charger passes, the rest is counted and told with the next entry', () => {
    const { clock, out, sink } = limited();
    for (let round = 0; round < 10; round += 1) sink(retried('CP-1'));
    assert.equal(out.length, 3);
    clock.advance(1000);
    sink(retried('CP-1'));
    assert.deepEqual(out.slice(3), [
      { name: 'EventsSuppressed', suppressed: 'CallRetried', count: 7 },
      retried('CP-1'),
    ]);
    clock.advance(1000);
    sink(retried('CP-1'));
    assert.equal(out.length, 6, 'what was told is not told again');
  });

  test('another charger, or another event of the same one, is not affected', () => {
    const { out, sink } = limited();
    for (let round = 0; round < 10; round += 1) sink(retried('CP-1'));
    const failure: GatewayEvent = { name: 'SessionFailed', charger: 'CP-1', error: 'x' };
    sink(failure);
    assert.deepEqual(out.at(-1), failure);
    sink(retried('CP-2'));
    assert.deepEqual(out.at(-1), retried('CP-2'));
  });

  test('a stranger who invents identities is limited by its address', () => {
    const { out, sink } = limited();
    for (let n = 0; n < 20; n += 1) sink(refusedUpgrade(`CP-${n}`, '192.0.2.1'));
    assert.equal(out.length, 3);
    sink(refusedUpgrade('CP-1', '192.0.2.2'));
    assert.equal(out.filter(({ name }) => name === 'UpgradeRefused').length, 4);
  });

  test('the same address in another isolated network is somebody else', () => {
    const { out, sink } = limited();
    for (let n = 0; n < 20; n += 1) sink(refusedUpgrade('CP-1', '192.168.1.5@bay-1'));
    assert.equal(out.length, 3);
    sink(refusedUpgrade('CP-2', '192.168.1.5@bay-2'));
    assert.deepEqual(out.at(-1), refusedUpgrade('CP-2', '192.168.1.5@bay-2'));
  });

  test('a crowd is limited in all', () => {
    const { out, sink } = limited({ perSource, total: { burst: 5, perSecond: 0 } });
    for (let n = 0; n < 50; n += 1) sink(refusedUpgrade('CP-1', `192.0.2.${n}`));
    assert.equal(out.length, 5);
  });

  test('what the gateway does by itself always passes', () => {
    const { out, sink } = limited({ perSource, total: { burst: 1, perSecond: 0 } });
    for (let round = 0; round < 50; round += 1) sink({ name: 'GatewayStopping', sessions: round });
    assert.equal(out.length, 50);
  });

  test('an event that is never logged uses nothing up', () => {
    const { out, sink } = limited();
    const admitted = { name: 'FrameAdmitted', charger: 'CP-1', from: 'csms' } as const;
    for (let round = 0; round < 50; round += 1) {
      sink({ ...admitted, version: 'ocpp1.6', frameKind: 'call', action: 'Reset' });
    }
    assert.equal(out.length, 0);
    sink(retried('CP-1'));
    assert.equal(out.length, 1);
  });
});
