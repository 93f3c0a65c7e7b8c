import { matchesGlob } from '../lib/glob.ts';
import type { Peer } from '../ocpp/version.ts';
import type { RuleName, Severity } from './rule.ts';

/** What is done about a violation: nothing, record and pass, or refuse. */
export const modes = ['off', 'monitor', 'enforce'] as const;
/** One mode. */
export type Mode = (typeof modes)[number];

/** Is `text` a mode? */
export function isMode(text: string): text is Mode {
  return (modes as readonly string[]).includes(text);
}

/** The named tables of modes. */
export const presetNames = ['monitor', 'standard', 'strict'] as const;
/** One preset. */
export type PresetName = (typeof presetNames)[number];

/** The mode of each severity, by the side that the message comes from. */
export type PresetTable = Readonly<Record<Severity, Readonly<Record<Peer, Mode>>>>;

/**
 * - `strict` is PNNL-35706 Table 1 to the letter, and enforces the rules of context as well.
 * - `standard` enforces what is hard or soft towards the charger, and from the charger what is hard.
 * - `monitor` blocks nothing.
 *
 * Source: PNNL-35706 Table 1; docs/divergences.md for what `standard` relaxes and why.
 */
export const presets: Readonly<Record<PresetName, PresetTable>> = {
  strict: {
    hard: { charger: 'enforce', csms: 'enforce' },
    soft: { charger: 'enforce', csms: 'enforce' },
    benign: { charger: 'enforce', csms: 'enforce' },
  },
  standard: {
    hard: { charger: 'enforce', csms: 'enforce' },
    soft: { charger: 'monitor', csms: 'enforce' },
    benign: { charger: 'monitor', csms: 'monitor' },
  },
  monitor: {
    hard: { charger: 'monitor', csms: 'monitor' },
    soft: { charger: 'monitor', csms: 'monitor' },
    benign: { charger: 'monitor', csms: 'monitor' },
  },
};

/** Which chargers an override is for. All patterns that are given must match; `*` is a wildcard. */
export interface OverrideMatch {
  readonly charger?: string | undefined;
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly firmware?: string | undefined;
  readonly listener?: string | undefined;
}

/** Another mode for one rule and some chargers. */
export interface RuleOverride {
  readonly match: OverrideMatch;
  readonly rule: RuleName;
  readonly mode: Mode;
  /** Only for messages from this side; both when absent. */
  readonly from?: Peer | undefined;
}

/** The operator's choice. */
export interface RulePolicy {
  readonly preset: PresetName;
  /** Later ones win. */
  readonly overrides: readonly RuleOverride[];
}

/** What is known of the charger that overrides are matched against. */
export type OverrideSubject = { readonly [Key in keyof OverrideMatch]-?: string | undefined };

/** The modes in force for one charger. */
export interface Modes {
  readonly preset: PresetName;
  modeOf(rule: RuleName, severity: Severity, from: Peer): Mode;
}

/** The modes that `policy` gives the charger that `subject` describes. */
export function resolveModes(policy: RulePolicy, subject: OverrideSubject): Modes {
  const overridden = new Map<string, Mode>();
  for (const override of policy.overrides) {
    if (!matches(override.match, subject)) continue;
    for (const from of override.from === undefined ? peers : [override.from]) {
      overridden.set(`${override.rule} ${from}`, override.mode);
    }
  }
  const { preset } = policy;
  if (overridden.size === 0) return modesOf[preset];
  const table = presets[preset];
  return {
    preset,
    modeOf: (rule, severity, from) => overridden.get(`${rule} ${from}`) ?? table[severity][from],
  };
}

function presetModes(preset: PresetName): Modes {
  const table = presets[preset];
  return { preset, modeOf: (_rule, severity, from) => table[severity][from] };
}

/** Without overrides, all chargers have the same modes. */
const modesOf: Readonly<Record<PresetName, Modes>> = {
  monitor: presetModes('monitor'),
  standard: presetModes('standard'),
  strict: presetModes('strict'),
};

const peers: readonly Peer[] = ['charger', 'csms'];

function matches(match: OverrideMatch, subject: OverrideSubject): boolean {
  const keys = Object.keys(match) as (keyof OverrideMatch)[];
  return keys.every((key) => {
    const pattern = match[key];
    const text = subject[key];
    if (pattern === undefined) return true;
    if (text === undefined) return false;
    // Identities are compared without case everywhere: no other spelling gets around an override.
    return key === 'charger'
      ? matchesGlob(pattern.toLowerCase(), text.toLowerCase())
      : matchesGlob(pattern, text);
  });
}
