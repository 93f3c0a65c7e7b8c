import { z } from 'zod';
import { csmsTls, csmsUrl } from './csms.ts';
import { filePath, socketAddress } from './fields.ts';
import { limitsSection } from './limits.ts';
import { listenerPath, serverCertificateEntry } from './listeners.ts';
import { signatureAlgorithm } from './signing.ts';

const listener = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .default('gateway')
    .meta({ description: 'The name of the listener in the log.' }),
  address: socketAddress.meta({ description: 'Where the gateway connects, as host:port.' }),
  path: listenerPath.default('/').meta({ description: 'The path before the identity.' }),
  tls: z
    .strictObject({
      certificates: z.array(serverCertificateEntry).min(1).max(4).meta({
        description: 'The certificates of the listener. Read again when they change.',
      }),
    })
    .optional()
    .meta({ description: 'Without it, the gateway connects without TLS.' }),
});

const csms = z.strictObject({
  url: csmsUrl,
  tls: csmsTls,
  connectTimeoutSeconds: z.int().min(1).max(120).default(10).meta({
    description: 'Time for the CSMS to accept a connection.',
  }),
  retryAfterSeconds: z.int().min(1).max(3600).default(15).meta({
    description: 'What the gateway is told when the CSMS is down.',
  }),
});

const signing = z
  .strictObject({
    keyFile: filePath.meta({
      description:
        'The private key: PKCS #8, PEM, without passphrase, readable by its owner alone.',
    }),
    algorithm: signatureAlgorithm.default('ES256').meta({
      description: 'The algorithm, which must be one of the key.',
    }),
    format: z.enum(['ocpp', 'whole-frame']).default('ocpp').meta({
      description: 'The format, as in `csms.signing.format` of the gateway.',
    }),
    keyId: z.string().min(1).max(255).optional().meta({
      description: 'The `kid` of the key in the JWK set that the gateway has pinned.',
    }),
    certificateFile: filePath.optional().meta({
      description: 'The certificate of the key, PEM; the signature names it by `x5t#S256`.',
    }),
  })
  .refine(({ certificateFile, keyId }) => certificateFile !== undefined || keyId !== undefined, {
    path: ['keyId'],
    message: 'the gateway could not find the key: set keyId or certificateFile',
  });

/** The configuration file of `gatewatt sign`. */
export const signerSchema = z.strictObject({
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').meta({
    description: 'How much is logged.',
  }),
  drainSeconds: z.int().min(0).max(600).default(10).meta({
    description: 'Time for open calls to finish when the signer is told to stop.',
  }),
  listener,
  csms,
  signing,
  limits: limitsSection.prefault({}),
});

/** A configuration of the signer with every default filled in. */
export type SignerConfig = z.output<typeof signerSchema>;
