import { errors } from '../../src/errors/catalogue.ts';
import type { ErrorEntry } from '../../src/errors/error-entry.ts';
import { type OcppErrorCode, spellErrorCode } from '../../src/ocpp/error-codes.ts';
import { code, item, page, paragraph, table } from './markdown.ts';

const entries: readonly (readonly [string, ErrorEntry])[] = Object.entries(errors);

/** docs/errors.md: every error code, what it means, what to do, and what the peer gets. */
export function errorsPage(): string {
  const overview = entries.map(([name, entry]) => [
    `[${name}](#${name.toLowerCase()})`,
    entry.callError === undefined ? '' : spellErrorCode('ocpp2.1', entry.callError),
    entry.close === undefined ? '' : String(entry.close),
    entry.http === undefined ? '' : String(entry.http),
  ]);
  return page('Errors', 'src/errors/catalogue.ts', [
    paragraph(
      'Every error that a charger, a CSMS or an operator can meet. The code is in the log, in the ' +
        'metrics and in the quarantine. Codes are never renamed, and never used again for ' +
        'something else.',
    ),
    paragraph(
      'A peer gets the fixed sentence of the code and nothing else. What the sentence is sent in ' +
        'depends on the case: a CallError that answers a refused call, a WebSocket close, or an ' +
        'HTTP answer that refuses a connection. Which of them a rule uses is decided by the ' +
        'preset; see [message-rules.md](message-rules.md).',
    ),
    table(['code', 'CallError', 'close', 'HTTP'], overview),
    paragraph(
      'The table spells CallErrors as OCPP 2.x does. OCPP 1.6 spells some of them in another way; ' +
        'the entries below have both. A charger gets the spelling of the version that it ' +
        'negotiated, unless its record has `spellErrorsAs`.',
    ),
    ...entries.flatMap(([name, entry]) => [`## ${name}`, entryText(entry)]),
  ]);
}

function entryText(entry: ErrorEntry): string {
  const gets: string[] = [];
  if (entry.callError !== undefined) gets.push(`CallError ${spellings(entry.callError)}`);
  if (entry.close !== undefined) gets.push(`close ${entry.close}`);
  if (entry.http !== undefined) gets.push(`HTTP ${entry.http}`);
  const sentence = `"${entry.sentence}"`;
  return [
    paragraph(entry.meaning),
    '',
    item(`What to do: ${entry.remedy}`),
    item(
      gets.length === 0
        ? 'What the peer gets: nothing; the message is dropped.'
        : `What the peer gets: ${gets.join(', or ')}; ${sentence}`,
    ),
  ].join('\n');
}

function spellings(name: OcppErrorCode): string {
  const in16 = spellErrorCode('ocpp1.6', name);
  const in2x = spellErrorCode('ocpp2.1', name);
  return in16 === in2x ? code(in16) : `${code(in16)} in OCPP 1.6 and ${code(in2x)} in OCPP 2.x`;
}
