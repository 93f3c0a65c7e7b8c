import { z } from 'zod';
import { chargerPattern, textPattern } from './fields.ts';

const ruleName = z.enum([
  'signature',
  'format',
  'direction',
  'message-id',
  'payload',
  'secure-firmware',
  'boot-state',
  'transaction-owner',
  'restricted',
  'credential-change',
  'security-profile',
  'certificates',
]);

/** One entry of `rules.overrides`. */
export const ruleOverrideEntry = z.strictObject({
  match: z
    .strictObject({
      charger: chargerPattern.optional(),
      vendor: textPattern.optional(),
      model: textPattern.optional(),
      firmware: textPattern.optional(),
      listener: textPattern.optional(),
    })
    .refine((match) => Object.keys(match).length > 0, 'must name at least one pattern')
    .meta({
      description:
        'Whom it is for: `charger`, `vendor`, `model`, `firmware`, `listener`. All that are given ' +
        'must match; `*` is a wildcard. Vendor, model and firmware are what the charger says.',
    }),
  rule: ruleName.meta({ description: 'The rule; see docs/message-rules.md.' }),
  mode: z.enum(['off', 'monitor', 'enforce']).meta({
    description:
      '`monitor` records and passes; `enforce` refuses whatever breaks the rule. Outside `strict` ' +
      'the end of a transaction and a fault pass all the same if only a detail is wrong.',
  }),
  from: z.enum(['charger', 'csms']).optional().meta({
    description: 'Only messages from this side; both when absent.',
  }),
});

/** The `rules` section. */
export const rulesSection = z.strictObject({
  preset: z.enum(['monitor', 'standard', 'strict']).default('standard').meta({
    description:
      'The modes of all rules. `strict` is PNNL-35706 Table 1 to the letter, and the rules of context.',
    source: 'PNNL-35706 Table 1',
  }),
  overrides: z.array(ruleOverrideEntry).max(1000).default([]).meta({
    description: 'Other modes for some chargers. Later ones win.',
  }),
  strikesMax: z
    .int()
    .min(1)
    .max(10_000)
    .default(30)
    .meta({
      description:
        'Malformed or unsolicited messages of one side until its connection is closed. A charger ' +
        'that breaks a message now and then must not lose it.',
    }),
  strikeWindowSeconds: z.int().min(1).max(86_400).default(60).meta({
    description: 'The time over which that many strikes are forgiven.',
  }),
});
