import { type Command, Option } from 'commander';
import type { CertificateBinding } from '../../chargers/charger-credential.ts';
import { type SecurityProfile, securityProfiles } from '../../chargers/charger-entry.ts';
import { describePasswordProblem } from '../../identity/password-hash.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import { readSecretFile, withoutLineBreak } from '../secret-file.ts';
import { bindingOfName, bindingOfPem, bindingOfSerial } from './binding-text.ts';
import { type GivenOptions, textsIn } from './setting-options.ts';

/** What the command line changes about how a charger authenticates itself. */
export interface CredentialChange {
  readonly password?: Buffer | undefined;
  /** Certificates that become the charger's, beside those that it has. */
  readonly bindings: readonly CertificateBinding[];
  readonly csmsPassword?: Buffer | undefined;
  readonly clears: ReadonlySet<CredentialField>;
  readonly allowsDefault: boolean;
  readonly raiseTo?: SecurityProfile | undefined;
}

/** What `--clear` takes beside settings. */
export const credentialFields = ['password', 'certificates', 'csms-password'] as const;
/** One of them. */
export type CredentialField = (typeof credentialFields)[number];

/** Bytes of a file with a password. Longer ones are of no use. */
const passwordFileBytesMax = 1024;
/** Bytes of a file with a certificate and those above it. */
const certificateFileBytesMax = 65_536;

/** Adds the options that set a credential. Secrets come from files: processes are listed. */
export function withCredentialOptions(command: Command): Command {
  return command
    .option('--password-file <file>', 'its password; 32 to 40 hexadecimal digits mean their bytes')
    .option('--certificate <file>', 'a certificate (PEM) with which it may connect')
    .option('--certificate-name <name>', 'the same, by the common name (CN) of the subject')
    .option('--certificate-serial <hex>', 'the same, by the serial number of the certificate')
    .option(
      '--csms-password-file <file>',
      'the password with which the gateway connects to the CSMS for it (csms.auth perCharger)',
    );
}

/** Adds the options that mean something only for a charger that is there. */
export function withCredentialChangeOptions(command: Command): Command {
  return command
    .option('--allow-default', 'let it come with the default password of its batch again')
    .addOption(
      new Option(
        '--raise-to <n>',
        'the security profile that it shall use from now on; until it has done so once, the old ' +
          'one is let in too',
      ),
    );
}

/** What was read, and what the operator should know. */
export interface ReadCredentials {
  readonly change: CredentialChange;
  /** Sentences for standard error, none of which stops anything. */
  readonly remarks: readonly string[];
}

/** Does anything about a credential change? */
export function changesCredential(change: CredentialChange): boolean {
  return (
    change.password !== undefined ||
    change.csmsPassword !== undefined ||
    change.raiseTo !== undefined ||
    change.bindings.length > 0 ||
    change.clears.size > 0 ||
    change.allowsDefault
  );
}

/** Reads the options and the files that they name. All mistakes are found at once. */
export async function readCredentials(
  given: GivenOptions,
  nowMs: number,
): Promise<Result<ReadCredentials, readonly string[]>> {
  const mistakes: string[] = [];
  const remarks: string[] = [];
  const password = await readPassword('password-file', given['passwordFile'], mistakes, remarks);
  const csmsPassword = await readPassword(
    'csms-password-file',
    given['csmsPasswordFile'],
    mistakes,
    remarks,
  );
  const bindings = await readBindings(given, nowMs, mistakes, remarks);
  const clears = new Set(
    credentialFields.filter((field) => textsIn(given['clear']).includes(field)),
  );
  const allowsDefault = given['allowDefault'] === true;
  if (clears.has('password') && password !== undefined) {
    mistakes.push('--clear password: it is set as well');
  }
  if (clears.has('csms-password') && csmsPassword !== undefined) {
    mistakes.push('--clear csms-password: it is set as well');
  }
  if (allowsDefault && (password !== undefined || clears.has('password'))) {
    mistakes.push('--allow-default: it clears the password, so that one cannot be set or cleared');
  }
  const raiseTo = readProfile(given['raiseTo'], mistakes);
  if (mistakes.length > 0) return failed(mistakes);
  const change = { password, bindings, csmsPassword, clears, allowsDefault, raiseTo };
  return ok({ change, remarks });
}

async function readPassword(
  option: string,
  file: unknown,
  mistakes: string[],
  remarks: string[],
): Promise<Buffer | undefined> {
  if (typeof file !== 'string') return undefined;
  const read = await readSecretFile(file, passwordFileBytesMax);
  if (!read.ok) {
    mistakes.push(`--${option}: ${read.error}`);
    return undefined;
  }
  if (read.value.remark !== undefined) remarks.push(read.value.remark);
  const password = Buffer.from(withoutLineBreak(read.value.bytes));
  const problem = describePasswordProblem(password);
  if (problem?.is === 'unusable') mistakes.push(`--${option}: ${problem.text}`);
  if (problem?.is === 'weak') remarks.push(`${file} holds a weak password: ${problem.text}`);
  return password;
}

async function readBindings(
  given: GivenOptions,
  nowMs: number,
  mistakes: string[],
  remarks: string[],
): Promise<readonly CertificateBinding[]> {
  const { certificate, certificateName, certificateSerial } = given;
  const bindings: CertificateBinding[] = [];
  const take = (option: string, binding: Result<CertificateBinding, string>): void => {
    if (binding.ok) bindings.push(binding.value);
    else mistakes.push(`--${option}: ${binding.error}`);
  };
  if (typeof certificate === 'string') {
    const file = await readSecretFile(certificate, certificateFileBytesMax);
    const read = file.ok ? bindingOfPem(file.value.bytes.toString('latin1'), nowMs) : file;
    take('certificate', read.ok ? ok(read.value.binding) : read);
    if (read.ok) remarks.push(...read.value.remarks.map((it) => `${certificate}: ${it}`));
  }
  if (typeof certificateName === 'string') {
    take('certificate-name', bindingOfName(certificateName));
  }
  if (typeof certificateSerial === 'string') {
    take('certificate-serial', bindingOfSerial(certificateSerial));
  }
  // Somebody may think that a certificate would need all of them.
  if (bindings.length > 1) {
    mistakes.push('--certificate, --certificate-name, --certificate-serial: one of them at a time');
  }
  return bindings;
}

function readProfile(text: unknown, mistakes: string[]): SecurityProfile | undefined {
  if (typeof text !== 'string') return undefined;
  const profile = securityProfiles.find((it) => it > 0 && `${it}` === text);
  if (profile === undefined) mistakes.push('--raise-to: must be 1, 2 or 3');
  return profile;
}
