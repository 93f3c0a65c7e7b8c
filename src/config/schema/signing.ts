import { z } from 'zod';
import { filePath } from './fields.ts';

/** The algorithms that a signature may have at all. */
export const signatureAlgorithm = z.enum(['ES256', 'RS256', 'RS384', 'EdDSA']);

const demand = z.strictObject({
  messageId: z.boolean().default(true).meta({
    description: 'For which message it was made (`OCPPMessageId`).',
  }),
  charger: z.boolean().default(true).meta({
    description: 'For which charger it was made (`aud`).',
  }),
  time: z.boolean().default(true).meta({
    description: 'When it was made (`iat`).',
  }),
  nonce: z.boolean().default(true).meta({
    description: 'Which one it is (`jti`), so that it counts once.',
  }),
});

/** The `csms.signing` section. */
export const signingSection = z
  .strictObject({
    required: z.boolean().default(false).meta({
      description: 'Must the CSMS sign whatever it sends? Rule 0 of PNNL-35706 is active then.',
      source: 'PNNL-35706 Table 1, row 0',
    }),
    format: z
      .enum(['ocpp', 'whole-frame', 'either'])
      .default('either')
      .meta({
        description:
          'How: `ocpp` is the format of OCPP, with the suffix `-Signed` and a flattened JWS, here ' +
          'also on OCPP 1.6; `whole-frame` is a compact JWS around the message.',
        source: 'OCPP 2.0.1 part 4 section 7',
      }),
    keysFile: filePath.optional().meta({
      description:
        'A JWK set with the public keys that count, each with a `kid`. Read again when it changes; ' +
        'pin the next key beside the old one before the signer changes.',
    }),
    certificateFiles: z
      .array(filePath)
      .max(32)
      .default([])
      .meta({
        description:
          'Certificates, PEM, whose keys count, found by `x5t#S256`. They are pinned as they are: ' +
          'their issuers do not count, but the time of their validity does.',
      }),
    algorithms: z
      .array(signatureAlgorithm)
      .min(1)
      .max(4)
      .default(['ES256', 'RS256', 'RS384'])
      .meta({
        description: 'The algorithms that are allowed.',
        source: 'OCPP 2.0.1 part 4 section 7; EdDSA is no algorithm of OCPP',
      }),
    maxAgeSeconds: z.int().min(1).max(3600).default(60).meta({
      description: 'How long after it was signed a message may arrive.',
    }),
    clockSkewSeconds: z.int().min(0).max(300).default(10).meta({
      description: 'How far the clocks of signer and gateway may be apart.',
    }),
    demand: demand.prefault({}).meta({
      description:
        'What a signature must say beside what the format of OCPP has. What it says is checked in ' +
        'any case. Each that is off lets some signed messages be used a second time.',
    }),
    forwardTo: z
      .enum(['strip', 'keep'])
      .default('strip')
      .meta({
        description:
          'What chargers get: `strip` the message without its signature, `keep` the message as it ' +
          'came, for chargers that know signed messages.',
      }),
  })
  .superRefine(({ certificateFiles, demand: demanded, keysFile, required }, context) => {
    if (required && keysFile === undefined && certificateFiles.length === 0) {
      context.addIssue({
        code: 'custom',
        path: ['required'],
        message: 'nothing could be verified: set keysFile or certificateFiles',
      });
    }
    if (demanded.nonce && !demanded.time) {
      context.addIssue({
        code: 'custom',
        path: ['demand', 'time'],
        message: 'nonces are remembered as long as a signature is good: set nonce: false as well',
      });
    }
  });
