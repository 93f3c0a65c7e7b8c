import { signatureViolation } from '../../src/gateway/signature-violation.ts';
import type { OcppVersion } from '../../src/ocpp/version.ts';
import type { PolicyContext } from '../../src/policy/context.ts';
import { allRules } from '../../src/policy/table.ts';
import { admit, type Verdict } from '../../src/rules/admit.ts';
import { decode } from '../../src/rules/decode.ts';
import type { Frame, Unreadable } from '../../src/rules/frame.ts';
import { type PresetName, resolveModes } from '../../src/rules/presets.ts';
import type { RuleExample } from './rule-examples.ts';

/** What is known of a charger that the CSMS has accepted, with a password over TLS. */
export function acceptedCharger(version: OcppVersion): PolicyContext {
  return {
    version,
    bootStatus: 'Accepted',
    wasTriggered: () => false,
    ownsTransaction: () => false,
    otherOwnersOf: () => 0,
    securityProfile: 2,
    usedProfile: 2,
    credentialChanges: 'refuse',
    restriction: undefined,
    isOwnCertificate: () => false,
    isForeignName: () => false,
    commonNames: [],
    mayRequestCertificate: true,
    lastSigningRequest: undefined,
    nowMs: () => 0,
  };
}

/** What `preset` makes of `example`. */
export function judge(example: RuleExample, preset: PresetName): Verdict {
  const { from, version, text } = example;
  const { signature } = example;
  const violation = signature && signatureViolation(signature);
  const decoded = decode(Buffer.from(text), from, version, { violation });
  const correlation = example.correlation ?? { is: 'new' };
  const nobody = {
    charger: undefined,
    vendor: undefined,
    model: undefined,
    firmware: undefined,
    listener: undefined,
  };
  const modes = resolveModes({ preset, overrides: [] }, nobody);
  const context: PolicyContext = { ...acceptedCharger(version), ...example.context };
  return admit(decoded, { from, version, correlation, modes, context }, allRules.all);
}

/** The violation codes that a verdict names, the refused one first. */
export function codesOf(verdict: Verdict): readonly string[] {
  const flagged = verdict.flagged.map(({ code }) => code);
  return verdict.is === 'refused' ? [verdict.violation.code, ...flagged] : flagged;
}

/** A verdict in words. */
export function verdictText(verdict: Verdict): string {
  if (verdict.is === 'admitted')
    return verdict.flagged.length === 0 ? 'passes' : 'passes, recorded';
  switch (verdict.penalty.is) {
    case 'close':
      return 'connection closed';
    case 'call-error':
      return `CallError${verdict.penalty.id === '-1' ? ' with id "-1"' : ''}`;
    case 'answer-caller':
      return 'dropped; the caller gets a CallError';
    case 'drop':
      return nobodyWaits(verdict.frame) ? 'dropped' : 'dropped without an answer';
  }
}

function nobodyWaits(frame: Frame | Unreadable): boolean {
  return frame.kind !== 'call' && !(frame.kind === 'unreadable' && frame.typeId === 2);
}
