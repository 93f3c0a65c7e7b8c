import { z } from 'zod';
import { chargerPattern, filePath } from './fields.ts';

/** One entry of `credentials.batches`. */
export const batchEntry = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._ -]{1,64}$/)
    .meta({ description: 'The name of the batch in the log.' }),
  chargers: z.array(chargerPattern).min(1).max(1000).meta({
    description: 'The identities of its chargers; `*` stands for any characters.',
  }),
  passwordFile: filePath.meta({
    description:
      'The default password that all of them have; one line break at its end is ignored.',
  }),
});

/** The `credentials` section. */
export const credentialsSection = z.strictObject({
  batches: z
    .array(batchEntry)
    .max(1000)
    .default([])
    .meta({
      description:
        'Chargers that come from the factory with a default password. Over TLS it lets a charger in ' +
        'once, to get a password of its own.',
      source: 'OCPP security overview, security profile 2',
    }),
  firstUse: z
    .enum(['refuse', 'learn'])
    .default('refuse')
    .meta({
      description:
        'A charger that may connect but has no credential yet. `learn` believes and stores the ' +
        'first one that comes: for the days in which existing chargers are moved to the gateway.',
    }),
  changesByCsms: z
    .enum(['auto', 'refuse', 'track'])
    .default('auto')
    .meta({
      description:
        'The CSMS changes the password of a charger. `track` takes the new one over, `refuse` answers ' +
        'with an error; `auto` tracks where the password is the CSMS’s as well (`csms.auth: forward`).',
    }),
  rotateDays: z.int().min(0).max(3650).default(0).meta({
    description: 'Days after which a charger gets a new password; 0 for never.',
  }),
  attemptsPerSourceMax: z.int().min(1).max(100_000).default(30).meta({
    description: 'Wrong credentials from one address within `attemptWindowSeconds`.',
  }),
  attemptsPerIdentityMax: z.int().min(1).max(100_000).default(30).meta({
    description: 'Wrong credentials for one identity within `attemptWindowSeconds`.',
  }),
  attemptsMax: z.int().min(1).max(1_000_000).default(1000).meta({
    description: 'Wrong credentials in all within `attemptWindowSeconds`.',
  }),
  attemptWindowSeconds: z.int().min(1).max(86_400).default(60).meta({
    description: 'The time over which that many are forgiven.',
  }),
  hashesAtOnceMax: z.int().min(1).max(64).default(2).meta({
    description: 'Passwords that are checked at the same time. Each takes 19 MiB of memory.',
  }),
  hashesWaitingMax: z.int().min(1).max(100_000).default(4096).meta({
    description: 'Passwords that may wait for that.',
  }),
});
