import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  isOcppVersion,
  type OcppVersion,
  ocppVersions,
  type Peer,
} from '../../src/ocpp/version.ts';
import type { PolicyContext } from '../../src/policy/context.ts';
import { type PresetName, presetNames } from '../../src/rules/presets.ts';

/** What has happened in a conversation before the message of a case comes. */
export type Step =
  /** The other side has sent a call of this id and action, with a sample payload. */
  | { readonly do: 'open'; readonly id: string; readonly action: string }
  | { readonly do: 'earlier'; readonly from: Peer; readonly text: string }
  | { readonly do: 'wait'; readonly seconds: number }
  /** The other side had this call open when the charger lost its connection. */
  | { readonly do: 'stale'; readonly id: string };

/** What the gateway knows of the charger, where it is not that the CSMS has accepted it. */
export interface CaseContext {
  readonly boot: PolicyContext['bootStatus'];
  /** Actions that the CSMS has asked the charger for. */
  readonly asked: readonly string[];
  /** Transactions of the charger itself. */
  readonly own: readonly string[];
  /** How many other chargers have a transaction; `unknown` when the store is away. */
  readonly owners: ReadonlyMap<string, number | 'unknown'>;
  /** How the charger has connected, and what follows from it. */
  readonly connection: Partial<PolicyContext>;
}

/** What one message must cause. */
export interface Expectation {
  /** `pass`, `retried`, `flagged`, or the penalty. */
  readonly outcome: string;
  readonly codes: readonly string[];
  readonly isStrike: boolean;
  /** The exact texts that go to either side, where the case gives them. */
  readonly out: readonly { readonly to: 'sender' | 'caller'; readonly text: string }[];
}

/** One case file, read. */
export interface CaseFile {
  readonly file: string;
  readonly title: string;
  readonly source: string;
  /** The row of PNNL-35706 Table 1 that the case is about; from 6 on, the rule of context. */
  readonly rule: number;
  readonly versions: readonly OcppVersion[];
  readonly from: readonly Peer[];
  readonly context: CaseContext;
  readonly steps: readonly Step[];
  readonly message: string;
  /** What is expected in these circumstances; throws when the file does not say. */
  expected(preset: PresetName, version: OcppVersion, from: Peer): Expectation;
}

/** Every case below `folder`, in the order of their paths. */
export function readCases(folder: string): readonly CaseFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.case'))
    .sort()
    .map((name) => parseCase(name, readFileSync(path.join(folder, name), 'utf8')));
}

const headers = [
  ...['title', 'source', 'rule', 'versions', 'from'],
  ...['boot', 'asked', 'own', 'owners', 'stale', 'open', 'earlier', 'wait'],
  ...['profile', 'used', 'passwords', 'restricted', 'certificates'],
];
const bootStatuses = [
  'Accepted',
  'Pending',
  'Rejected',
  'unaccepted',
  'assumed',
  'unknown',
] as const;
const outcomes = ['pass', 'retried', 'flagged', 'close', 'call-error', 'answer-caller', 'drop'];

/** Reads one case file; see README.md for its format. */
export function parseCase(file: string, text: string): CaseFile {
  const fail = (what: string): never => {
    throw new Error(`${file}: ${what}`);
  };
  const match = /^(.*?)\n\n(.*?)\n?^-{3,}\n(.*)$/ms.exec(text);
  const [, head = '', message = '', tail = ''] = match ?? fail('has no line of dashes');
  const lines = head.split('\n').map((line) => {
    const [, key = '', value = ''] =
      /^([a-z]+): (.*)$/.exec(line) ?? fail(`is unclear at "${line}"`);
    return { key, value };
  });
  for (const { key } of lines) if (!headers.includes(key)) fail(`has an unknown header ${key}`);
  const header = (key: string): string =>
    lines.find((line) => line.key === key)?.value ?? fail(`has no ${key}`);

  const words = (key: string): readonly string[] => header(key).split(' ');
  const versions =
    header('versions') === 'all' ? ocppVersions : words('versions').filter(isOcppVersion);
  const from = words('from').filter((word) => word === 'charger' || word === 'csms');
  if (versions.length === 0 || from.length === 0) fail('has no version or side');
  const rows = readRows(tail, fail);
  return {
    file,
    title: header('title'),
    source: header('source'),
    rule: Number(header('rule')),
    versions,
    from,
    context: readContext(lines, fail),
    steps: lines.flatMap(({ key, value }) => readStep(key, value)),
    message: expand(message),
    expected: (preset, version, peer) => {
      const last = rows.findLast(
        (row) =>
          row.preset === preset &&
          (row.versions.length === 0 || row.versions.includes(version)) &&
          (row.from.length === 0 || row.from.includes(peer)),
      );
      return last?.expectation ?? fail(`says nothing of ${preset} ${version} ${peer}`);
    },
  };
}

