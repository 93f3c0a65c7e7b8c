import { z } from 'zod';
import { isJsonObject } from '../../ocpp/message.ts';
import { socketAddress } from './fields.ts';

const listenerPath = z
  .string()
  .regex(/^\/(?:[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*)?$/, 'must be / or /some/path')
  .max(255);

/** One entry of the `listeners` section. */
export const listenerEntry = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/)
      .meta({ description: 'The name of the listener in log and overrides.' }),
    address: socketAddress.meta({ description: 'Where chargers connect, as host:port.' }),
    path: z
      .union([listenerPath, z.array(listenerPath).min(1).max(16)])
      .default('/')
      .meta({
        description:
          'The path before the identity, or a list of them: with /ocpp, CP-1 is at /ocpp/CP-1.',
      }),
    securityProfile: z
      .literal(0, {
        error: 'must be 0: the security profiles 1 to 3 are not available in this release',
      })
      .meta({ description: 'The OCPP security profile. 0 means none at all.' }),
    allowUnauthenticated: z.boolean().default(false).meta({
      description: 'Must be true for security profile 0, so that nobody chooses it by accident.',
    }),
    identityFrom: z
      .enum(['path', 'first-segment', 'query'])
      .default('path')
      .meta({
        description:
          'Where the identity stands: the one segment after the path; the first of several, for ' +
          'chargers that append something; or a query parameter.',
        source: 'docs/divergences.md, C5 and C7',
      }),
    identityParameter: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,32}$/)
      .default('station')
      .meta({ description: 'The name of the parameter when `identityFrom` is `query`.' }),
  })
  .refine((listener) => listener.allowUnauthenticated === true, {
    path: ['allowUnauthenticated'],
    message: 'security profile 0 lets anybody in: set allowUnauthenticated: true if you mean it',
    // Also when the entry has other mistakes: all are shown at once.
    when: ({ value }) => isJsonObject(value),
  });

/** The `listeners` section. */
export const listenersSection = z
  .array(listenerEntry)
  .min(1)
  .max(32)
  .superRefine((listeners, context) => {
    for (const [index, { name }] of listeners.entries()) {
      if (listeners.findIndex((other) => other.name === name) === index) continue;
      context.addIssue({
        code: 'custom',
        path: [index, 'name'],
        message: 'another listener has this name',
      });
    }
  });
