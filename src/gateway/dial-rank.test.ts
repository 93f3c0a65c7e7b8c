import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Authenticated } from '../identity/authentication.ts';
import { type DialRank, dialRank } from './dial-rank.ts';

// Goal: nobody gets in front of a charger that has shown who it is by inventing an identity, by
//   naming one, or by being the first to use one.
// Method: each way to authenticate, of chargers that are written down and of others.

const record = { id: 'CP-1' };
const password = Buffer.from('secret');
const binding = { kind: 'common-name', value: 'CP-1' } as const;

const cases: readonly (readonly [
  authenticated: Authenticated,
  ranks: { readonly written: DialRank; readonly other: DialRank },
])[] = [
  [
    { by: 'password', matched: 'current', form: 'raw', password },
    { written: 'proven', other: 'proven' },
  ],
  [
    { by: 'certificate', isExpired: false, learns: undefined },
    { written: 'proven', other: 'proven' },
  ],
  [
    { by: 'certificate', isExpired: false, learns: binding },
    { written: 'newcomer', other: 'newcomer' },
  ],
  [
    { by: 'first-password', form: 'raw', password },
    { written: 'newcomer', other: 'newcomer' },
  ],
  [
    { by: 'default-password', batch: 'b', password },
    { written: 'newcomer', other: 'newcomer' },
  ],
  [
    { by: 'nobody', password: undefined },
    { written: 'known', other: 'newcomer' },
  ],
];

describe('T2-28: the rank of a charger', () => {
  for (const [authenticated, { written, other }] of cases) {
    const learns = 'learns' in authenticated && authenticated.learns !== undefined;
    const how = `${authenticated.by}${learns ? ' for the first time' : ''}`;
    test(`by ${how}: ${written} when it is written down, ${other} when it is not`, () => {
      assert.equal(dialRank(authenticated, { record }), written);
      assert.equal(dialRank(authenticated, { record: undefined }), other);
    });
  }
});
