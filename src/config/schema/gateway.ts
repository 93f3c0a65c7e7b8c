import { z } from 'zod';

/** The `gateway` section. */
export const gatewaySection = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
    .default('gatewatt')
    .meta({ description: 'The name of this gateway in its log and of its audit log.' }),
  dataDir: z
    .string()
    .min(1)
    .max(1024)
    .default('./data')
    .meta({
      description:
        'Where the gateway keeps its files, such as the SQLite store. Relative to the configuration ' +
        'file.',
    }),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').meta({
    description: 'The quietest events that are still logged.',
  }),
  drainSeconds: z.int().min(0).max(300).default(10).meta({
    description: 'Time for open calls to finish when the gateway is told to stop (SIGTERM).',
  }),
});
