import { z } from 'zod';
import { chargerPattern, textPattern } from './fields.ts';

const version = z.enum(['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1']);

/** One entry of `chargers.records`. */
export const chargerRecordEntry = z.strictObject({
  id: chargerPattern.meta({
    description: 'An identity, or a pattern in which `*` stands for any characters.',
  }),
  assumeSubprotocol: version.optional().meta({
    description: 'The version of a charger that offers no subprotocol. Without it: HTTP 400.',
    source: 'docs/divergences.md, C1',
  }),
  spellErrorsAs: version.optional().meta({
    description: 'Spell error codes towards this charger as another version does.',
    source: 'docs/divergences.md, R8',
  }),
  pingSeconds: z.int().min(0).max(3600).optional().meta({
    description: 'Time between pings to this charger, instead of `limits.pingSeconds`; 0 for none.',
    source: 'docs/divergences.md, C14',
  }),
  signedMessages: z
    .enum(['strip', 'keep'])
    .optional()
    .meta({
      description:
        'What this charger gets of messages that the CSMS has signed, instead of ' +
        '`csms.signing.forwardTo`: `keep` for one that knows signed messages.',
      source: 'OCPP 2.0.1 part 4 section 7',
    }),
  vendor: textPattern.optional().meta({
    description: 'The vendor, for overrides, whatever the charger says of itself.',
  }),
  model: textPattern.optional().meta({ description: 'The model, likewise.' }),
  firmware: textPattern.optional().meta({ description: 'The firmware version, likewise.' }),
  ratedKw: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .meta({
      description:
        'What all its EVSEs together can take at most, in kW, rounded up: for the budgets of its ' +
        'feeder.',
    }),
});

/** The `chargers` section. */
export const chargersSection = z.strictObject({
  unknown: z.enum(['reject', 'enroll']).default('reject').meta({
    description: 'What happens to a charger that no record matches.',
  }),
  duplicateIdentity: z
    .enum(['probe', 'reject-new', 'replace-old'])
    .default('probe')
    .meta({
      description:
        'What happens to a second connection of an identity. `probe` asks the first one whether it ' +
        'is alive, `reject-new` is the rule of PNNL-35706. One that has shown who it is always ' +
        'replaces one that has shown nothing.',
      source: 'PNNL-35706 section 4.0',
    }),
  probeSeconds: z.int().min(1).max(30).default(3).meta({
    description: 'Time for the first connection to answer.',
  }),
  takeoversPerHourMax: z
    .int()
    .min(1)
    .max(10_000)
    .default(60)
    .meta({
      description:
        'How often in an hour a newer connection of one identity may replace a silent older one. ' +
        'Beyond it nobody may connect with that identity for `quarantineMinutes`.',
    }),
  quarantineMinutes: z.int().min(1).max(10_080).default(60).meta({
    description:
      'How long such an identity is quarantined. `gatewatt charger release` ends it before.',
  }),
  enrolledMax: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .meta({
      description:
        'Chargers that `unknown: enroll` may record. Of chargers that a pattern in `records` admits, as ' +
        'many are remembered; those that were seen longest ago are forgotten first.',
    }),
  versions: z.array(version).min(1).default(['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1']).meta({
    description: 'The OCPP versions that are let through.',
  }),
  records: z.array(chargerRecordEntry).max(100_000).default([]).meta({
    description: 'What is known of chargers. Exact identities go before patterns.',
  }),
});
