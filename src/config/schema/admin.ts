import { z } from 'zod';
import { socketAddress } from './fields.ts';

/** The `admin` section. */
export const adminSection = z.strictObject({
  address: socketAddress.prefault('127.0.0.1:8080').meta({
    description: 'Where /healthz, /readyz and /metrics are. Never open it to chargers.',
  }),
});
