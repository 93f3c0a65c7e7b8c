import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { type Random, systemRandom } from '../../lib/random.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import { type SignatureAlgorithm, signatureAlgorithms } from '../../signing/algorithms.ts';
import { thumbprintOf } from '../../signing/signing-key.ts';
import { describeSystemError } from '../describe-system-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { fingerprintKid, publicJwk } from './public-jwk.ts';
import { selfSignedCertificate } from './self-signed.ts';

interface SigningKeyOptions {
  readonly algorithm: SignatureAlgorithm;
  readonly out: string;
  readonly certificate?: true;
  readonly days: number;
  readonly name: string;
}

/** `gatewatt pki signing-key`. */
export function signingKeyCommand(): Command {
  return new Command('signing-key')
    .summary('make a key pair for signed messages')
    .description(
      'Makes a key for `gatewatt sign`, and what the gateway pins: signing-key.pem (private, PKCS #8,\n' +
        'for its owner alone), jwks.json, and with --certificate also certificate.pem, which is\n' +
        'signed by the key itself. Nothing is overwritten.',
    )
    .requiredOption('-o, --out <directory>', 'where the files go; made when it is not there')
    .addOption(
      new Option('-a, --algorithm <name>', 'the algorithm; EdDSA is none of OCPP')
        .choices([...signatureAlgorithms])
        .default('ES256'),
    )
    .option('--certificate', 'make a certificate as well')
    .option('--days <number>', 'how long the certificate is valid', parseDays, 825)
    .option(
      '--name <text>',
      'the common name (CN) of the certificate',
      parseName,
      'gatewatt signer',
    )
    .action(async (options: SigningKeyOptions) => {
      const made = await makeSigningKey(options, systemClock(), systemRandom);
      if (!made.ok) {
        process.stderr.write(`gatewatt: ${made.error}\n`);
        process.exitCode = exitCodes.failed;
        return;
      }
      for (const file of made.value.files) process.stdout.write(`${file}\n`);
      process.stdout.write(`kid: ${made.value.kid}\n`);
    });
}

/** What was made. */
export interface MadeSigningKey {
  readonly files: readonly string[];
  readonly kid: string;
}

/** Makes the key and its files; all of them, or none. */
export async function makeSigningKey(
  options: SigningKeyOptions,
  clock: Clock,
  random: Random,
): Promise<Result<MadeSigningKey, string>> {
  const { algorithm, days, name, out } = options;
  const key = newKey(algorithm);
  const certificate =
    options.certificate === true
      ? await selfSignedCertificate(key, algorithm, { commonName: name, days }, clock, random)
      : undefined;
  const x5tS256 =
    certificate === undefined ? undefined : thumbprintOf(new X509Certificate(certificate));
  const jwks = { keys: [publicJwk(key, algorithm, x5tS256)] };
  const files: readonly NewFile[] = [
    { name: 'jwks.json', text: `${JSON.stringify(jwks, null, 2)}\n`, mode: 0o644 },
    ...(certificate === undefined
      ? []
      : [{ name: 'certificate.pem', text: certificate, mode: 0o644 }]),
    {
      name: 'signing-key.pem',
      text: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      mode: 0o600,
    },
  ];
  const written = await writeNewFiles(out, files);
  return written.ok ? ok({ files: written.value, kid: fingerprintKid(key) }) : written;
}

/** RSA keys live for years; elliptic ones are of the size that their algorithm has. */
const rsaBits = 3072;

function newKey(algorithm: SignatureAlgorithm): KeyObject {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'RS256':
    case 'RS384':
      return generateKeyPairSync('rsa', { modulusLength: rsaBits }).privateKey;
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey;
  }
}

interface NewFile {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
}

async function writeNewFiles(
  directory: string,
  files: readonly NewFile[],
): Promise<Result<readonly string[], string>> {
  const places = files.map((file) => ({ ...file, place: path.join(directory, file.name) }));
  const written: string[] = [];
  try {
    await mkdir(directory, { recursive: true });
    // All of them first: one that is there must not leave half a key beside it.
    for (const { place } of places) {
      if (await exists(place)) return failed(`${place} is there already; nothing was written`);
    }
    for (const { mode, place, text } of places) {
      await writeFile(place, text, { mode, flag: 'wx' });
      written.push(place);
    }
    return ok(written);
  } catch (error) {
    for (const place of written) await rm(place, { force: true });
    return failed(describeSystemError(error));
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function parseDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days >= 1 && days <= 36_500) return days;
  throw new InvalidArgumentError('must be a number from 1 to 36500');
}

function parseName(text: string): string {
  if (/^[ -~]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('must be 1 to 64 printable ASCII characters');
}
