import type { Config } from '../config/schema/config.ts';
import type { Watched } from '../connection/watched-files.ts';
import type { SigningPolicy } from '../gateway/signature-gate.ts';
import type { KeySet } from '../signing/key-set.ts';
import { signatureFormats } from '../signing/verify.ts';

/** What the configuration demands of the signatures of the CSMS; undefined where no key is pinned. */
export function signingPolicy(
  { csms: { signing } }: Config,
  keys: Watched<KeySet> | undefined,
): SigningPolicy | undefined {
  if (keys === undefined) return undefined;
  return {
    keys: () => keys.current(),
    isRequired: signing.required,
    formats: signing.format === 'either' ? signatureFormats : [signing.format],
    demand: signing.demand,
    maxAgeMs: signing.maxAgeSeconds * 1000,
    clockSkewMs: signing.clockSkewSeconds * 1000,
    forwardTo: signing.forwardTo,
  };
}
