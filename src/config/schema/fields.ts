import { z } from 'zod';

/** `host:port`, with square brackets around an IPv6 host. Port 0 lets the system choose. */
export const socketAddress = z
  .string()
  .max(255)
  .transform((text, context) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
    const port = Number(match?.[3]);
    if (match === null || port > 65_535) {
      context.addIssue({
        code: 'custom',
        message: 'must be host:port, such as 127.0.0.1:9000 or [::1]:9000',
      });
      return z.NEVER;
    }
    return { host: match[1] ?? match[2] ?? '', port };
  });

/** An identity or a pattern of identities, `*` being a wildcard. */
export const chargerPattern = z
  .string()
  .regex(/^[ -$&-.0-[\]-~]{1,64}$/, 'must be printable ASCII without slashes and percent signs');

/** A pattern for a text that a charger says of itself. */
export const textPattern = z.string().min(1).max(128);

/** The path of a file, relative to the configuration file. */
export const filePath = z.string().min(1).max(1024);
