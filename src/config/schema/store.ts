import { z } from 'zod';

/** The `store` section. */
export const storeSection = z
  .strictObject({
    type: z
      .enum(['sqlite', 'postgres'])
      .default('sqlite')
      .meta({
        description:
          '`sqlite`: a file in `gateway.dataDir`, for one gateway. `postgres`: a server that several ' +
          'gateways share.',
      }),
    urlFile: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .meta({
        description:
          'A file whose only line is the URL of the PostgreSQL database, such as ' +
          'postgres://user:password@host/database?sslmode=verify-full. Relative to the ' +
          'configuration file.',
      }),
    leaseSeconds: z
      .int()
      .min(3)
      .max(600)
      .default(15)
      .meta({
        description:
          'How long the chargers of a gateway that has died are still its own. Then they can ' +
          'connect to another gateway.',
      }),
  })
  .superRefine(({ type, urlFile }, context) => {
    if (type === 'postgres' && urlFile === undefined) {
      context.addIssue({ code: 'custom', path: ['urlFile'], message: 'is missing' });
    }
    if (type === 'sqlite' && urlFile !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['urlFile'],
        message: 'is for type postgres only; remove it, or set type: postgres',
      });
    }
  });

/** The `retention` section: what grows, and how far. */
export const retentionSection = z.strictObject({
  auditDays: z.int().min(1).max(36_500).default(400).meta({
    description: 'Days that audit records are kept.',
  }),
  auditRecordsMax: z.int().min(1000).max(1_000_000_000).default(2_000_000).meta({
    description: 'Audit records that are kept, whatever their age. A record has some 400 bytes.',
  }),
  transactionDays: z.int().min(1).max(36_500).default(400).meta({
    description: 'Days that charging transactions are kept after they were started.',
  }),
  transactionsMax: z.int().min(1000).max(1_000_000_000).default(1_000_000).meta({
    description: 'Charging transactions that are kept, whatever their age.',
  }),
});
