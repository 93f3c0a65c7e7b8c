import type { QuarantinedFrame } from '../../src/audit/quarantine.ts';
import type { FrameFinding } from '../../src/events/fields.ts';

/** What was found about a text of `charger` that is no JSON. */
export function notJson(charger: string): FrameFinding & { readonly penalty: string } {
  return {
    charger,
    from: 'charger',
    version: 'ocpp1.6',
    rule: 'format',
    code: 'FORMAT_JSON',
    severity: 'hard',
    action: undefined,
    detail: 'syntax',
    penalty: 'drop',
  };
}

/** The same, with the text. */
export function refusedFrame(text: string, charger = 'CP-1'): QuarantinedFrame {
  return { ...notJson(charger), bytes: Buffer.from(text) };
}
