import path from 'node:path';
import { Command } from 'commander';
import { describeMistake, loadYaml } from '../../config/load.ts';
import { type SignerConfig, signerSchema } from '../../config/schema/signer.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import { readSigningKey, type SigningKey } from '../../signing/signing-key.ts';
import { describeSystemError } from '../describe-system-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { readSecretFile } from '../secret-file.ts';
import { logToStandardOutput, stopSignal, untilStopped } from '../serve.ts';
import { type RunningSigner, runSigner } from './run-signer.ts';

/** `gatewatt sign`. */
export function signCommand(): Command {
  return new Command('sign')
    .summary('sign what a CSMS sends, beside the CSMS')
    .description(
      'Runs a proxy between the gateway and a CSMS that cannot sign. What the CSMS sends is signed\n' +
        'with the key; what comes from the chargers is passed on byte for byte. Ends as `serve`\n' +
        'does, and logs like it.',
    )
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .addHelpText(
      'after',
      '\nMake a key with `gatewatt pki signing-key`, and pin its jwks.json in the gateway.' +
        '\nExit codes: 0 stopped on request, 1 could not start, 2 mistakes in the configuration.',
    )
    .action(async (options: { readonly config: string }) => {
      process.exitCode = await sign(options.config);
    });
}

async function sign(configFile: string): Promise<number> {
  const config = await loadYaml(configFile, signerSchema);
  if (!config.ok) {
    for (const mistake of config.error) {
      process.stderr.write(`${describeMistake(configFile, mistake)}\n`);
    }
    return exitCodes.usage;
  }
  const key = await readKey(config.value, configFile);
  if (!key.ok) {
    process.stderr.write(`gatewatt: cannot start: ${key.error}\n`);
    return exitCodes.failed;
  }
  const log = logToStandardOutput();
  // From now on: who reads in the log that it has started may stop it at once.
  const signal = stopSignal();
  let running: RunningSigner;
  try {
    running = await runSigner(config.value, { configFile, key: key.value, log });
  } catch (error) {
    process.stderr.write(`gatewatt: cannot start: ${describeSystemError(error)}\n`);
    return exitCodes.failed;
  }
  await untilStopped(running, signal);
  log.flushSync();
  return exitCodes.ok;
}

/** A key of 4096 bits has 3300, a chain of certificates some more. */
const keyBytesMax = 16 * 1024;

/** Reads the key that `config` names. The failure names the file and nothing that is in it. */
export async function readKey(
  { signing }: SignerConfig,
  configFile: string,
): Promise<Result<SigningKey, string>> {
  const { algorithm, certificateFile, keyFile, keyId } = signing;
  const at = (file: string): string => path.resolve(path.dirname(configFile), file);
  const keyText = await readSecretFile(at(keyFile), keyBytesMax);
  if (!keyText.ok) return keyText;
  const { bytes, remark } = keyText.value;
  if (remark !== undefined) return failed(remark.replace('consider:', 'do:'));
  let certificatePem: string | undefined;
  if (certificateFile !== undefined) {
    const certificate = await readSecretFile(at(certificateFile), keyBytesMax);
    if (!certificate.ok) return certificate;
    certificatePem = certificate.value.bytes.toString('utf8');
  }
  const key = readSigningKey({ keyPem: bytes, algorithm, kid: keyId, certificatePem });
  return key.ok ? ok(key.value) : failed(`${at(keyFile)}: ${key.error}`);
}
