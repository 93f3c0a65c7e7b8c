import { type Command, Option } from 'commander';
import { z } from 'zod';
import {
  basicUserLengthMax,
  type ChargerSettings,
  feederLengthMax,
  notesLengthMax,
  ruleModesMax,
  type SettingsChange,
  securityProfiles,
} from '../../chargers/charger-entry.ts';
import { chargerRecordEntry } from '../../config/schema/chargers.ts';
import { ruleOverrideEntry } from '../../config/schema/rules.ts';
import { failed, ok, type Result } from '../../lib/result.ts';

/** One setting of a charger on the command line. */
interface SettingOption {
  /** Without dashes; `--clear` takes it too. */
  readonly name: string;
  readonly key: keyof ChargerSettings;
  readonly argument: string;
  readonly help: string;
  /** What commander calls it. */
  readonly attribute: string;
  /** From the text of the command line to what the schema checks. */
  read(text: string): unknown;
}

const asIs = (text: string): string => text;
const number = (text: string): unknown => (/^\d{1,9}$/.test(text) ? Number(text) : text);

const settingOptions: readonly SettingOption[] = [
  option('vendor', 'vendor', '<text>', 'the vendor, whatever the charger says of itself'),
  option('model', 'model', '<text>', 'the model, likewise'),
  option('firmware', 'firmware', '<text>', 'the firmware version, likewise'),
  option(
    'assume-subprotocol',
    'assumeSubprotocol',
    '<version>',
    'the version to assume when it offers no subprotocol: ocpp1.6, ocpp2.0.1 or ocpp2.1',
  ),
  option(
    'spell-errors-as',
    'spellErrorsAs',
    '<version>',
    'spell error codes towards it as this version does',
  ),
  option('serial-number', 'serialNumber', '<text>', 'as on its papers, for people'),
  option(
    'basic-user',
    'basicUser',
    '<name>',
    'the user name that it sends with its password, when it is not its identity',
  ),
  option('ping-seconds', 'pingSeconds', '<n>', 'between pings; 0 for none', number),
  option(
    'security-profile',
    'requiredSecurityProfile',
    '<n>',
    'the lowest security profile that it may use, 0 to 3',
    number,
  ),
  option('feeder', 'feeder', '<name>', 'the part of the grid that it hangs on'),
  option('rated-kw', 'ratedKw', '<n>', 'what it can take at most, in kW, rounded up', number),
  option(
    'signed-messages',
    'signedMessages',
    '<choice>',
    'what it gets of signed messages: strip (without the signature) or keep (as they came)',
  ),
  option('notes', 'notes', '<text>', 'for people'),
];
const recordMessages = 'record-messages';
const rule = 'rule';

/** What `--clear` takes. */
const clearable: ReadonlyMap<string, keyof ChargerSettings> = new Map([
  ...settingOptions.map(({ name, key }) => [name, key] as const),
  [recordMessages, 'recordsMessages'] as const,
  [rule, 'ruleModes'] as const,
]);

const printableText = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .regex(/^\P{C}*$/u, 'must not hold control characters');

/** The same bounds as in the configuration file, where it knows the setting. */
export const settingsSchema = chargerRecordEntry.omit({ id: true }).extend({
  requiredSecurityProfile: z.literal([...securityProfiles]).optional(),
  serialNumber: printableText(128).optional(),
  basicUser: printableText(basicUserLengthMax).optional(),
  feeder: printableText(feederLengthMax).optional(),
  notes: z.string().min(1).max(notesLengthMax).optional(),
  recordsMessages: z.boolean().optional(),
  ruleModes: z
    .array(ruleOverrideEntry.omit({ match: true }))
    .max(ruleModesMax)
    .optional(),
});

/** What commander has read. */
export type GivenOptions = Readonly<Record<string, unknown>>;

/** Adds the options that set something. */
export function withSettingOptions(command: Command): Command {
  for (const { name, argument, help } of settingOptions) {
    command.option(`--${name} ${argument}`, help);
  }
  return command
    .option(`--${recordMessages}`, 'put each of its messages into the audit log')
    .option(`--no-${recordMessages}`, 'do not')
    .addOption(
      new Option(
        `--${rule} <rule=mode[:side]>`,
        'another mode (off, monitor, enforce) for a rule, for messages from one side (charger, ' +
          'csms) or both; repeatable, and replaces all that were set',
      ).argParser(collect),
    );
}

/**
 * Adds the option that unsets something.
 *
 * @param others names of what can be unset beside settings.
 */
export function withClearOption(command: Command, others: readonly string[]): Command {
  const names = [...clearable.keys(), ...others].join(', ');
  return command.addOption(
    new Option('--clear <field>', `unset a field; repeatable: ${names}`).argParser(collect),
  );
}

/**
 * What the options change, or all mistakes in them.
 *
 * @param others names that `--clear` takes beside settings.
 */
export function readSettings(
  given: GivenOptions,
  others: readonly string[],
): Result<SettingsChange, readonly string[]> {
  const mistakes: string[] = [];
  const raw: Record<string, unknown> = {};
  for (const { attribute, key, read } of settingOptions) {
    const text = given[attribute];
    if (typeof text === 'string') raw[key] = read(text);
  }
  if (typeof given['recordMessages'] === 'boolean') {
    raw['recordsMessages'] = given['recordMessages'];
  }
  const rules = textsIn(given[rule]).filter((text) => {
    const isRule = rulePattern.test(text);
    if (!isRule) {
      mistakes.push(`--${rule} ${text}: must be RULE=MODE, RULE=MODE:charger or RULE=MODE:csms`);
    }
    return isRule;
  });
  if (rules.length > 0) raw['ruleModes'] = rules.map(readRule);

  const parsed = settingsSchema.safeParse(raw);
  for (const issue of parsed.error?.issues ?? []) {
    mistakes.push(`--${placeOf(issue.path, rules)}: ${issue.message}`);
  }
  const cleared: Record<string, null> = {};
  for (const name of textsIn(given['clear'])) {
    if (others.includes(name)) continue;
    const key = clearable.get(name);
    if (key === undefined) mistakes.push(`--clear ${name}: there is no such field`);
    else if (Object.hasOwn(raw, key)) mistakes.push(`--clear ${name}: it is set as well`);
    else cleared[key] = null;
  }
  return parsed.success && mistakes.length === 0
    ? ok({ ...parsed.data, ...cleared })
    : failed(mistakes);
}

const rulePattern = /^([^=:]+)=([^=:]+)(?::(.+))?$/;

function readRule(text: string): unknown {
  const [, name, mode, from] = rulePattern.exec(text) ?? [];
  return { rule: name, mode, ...(from !== undefined && { from }) };
}

/** Where the operator has typed it. */
function placeOf([key, index, member]: readonly PropertyKey[], rules: readonly string[]): string {
  const name = [...clearable].find(([, it]) => it === key)?.[0] ?? String(key);
  if (typeof index !== 'number') return name;
  return `${name} ${rules[index] ?? ''}${member === undefined ? '' : `, ${String(member)}`}`;
}

function option(
  name: string,
  key: keyof ChargerSettings,
  argument: string,
  help: string,
  read: (text: string) => unknown = asIs,
): SettingOption {
  const attribute = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return { name, key, argument, help, attribute, read };
}

function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** The texts of an option that can be repeated. */
export function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
