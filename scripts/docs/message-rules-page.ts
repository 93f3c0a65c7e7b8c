import { type ErrorCode, errors } from '../../src/errors/catalogue.ts';
import { messageErrors } from '../../src/errors/message-errors.ts';
import { signatureErrors } from '../../src/errors/signature-errors.ts';
import type { PolicyInput } from '../../src/policy/context.ts';
import { policyRules } from '../../src/policy/table.ts';
import { presetNames, presets } from '../../src/rules/presets.ts';
import type { Rule, RuleName, Severity } from '../../src/rules/rule.ts';
import { rules } from '../../src/rules/table.ts';
import { codesOf, judge, verdictText } from './judge-example.ts';
import { code, item, page, paragraph, table } from './markdown.ts';
import { ruleExamples } from './rule-examples.ts';

/** How the codes of each rule begin, among those that are about messages. */
const codePrefixes: Readonly<Record<RuleName, string>> = {
  signature: 'SIGNATURE_',
  format: 'FORMAT_',
  direction: 'DIRECTION_',
  'message-id': 'MATCH_',
  payload: 'PAYLOAD_',
  'secure-firmware': 'FIRMWARE_',
  'boot-state': 'BOOT_',
  'transaction-owner': 'TRANSACTION_',
  restricted: 'RESTRICTED',
  'credential-change': 'CREDENTIAL_',
  'security-profile': 'SECURITY_PROFILE_',
  certificates: 'CERTIFICATE_',
};

/** The codes of a rule. A test checks that none belongs to two. */
export function codesOfRule(rule: RuleName): readonly ErrorCode[] {
  const all = { ...signatureErrors, ...messageErrors };
  const codes = Object.keys(all) as (keyof typeof all)[];
  return codes.filter((code) => code.startsWith(codePrefixes[rule]));
}

const severities: Readonly<Record<Severity, string>> = {
  hard: 'dangerous or meaningless; passing it on helps nobody',
  soft: 'wrong, but seen from healthy chargers and understood by most systems',
  benign: 'wrong by the letter only',
};

/** docs/message-rules.md: the rules that every message must keep. */
export function messageRulesPage(): string {
  return page('Message rules', 'src/rules and src/errors/catalogue.ts', [
    paragraph(
      'Every message, from either side, is checked against these rules, in this order. The first ' +
        'violation that is enforced stops the message. Rules 0 to 5 are the rows of ' +
        'PNNL-35706, Table 1; row 0 needs keys (`csms.signing`). The others look at the ' +
        'context: what this charger may at this moment.',
    ),
    table(
      ['row', 'rule', 'what it demands', 'by Table 1, a call', 'by Table 1, a reply'],
      rules.map(({ id, name, demand, onFail }) => [
        String(id),
        `[${name}](#${name})`,
        demand,
        penaltyText(onFail.call),
        penaltyText(onFail.reply),
      ]),
    ),
    paragraph(
      'A call is a request that wants an answer (CALL). A reply is an answer to a call ' +
        '(CALLRESULT, CALLERROR). A reply is never answered itself.',
    ),
    '## Severities and presets',
    paragraph('Every violation has a severity:'),
    Object.entries(severities)
      .map(([name, text]) => item(`${code(name)}: ${text}.`))
      .join('\n'),
    paragraph(
      'A preset (`rules.preset`) gives each severity a mode, by the side that the message comes ' +
        'from. `enforce` refuses the message, `monitor` records the violation and passes the ' +
        'message, `off` does neither. An override (`rules.overrides`) gives one rule another mode, ' +
        'for some chargers, whatever the severity.',
    ),
    table(
      ['preset', 'severity', 'from the charger', 'from the CSMS'],
      presetNames.flatMap((preset) =>
        Object.entries(presets[preset]).map(([severity, modes]) => [
          code(preset),
          severity,
          modes.charger,
          modes.csms,
        ]),
      ),
    ),
    paragraph(
      'In `standard` and `monitor`, three messages of a charger pass in spite of soft and benign ' +
        'violations, even where an override enforces the rule: StopTransaction, TransactionEvent ' +
        'with `Ended`, and StatusNotification with `Faulted`. They tell of things that have ' +
        'happened.',
    ),
    '## What a refusal does',
    paragraph(
      '`strict` does what the table above says. The other presets close nothing at once: a ' +
        'refused call is answered with a CallError, a refused answer to a call is dropped and the ' +
        'caller gets a CallError in its place, and anything else is dropped. Violations of ' +
        '`format` and `message-id` count as strikes, except an empty text and late or stale replies; more ' +
        'than `rules.strikesMax` of them within `rules.strikeWindowSeconds` close the connection. ' +
        'Refused messages are kept whole in the quarantine, within its limits.',
    ),
    '## Examples',
    paragraph('This table was made by running the rules on these messages.'),
    table(
      ['message', 'from', 'version', ...presetNames.map(code), 'codes'],
      ruleExamples.map((example) => [
        example.what,
        example.from,
        example.version,
        ...presetNames.map((preset) => verdictText(judge(example, preset))),
        codesText(presetNames.flatMap((preset) => codesOf(judge(example, preset)))),
      ]),
    ),
    ...rules.flatMap(ruleBlocks),
    '## Rules of context',
    paragraph(
      'These come after the rows of Table 1. They depend on what the gateway has learned about the ' +
        'charger; what it has learned is kept in the store, so that a charger that connects again ' +
        'is known.',
    ),
    ...policyRules.flatMap(ruleBlocks),
  ]);
}

function ruleBlocks(rule: Rule<PolicyInput>): readonly string[] {
  const { id, name, factor, demand, source } = rule;
  const isInTable = rules.some((row) => row.id === id);
  const folder = isInTable ? 'src/rules' : 'src/policy';
  return [
    `## ${name}`,
    paragraph(demand),
    [
      item(isInTable ? `Row ${id} of Table 1, "${factor}"` : `${factor}; not in Table 1`),
      item(`Source: ${source}`),
      item(`File: [${folder}](../${folder}), and its row in [table.ts](../${folder}/table.ts)`),
    ].join('\n'),
    table(
      ['code', 'meaning'],
      codesOfRule(name).map((it) => [`[${it}](errors.md#${it.toLowerCase()})`, errors[it].meaning]),
    ),
  ];
}

function penaltyText(penalty: 'close' | 'call-error' | 'drop'): string {
  switch (penalty) {
    case 'close':
      return 'close the connection';
    case 'call-error':
      return 'CallError';
    case 'drop':
      return 'drop';
  }
}

function codesText(codes: readonly string[]): string {
  return [...new Set(codes)].join(', ');
}
