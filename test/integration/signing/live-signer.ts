import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { makeSigningKey } from '../../../src/cmd/pki/signing-key.ts';
import { readKey } from '../../../src/cmd/sign/command.ts';
import { type RunningSigner, runSigner } from '../../../src/cmd/sign/run-signer.ts';
import { type SignerConfig, signerSchema } from '../../../src/config/schema/signer.ts';
import type { GatewayEvent } from '../../../src/events/catalogue.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { type KeySet, readKeySet } from '../../../src/signing/key-set.ts';
import type { SignatureFormat } from '../../../src/signing/verify.ts';
import { verified } from '../../support/signing.ts';

/** A signer on loopback with a key of its own, and what a gateway would have pinned. */
export interface LiveSigner {
  readonly running: RunningSigner;
  url(identity: string): string;
  readonly keys: KeySet;
  /** What the gateway is to pin: a JWK set, or a certificate. */
  readonly pinnedFile: string;
  readonly events: readonly GatewayEvent[];
  /** The message inside a text of the signer, verified as the gateway would, at this moment. */
  verified(text: string, charger: string, action?: string): string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Choices of a test. */
export interface SignerChoices {
  readonly format?: SignatureFormat;
  readonly named?: 'kid' | 'certificate';
  readonly drainSeconds?: number;
  readonly limits?: object;
}

/** Starts a signer in front of `csmsUrl`, with files that the command line has made. */
export async function startSigner(
  csmsUrl: string,
  choices: SignerChoices = {},
): Promise<LiveSigner> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-sign-'));
  const { drainSeconds = 0, format = 'ocpp', limits = {}, named = 'kid' } = choices;
  const request = { algorithm: 'ES256', out: directory, days: 30, name: 'signer' } as const;
  const made = await makeSigningKey({ ...request, certificate: true }, systemClock(), systemRandom);
  if (!made.ok) throw new Error(made.error);
  const config: SignerConfig = signerSchema.parse({
    drainSeconds,
    listener: { address: '127.0.0.1:0', path: '/sign' },
    csms: { url: csmsUrl },
    signing: {
      keyFile: 'signing-key.pem',
      format,
      ...(named === 'kid' ? { keyId: made.value.kid } : { certificateFile: 'certificate.pem' }),
    },
    limits,
  });
  const configFile = path.join(directory, 'sign.yaml');
  const key = await readKey(config, configFile);
  if (!key.ok) throw new Error(`${key.error}: ${stringify(config.signing)}`);
  const events: GatewayEvent[] = [];
  const running = await runSigner(config, {
    configFile,
    key: key.value,
    log: { write: () => {} },
    observer: (event) => events.push(event),
  });
  const pinned = path.join(directory, named === 'kid' ? 'jwks.json' : 'certificate.pem');
  const text = await readFile(pinned, 'utf8');
  const sources = named === 'kid' ? { jwks: text, certificates: [] } : { certificates: [text] };
  const keys = readKeySet(sources, ['ES256']);
  if (!keys.ok) throw new Error(keys.error);
  return {
    running,
    url: (identity) => `ws://127.0.0.1:${running.port}/sign/${encodeURIComponent(identity)}`,
    keys: keys.value,
    pinnedFile: pinned,
    events,
    verified: (signedText, charger, action) => {
      const frame = verified(signedText, {
        keys: keys.value,
        charger,
        formats: [format],
        nowMs: Date.now(),
        actionOfReply: () => action,
      });
      if (!frame.ok) throw new Error(`${frame.error.is}: ${frame.error.detail}`);
      return frame.value.bytes.toString();
    },
    [Symbol.asyncDispose]: async () => {
      await running.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
