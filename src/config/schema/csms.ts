import { z } from 'zod';
import { filePath } from './fields.ts';
import { signingSection } from './signing.ts';

/** Where a CSMS is. */
export const csmsUrl = z
  .string()
  .max(1024)
  .refine(isWebSocketUrl, 'must be a ws:// or wss:// URL without query, fragment or credentials')
  .meta({ description: 'The CSMS. The identity is appended as the last segment of the path.' });

/** How a CSMS is verified. */
export const csmsTls = z
  .strictObject({
    caFile: filePath.optional().meta({
      description:
        'The authorities that may issue the certificate of the CSMS, PEM. Without it: ' +
        'those that Node.js trusts.',
    }),
    serverName: z
      .string()
      .regex(/^[A-Za-z0-9.-]{1,253}$/, 'must be a host name')
      .optional()
      .meta({
        description:
          'The name that the certificate must have and that is sent (SNI), when it is ' +
          'not the host in `csms.url`.',
      }),
    pinnedSha256: z
      .array(
        z
          .string()
          .regex(
            /^(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/,
            'must be 64 hexadecimal digits, with or without colons',
          ),
      )
      .max(16)
      .default([])
      .meta({
        description:
          'SHA-256 fingerprints: the certificate of the CSMS must be one of these, and pass all ' +
          'other checks.',
      }),
    dangerouslyAcceptAnyCertificate: z.boolean().default(false).meta({
      description: 'Do not verify the CSMS at all. For a laboratory; said loudly at every start.',
    }),
  })
  .prefault({})
  .meta({ description: 'How the CSMS is verified, for wss:// URLs.' });

/** The `csms` section. */
export const csmsSection = z.strictObject({
  url: csmsUrl,
  auth: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('none') }),
      z.strictObject({ type: z.literal('forward') }),
      z.strictObject({ type: z.literal('perCharger'), keyFile: filePath }),
      z.strictObject({
        type: z.literal('clientCertificate'),
        certFile: filePath,
        keyFile: filePath,
      }),
    ])
    .default({ type: 'none' })
    .meta({
      description:
        'How the gateway authenticates to the CSMS. `forward`: with the password of the charger. ' +
        '`perCharger`: with one of its own for each charger, encrypted in the store with the 32 ' +
        'bytes in `keyFile` (64 hexadecimal digits). `clientCertificate`: with the certificate in ' +
        '`certFile` and its key in `keyFile`.',
    }),
  tls: csmsTls,
  signing: signingSection.prefault({}),
  connectTimeoutSeconds: z.int().min(1).max(120).default(10).meta({
    description: 'Time for the CSMS to accept a connection.',
  }),
  dialsPerSecond: z
    .int()
    .min(0)
    .max(1_000)
    .default(50)
    .meta({
      description:
        'Chargers that this gateway connects to the CSMS within any second; 0 for no limit. The ' +
        'others wait, those that have shown who they are before those that have not.',
    }),
  dialWaitSeconds: z
    .int()
    .min(1)
    .max(120)
    .default(20)
    .meta({
      description:
        'How long a charger may wait for its turn. Whoever would wait longer gets HTTP 503 and a ' +
        'time to come again. Most chargers give up a handshake after 30 to 60 seconds.',
    }),
  callTimeoutSeconds: z
    .int()
    .min(1)
    .max(600)
    .default(30)
    .meta({
      description:
        'How long the CSMS waits for an answer. A call of the CSMS that could not be passed on by ' +
        'then is answered with an error and not passed on: late commands surprise people.',
    }),
  retryAfterSeconds: z.int().min(1).max(3600).default(15).meta({
    description:
      'What chargers are told when the CSMS is down. Up to as much again is added at random.',
  }),
});

function isWebSocketUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, search, hash, username, password } = new URL(text);
  return /^wss?:$/.test(protocol) && [search, hash, username, password].every((it) => it === '');
}
