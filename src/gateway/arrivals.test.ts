import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../chargers/charger-id.ts';
import { Descriptions } from './arrivals.ts';

// Goal: a model's overrides hold from the first message of the next connection, within bounds.
// Method: more chargers than may be remembered. (Arrivals themselves need sockets: test/integration.)

const id = (text: string): ChargerId => text as ChargerId;
const of = (vendor: string) => ({ vendor, model: undefined, firmware: undefined });

describe('C16: what chargers said of themselves', () => {
  test('the last word counts, in any case of the identity', () => {
    const descriptions = new Descriptions(2);
    descriptions.remember(id('CP-1'), of('A'));
    descriptions.remember(id('cp-1'), of('B'));
    assert.equal(descriptions.of(id('CP-1'))?.vendor, 'B');
    assert.equal(descriptions.of(id('CP-2')), undefined);
  });

  test('the number is bounded, and who spoke last stays', () => {
    const descriptions = new Descriptions(2);
    for (const name of ['CP-1', 'CP-2', 'CP-1', 'CP-3']) descriptions.remember(id(name), of(name));
    const vendors = ['CP-1', 'CP-2', 'CP-3'].map((name) => descriptions.of(id(name))?.vendor);
    assert.deepEqual(vendors, ['CP-1', undefined, 'CP-3']);
  });
});
