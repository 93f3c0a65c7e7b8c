import assert from 'node:assert/strict';
import { type ChargerCredential, noCredential } from '../../src/chargers/charger-credential.ts';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import {
  type AuthenticationKnowledge,
  type AuthenticationPolicy,
  type AuthenticationRequest,
  Authenticator,
  type PasswordBatch,
} from '../../src/identity/authentication.ts';
import type { BasicEvidence } from '../../src/identity/basic-auth.ts';
import { PasswordVerifier } from '../../src/identity/password-verifier.ts';
import type { ChainOptions } from '../../src/pki/client-certificate.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';
import { quickDigest, quickHash } from './quick-hash.ts';

export const password = 'the password of cp-1';
export const factory = 'factory-default-0001';
export const key = Buffer.from('00ff3a800a0d3a00c3283aff0011223344556677', 'hex');
export const batch: PasswordBatch = {
  name: 'spring',
  chargers: ['cp-*', 'depot-7'],
  password: Buffer.from(factory),
};
export const chain: ChainOptions = { organizations: [], crlGraceHours: 0, expired: 'refuse' };

export const basic = (user: string, secret: string | Buffer): BasicEvidence => ({
  is: 'basic',
  credential: Buffer.concat([Buffer.from(`${user}:`), Buffer.from(secret)]),
});
export const attempts = {
  perSourceMax: 30,
  perIdentityMax: 30,
  overallMax: 1000,
  windowSeconds: 60,
};

export interface Bench {
  readonly verifier: PasswordVerifier;
  /** What becomes of a charger: a word for the credential that let it in, or the code. */
  judge(request?: Partial<AuthenticationRequest>, known?: Knowledge): Promise<unknown>;
  /** The whole value of one that is let in. */
  accept(request?: Partial<AuthenticationRequest>, known?: Knowledge): Promise<unknown>;
}

export type Knowledge = Partial<Omit<AuthenticationKnowledge, 'credential'>> & {
  readonly credential?: Partial<ChargerCredential>;
};

export function stored(
  secret: string | Buffer,
  salt?: string,
): Pick<ChargerCredential, 'password'> {
  const hash = quickHash(secret, salt);
  return { password: { hash, origin: 'operator', setAtMs: 0, form: undefined } };
}

export function next(secret: string | Buffer): Pick<ChargerCredential, 'next'> {
  const hash = quickHash(secret);
  return { next: { hash, origin: 'csms', state: 'accepted', sinceMs: 0 } };
}

export const record = { id: 'CP-1' };

export function bench(
  policy: Partial<AuthenticationPolicy> = {},
  clock: ManualClock = manualClock(Date.now()),
  limits: { readonly perSourceMax?: number; readonly hashesWaitingMax?: number } = {},
): Bench {
  const { hashesWaitingMax = 100, perSourceMax = 30 } = limits;
  const options = { hashesAtOnceMax: 1, hashesWaitingMax, hash: quickDigest };
  const verifier = new PasswordVerifier(
    { ...options, attempts: { ...attempts, perSourceMax } },
    clock,
  );
  const certificates = new Map([['secure', chain]]);
  const authenticator = new Authenticator(
    { unknown: 'reject', firstUse: 'refuse', batches: [], certificates, ...policy },
    verifier,
    clock,
  );
  const run: (...args: Parameters<Bench['judge']>) => ReturnType<Authenticator['authenticate']> = (
    request = {},
    { credential, ...known } = {},
  ) =>
    authenticator.authenticate(
      {
        unverifiedId: 'CP-1' as ChargerId,
        remoteAddress: '192.0.2.1',
        listener: 'secure',
        securityProfile: 2,
        basic: { is: 'absent' },
        clientCertificate: undefined,
        trust: undefined,
        gone: new AbortController().signal,
        ...request,
      },
      {
        record,
        certificateOwners: [],
        ownCertificates: [],
        ...known,
        credential: { ...noCredential, ...credential },
      },
    );
  return {
    verifier,
    judge: async (request, known) => {
      const result = await run(request, known);
      return result.ok ? result.value.by : result.error.code;
    },
    accept: async (request, known) => {
      const result = await run(request, known);
      assert(result.ok, result.ok ? '' : result.error.code);
      return result.value;
    },
  };
}

export const shows = (secret: string | Buffer, user = 'CP-1') => ({ basic: basic(user, secret) });
export const stranger: Knowledge = { record: undefined };
