import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ErrorCode, errors } from '../../../src/errors/catalogue.ts';
import type { OcppVersion } from '../../../src/ocpp/version.ts';
import { signMessage } from '../../../src/signing/sign.ts';
import type { SigningKey } from '../../../src/signing/signing-key.ts';
import type { SignatureFormat } from '../../../src/signing/verify.ts';
import {
  type ConfigChanges,
  type LiveGateway,
  startLiveGateway,
} from '../../support/live-gateway.ts';
import { publicJwk, testSigner } from '../../support/signing.ts';
import {
  connectCharger,
  type HandCsms,
  startHandCsms,
  type TextPeer,
} from '../../support/text-peer.ts';

// A gateway that demands signatures, and a CSMS that signs by hand: what it signs, and what it says
// in the name of others, is for the test to choose.

/** What a test wants to be signed otherwise than well. */
export interface SignChoices {
  readonly format?: SignatureFormat;
  readonly signer?: SigningKey;
  readonly charger?: string;
  /** How long ago; negative for the future. */
  readonly agoMs?: number;
  readonly nonce?: string;
  /** The action of the call, for replies. */
  readonly action?: string;
}

/** Signs for CP-1, with the pinned key of tests, now. */
export function sign(text: string, choices: SignChoices = {}): string {
  const { action, agoMs = 0, charger = 'CP-1', format = 'ocpp', nonce = randomUUID() } = choices;
  const frame = signMessage(Buffer.from(text), format, choices.signer ?? testSigner(), {
    charger,
    nowMs: Date.now() - agoMs,
    nonce,
    actionOfReply: () => action,
  });
  assert.ok(frame.ok, frame.ok ? '' : frame.error);
  return frame.value.bytes.toString();
}

/** The key set of a gateway, as a file that can be replaced while it runs. */
export interface KeysFile {
  readonly path: string;
  /** Puts another set in its place at once. */
  write(signers: readonly SigningKey[]): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes a file with the keys of `signers`. */
export async function keysFile(
  signers: readonly SigningKey[] = [testSigner('ES256'), testSigner('RS256')],
): Promise<KeysFile> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-keys-'));
  const file = path.join(directory, 'jwks.json');
  const write = async (of: readonly SigningKey[]): Promise<void> => {
    const keys = of.map(({ key, kid }) => ({ ...publicJwk(key), kid }));
    await writeFile(`${file}.new`, JSON.stringify({ keys }));
    await rename(`${file}.new`, file);
  };
  await write(signers);
  return {
    path: file,
    write,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** A charger and its connection to the CSMS. */
export interface SignedThrough {
  readonly charger: TextPeer;
  readonly csms: TextPeer;
}

/** A gateway that demands signatures, and what is around it. */
export interface SignedWorld extends SignedThrough {
  readonly version: OcppVersion;
  readonly gateway: LiveGateway;
  readonly server: HandCsms;
  readonly keys: KeysFile;
  /** Connects another charger, or this one again. */
  connect(identity?: string): Promise<SignedThrough>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a test wants otherwise. */
export interface WorldOptions {
  readonly version?: OcppVersion;
  readonly preset?: 'monitor' | 'standard' | 'strict';
  readonly signing?: object;
  /** Whose keys are pinned. */
  readonly signers?: readonly SigningKey[];
  readonly changes?: ConfigChanges;
}

/** Starts all three; CP-1 has booted, with signed answers. */
export async function startSignedWorld(options: WorldOptions = {}): Promise<SignedWorld> {
  const { changes = {}, preset = 'standard', signing = {}, version = 'ocpp1.6' } = options;
  const chargers: TextPeer[] = [];
  const stack = new AsyncDisposableStack();
  try {
    const keys = stack.use(await keysFile(options.signers));
    const server = stack.use(await startHandCsms());
    const gateway = stack.use(
      await startLiveGateway(server.url, {
        ...changes,
        csms: { url: server.url, signing: { required: true, keysFile: keys.path, ...signing } },
        rules: { preset, ...(changes['rules'] as object | undefined) },
      }),
    );
    stack.defer(() => {
      for (const { socket } of chargers) socket.terminate();
    });
    const connect = async (identity = 'CP-1'): Promise<SignedThrough> => {
      const charger = await connectCharger(gateway.url(identity), [version]);
      chargers.push(charger);
      return { charger, csms: await server.nextConnection() };
    };
    const first = await connect();
    const ready = stack.move();
    return {
      ...first,
      version,
      gateway,
      server,
      keys,
      connect,
      [Symbol.asyncDispose]: () => ready.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

const bootPayloads: Readonly<Record<OcppVersion, object>> = {
  'ocpp1.6': { chargePointVendor: 'V', chargePointModel: 'M' },
  'ocpp2.0.1': { reason: 'PowerUp', chargingStation: { vendorName: 'V', model: 'M' } },
  'ocpp2.1': { reason: 'PowerUp', chargingStation: { vendorName: 'V', model: 'M' } },
};

let calls = 0;

/** The charger boots, and the answer is signed. */
export async function bootSigned(
  { charger, csms }: SignedThrough,
  choices: SignChoices = {},
  version: OcppVersion = 'ocpp1.6',
): Promise<void> {
  calls += 1;
  const id = `boot-${calls}`;
  charger.sendMessage(2, id, 'BootNotification', bootPayloads[version]);
  assert.deepEqual(await csms.nextMessage(), [2, id, 'BootNotification', bootPayloads[version]]);
  const currentTime = new Date().toISOString();
  const answer = JSON.stringify([3, id, { status: 'Accepted', currentTime, interval: 300 }]);
  csms.send(sign(answer, { ...choices, action: 'BootNotification' }));
  assert.equal(await charger.next(), answer);
}

/** A call of the CSMS whose bytes no JSON library would write again. */
export function clearCache(): string {
  calls += 1;
  return `[2,"clear-${calls}" , "ClearCache",{ }]`;
}

/** What `clearCache` is when it has been in an envelope that names its action by itself. */
export function asForwarded(text: string, format: SignatureFormat): string {
  if (format === 'whole-frame') return text;
  const [typeId, id, action] = JSON.parse(text) as readonly unknown[];
  return `[${String(typeId)},${JSON.stringify(id)},${JSON.stringify(action)},{ }]`;
}

/** A well-signed call reaches the charger as what was signed, and its answer the CSMS. */
export async function passesSigned(
  { charger, csms }: SignedThrough,
  choices: SignChoices = {},
): Promise<void> {
  const text = clearCache();
  csms.send(sign(text, choices));
  assert.equal(await charger.next(), asForwarded(text, choices.format ?? 'ocpp'));
  const [, id] = JSON.parse(text) as readonly unknown[];
  const answer = `[3,"${String(id)}",{"status":"Accepted"}]`;
  charger.send(answer);
  assert.equal(await csms.next(), answer);
}

/** The CallError with which the gateway refuses a call of the CSMS in this release. */
export function refusal(id: string, code: ErrorCode): string {
  return JSON.stringify([4, id, 'SecurityError', errors[code].sentence, {}]);
}
