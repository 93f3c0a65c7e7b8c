import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../chargers/charger-id.ts';
import { ChargerNetworks } from './charger-networks.ts';

// Goal: a charger connects from where it belongs, and nobody else does from there.
// Method: two networks, and chargers of both, of one, and of none, at each place.

const networks = new ChargerNetworks([
  { name: 'bay-1', chargers: ['CP-1', 'SHARED'] },
  { name: 'north', chargers: ['NORTH-*', 'shared'] },
]);

const places: readonly (readonly [string, readonly (string | undefined)[]])[] = [
  ['CP-1', ['bay-1']],
  ['cp-1', ['bay-1']],
  ['NORTH-17', ['north']],
  ['north-17', ['north']],
  ['Shared', ['bay-1', 'north']],
  ['CP-10', [undefined]],
  ['CP-2', [undefined]],
];

describe('PNNL-35706, figure 6: a charger', () => {
  for (const [charger, allowed] of places) {
    test(`${charger} connects from ${allowed.map((it) => it ?? 'outside').join(' or ')} only`, () => {
      const admitting = [undefined, 'bay-1', 'north', 'unheard-of'].filter((place) =>
        networks.admit(charger as ChargerId, place),
      );
      assert.deepEqual(admitting, allowed);
    });
  }

  test('of a gateway without isolated networks connects from anywhere', () => {
    assert.equal(new ChargerNetworks([]).admit('CP-1' as ChargerId, undefined), true);
  });
});
