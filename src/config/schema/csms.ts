import { z } from 'zod';

/** The `csms` section. */
export const csmsSection = z.strictObject({
  url: z
    .string()
    .max(1024)
    .refine(isWebSocketUrl, 'must be a ws:// or wss:// URL without query, fragment or credentials')
    .meta({ description: 'The CSMS. The identity is appended as the last segment of the path.' }),
  auth: z
    .strictObject({
      type: z.literal('none', { error: 'must be none: other types are not available yet' }),
    })
    .default({ type: 'none' })
    .meta({ description: 'How the gateway authenticates to the CSMS.' }),
  connectTimeoutSeconds: z.int().min(1).max(120).default(10).meta({
    description: 'Time for the CSMS to accept a connection.',
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
