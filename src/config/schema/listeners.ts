import { z } from 'zod';
import { isJsonObject, ownProperty } from '../../ocpp/message.ts';
import { filePath, socketAddress } from './fields.ts';

/** The path before the identity. */
export const listenerPath = z
  .string()
  .regex(/^\/(?:[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*)?$/, 'must be / or /some/path')
  .max(255);

/** One entry of `listeners[].tls.certificates`. */
export const serverCertificateEntry = z.strictObject({
  certFile: filePath.meta({ description: 'The certificate and those of its issuers, PEM.' }),
  keyFile: filePath.meta({ description: 'Its private key, PEM, without a passphrase.' }),
});

const clientCertificates = z.strictObject({
  caFile: filePath.meta({
    description: 'The authorities that issue certificates of chargers, PEM.',
  }),
  organizations: z.array(z.string().min(1).max(64)).max(64).default([]).meta({
    description:
      'What the organisation (O) of a certificate must be, one of these. Any, when the list is empty.',
    source: 'OCPP 2.0.1 part 2, A00.FR.404',
  }),
  crlFile: filePath.optional().meta({
    description:
      'Revocation lists of the authorities, PEM, one after the other. With it, each authority needs ' +
      'one.',
  }),
  crlGraceHours: z.int().min(0).max(8760).default(72).meta({
    description: 'How long a list is used after the time at which the next one was promised.',
  }),
  expired: z
    .enum(['refuse', 'restrict'])
    .default('refuse')
    .meta({
      description:
        'A charger whose certificate has expired: `restrict` lets it in to get a new one, and for ' +
        'nothing else.',
      source: 'OCPP 2.0.1 part 2, A00.FR.429 and A00.FR.430',
    }),
});

const tls = z.strictObject({
  certificates: z
    .array(serverCertificateEntry)
    .min(1)
    .max(4)
    .meta({
      description:
        'The certificates of the listener: one ECDSA and one RSA pair serve all four mandatory ' +
        'suites. The files are read again when they change.',
      source: 'OCPP 2.0.1 part 2, A00.FR.317',
    }),
  clientCertificates: clientCertificates.optional().meta({
    description: 'For security profile 3: which certificates of chargers are accepted.',
  }),
});

const listenerFields = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .meta({ description: 'The name of the listener in log and overrides.' }),
  address: socketAddress.optional().meta({
    description:
      'Where chargers connect, as host:port. Without it, only in the networks of `isolation.bindings`.',
  }),
  path: z
    .union([listenerPath, z.array(listenerPath).min(1).max(16)])
    .default('/')
    .meta({
      description:
        'The path before the identity, or a list of them: with /ocpp, CP-1 is at /ocpp/CP-1.',
    }),
  securityProfile: z
    .union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)], {
      error: 'must be 0, 1, 2 or 3',
    })
    .meta({
      description:
        'The OCPP security profile: 1 a password, 2 TLS and a password, 3 TLS and a client ' +
        'certificate; 0 means none at all.',
      source: 'OCPP 2.0.1 part 2, A00',
    }),
  tls: tls.optional().meta({ description: 'For security profiles 2 and 3.' }),
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
});

interface ProfileMistake {
  readonly path: readonly string[];
  readonly message: string;
  /** Does an entry make it? It may have any other mistakes. */
  isMade(entry: Readonly<Record<string, unknown>>): boolean;
}

const isTls = ({ securityProfile }: Readonly<Record<string, unknown>>): boolean =>
  securityProfile === 2 || securityProfile === 3;

/** What a security profile needs, and what would be without effect. */
const profileMistakes: readonly ProfileMistake[] = [
  {
    path: ['allowUnauthenticated'],
    message: 'security profile 0 lets anybody in: set allowUnauthenticated: true if you mean it',
    isMade: (entry) => entry['securityProfile'] === 0 && entry['allowUnauthenticated'] !== true,
  },
  {
    path: ['allowUnauthenticated'],
    message: 'is for security profile 0 only',
    isMade: (entry) => entry['securityProfile'] !== 0 && entry['allowUnauthenticated'] === true,
  },
  {
    path: ['tls'],
    message: 'is missing',
    isMade: (entry) => isTls(entry) && entry['tls'] === undefined,
  },
  {
    path: ['tls'],
    message: 'is for the security profiles 2 and 3 only',
    isMade: (entry) => !isTls(entry) && entry['tls'] !== undefined,
  },
  {
    path: ['tls', 'clientCertificates'],
    message: 'is missing',
    isMade: (entry) =>
      entry['securityProfile'] === 3 &&
      isJsonObject(entry['tls']) &&
      entry['tls']['clientCertificates'] === undefined,
  },
  {
    path: ['tls', 'clientCertificates'],
    message: 'is for security profile 3 only',
    isMade: (entry) =>
      entry['securityProfile'] !== 3 &&
      ownProperty(entry['tls'], 'clientCertificates') !== undefined,
  },
];

/** One entry of the `listeners` section. */
export const listenerEntry = profileMistakes.reduce(
  (entry, { isMade, message, path }) =>
    entry.refine((value) => !isMade(value), {
      path: [...path],
      message,
      // Also when the entry has other mistakes: all are shown at once.
      when: ({ value }) => isJsonObject(value),
    }),
  listenerFields,
);

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