interface HeaderLine {
  readonly key: string;
  readonly value: string;
}

function readContext(lines: readonly HeaderLine[], fail: (what: string) => never): CaseContext {
  const valuesOf = (key: string): readonly string[] =>
    lines.filter((line) => line.key === key).map(({ value }) => value);
  const [status = 'Accepted'] = valuesOf('boot');
  const boot = bootStatuses.find((known) => known === status);
  const owners = valuesOf('owners').map((value) => {
    const [id = '', count = ''] = value.split(' ');
    const isCount = /^\d+$/.test(count);
    if (!isCount && count !== 'unknown') fail(`is unclear at "owners: ${value}"`);
    return [id, isCount ? Number(count) : 'unknown'] as const;
  });
  return {
    boot: boot ?? fail(`is unclear at "boot: ${status}"`),
    asked: valuesOf('asked'),
    own: valuesOf('own'),
    owners: new Map(owners),
    connection: Object.assign(
      {},
      ...lines.map(({ key, value }) => readConnection(key, value, fail)),
    ),
  };
}

function readConnection(
  key: string,
  value: string,
  fail: (what: string) => never,
): Partial<PolicyContext> {
  const unclear = (): never => fail(`is unclear at "${key}: ${value}"`);
  const profile = (): number => (/^[0-3]$/.test(value) ? Number(value) : unclear());
  switch (key) {
    case 'profile':
      return { securityProfile: profile() };
    case 'used':
      return { usedProfile: profile() };
    case 'passwords':
      return value === 'gateway' ? { credentialChanges: 'refuse' } : unclear();
    case 'restricted':
      return value === 'default-password' || value === 'expired-certificate'
        ? { restriction: value }
        : unclear();
    case 'certificates':
      switch (value) {
        case 'own':
          return { isOwnCertificate: () => true };
        case 'asked-often':
          return { mayRequestCertificate: false };
        default:
          return unclear();
      }
    default:
      return {};
  }
}

function readStep(key: string, value: string): readonly Step[] {
  const [first = '', ...rest] = value.split(' ');
  switch (key) {
    case 'open':
      return [{ do: 'open', id: first, action: rest.join(' ') }];
    case 'earlier':
      return [
        {
          do: 'earlier',
          from: first === 'csms' ? 'csms' : 'charger',
          text: expand(rest.join(' ')),
        },
      ];
    case 'wait':
      return [{ do: 'wait', seconds: Number(first) }];
    case 'stale':
      return [{ do: 'stale', id: first }];
    default:
      return [];
  }
}

interface Row {
  readonly preset: PresetName;
  readonly versions: readonly string[];
  readonly from: readonly string[];
  readonly expectation: Expectation;
}

function readRows(text: string, fail: (what: string) => never): readonly Row[] {
  const rows: Row[] = [];
  for (const line of text.split('\n').filter((it) => it !== '')) {
    const answer = /^ {2}to (sender|caller): (.*)$/.exec(line);
    const last = rows.at(-1);
    if (answer !== null && last !== undefined) {
      const to = answer[1] === 'sender' ? 'sender' : 'caller';
      const out = [...last.expectation.out, { to, text: expand(answer[2] ?? '') } as const];
      rows[rows.length - 1] = { ...last, expectation: { ...last.expectation, out } };
      continue;
    }
    const words = line.split(' ');
    const preset = presetNames.find((name) => name === words[0]) ?? fail(`is unclear at "${line}"`);
    const outcome =
      words.find((word) => outcomes.includes(word)) ?? fail(`is unclear at "${line}"`);
    const at = words.indexOf(outcome);
    const expectation: Expectation = {
      outcome,
      codes: words.slice(at + 1).filter((word) => word !== 'strike'),
      isStrike: words.includes('strike'),
      out: [],
    };
    const selectors = words.slice(1, at);
    const from = selectors.filter((word) => word === 'charger' || word === 'csms');
    rows.push({ preset, versions: selectors.filter(isOcppVersion), from, expectation });
  }
  return rows;
}

/** `{{300 x}}` stands for 300 times x, `{{bom}}` for a byte order mark. */
function expand(text: string): string {
  return text
    .replaceAll('{{bom}}', '\ufeff')
    .replace(/\{\{(\d+) (.+?)\}\}/g, (_, count: string, piece: string) =>
      piece.repeat(Number(count)),
    );
}
