import { z } from 'zod';

/** The `limits` section. */
export const limitsSection = z
  .strictObject({
    frameBytesMax: z.int().min(4096).max(4_194_304).default(262_144).meta({
      description: 'Bytes of one message after decompression. Beyond it: close 1009.',
      source: 'OCPP 2.1 part 4 section 5.2: nearly all messages have less than 2 kB',
    }),
    connectionsMax: z.int().min(1).max(1_000_000).default(20_000).meta({
      description: 'Open connections of one listener, whatever they are doing.',
    }),
    connectionsPerAddressMax: z.int().min(1).max(1_000_000).default(5_000).meta({
      description: 'Open connections from one address. Chargers behind one router share it.',
    }),
    handshakeSeconds: z.int().min(1).max(60).default(10).meta({
      description: 'Time for an upgrade request to arrive in whole.',
    }),
    pingSeconds: z.int().min(0).max(3600).default(30).meta({
      description: 'Time between pings, on both legs; 0 for none.',
    }),
    pongSeconds: z
      .int()
      .min(1)
      .max(600)
      .default(20)
      .meta({
        description:
          'Time without any traffic, beyond the ping interval, after which a peer that has answered ' +
          'pings before counts as gone.',
      }),
    silentSeconds: z.int().min(10).max(172_800).default(3600).meta({
      description: 'The same for a peer that never answers pings. Any message counts.',
    }),
    stallSeconds: z.int().min(1).max(600).default(30).meta({
      description: 'Time that bytes may wait to be taken by a peer.',
    }),
  })
  .superRefine((limits, context) => {
    if (limits.pingSeconds === 0 || limits.silentSeconds >= limits.pingSeconds) return;
    context.addIssue({
      code: 'custom',
      path: ['silentSeconds'],
      message: `must not be below pingSeconds (${limits.pingSeconds}): nothing would be asked in time`,
    });
  });

/** The `queue` section. */
export const queueSection = z.strictObject({
  callsMax: z
    .int()
    .min(1)
    .max(10_000)
    .default(512)
    .meta({
      description:
        'Calls of one side of one charger that may wait for their turn. The end of a transaction and ' +
        'a fault may wait beyond it. Together they have at most four times `limits.frameBytesMax`.',
      source: 'PNNL-35706 section 4.0, message queue',
    }),
  inFlightSeconds: z.int().min(1).max(600).default(30).meta({
    description: 'Time for a peer to answer a call. Then the next one is sent.',
  }),
});

/** The `quarantine` section. */
export const quarantineSection = z.strictObject({
  bytesMax: z.int().min(1_048_576).max(1_099_511_627_776).default(134_217_728).meta({
    description: 'Bytes of refused messages that are kept; the oldest go first.',
  }),
  framesMax: z.int().min(100).max(100_000_000).default(100_000).meta({
    description: 'Refused messages that are kept; the oldest go first.',
  }),
  fileBytesMax: z.int().min(4_194_304).max(1_073_741_824).optional().meta({
    description: 'No longer used: refused messages are in the store. See `bytesMax`.',
  }),
  filesMax: z.int().min(1).max(1000).optional().meta({
    description: 'No longer used: refused messages are in the store. See `framesMax`.',
  }),
});
