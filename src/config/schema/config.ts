import { z } from 'zod';
import { adminSection } from './admin.ts';
import { chargersSection } from './chargers.ts';
import { credentialsSection } from './credentials.ts';
import { csmsSection } from './csms.ts';
import { gatewaySection } from './gateway.ts';
import { isolationSection } from './isolation.ts';
import { limitsSection, quarantineSection, queueSection } from './limits.ts';
import { listenersSection } from './listeners.ts';
import { rampLimitSection } from './ramp-limit.ts';
import { rulesSection } from './rules.ts';
import { retentionSection, storeSection } from './store.ts';

/**
 * The configuration file. One name from here to code, metrics and docs; unknown keys are errors.
 *
 * `docs/config.md` is generated from it.
 */
export const configSchema = z
  .strictObject({
    gateway: gatewaySection.prefault({}),
    store: storeSection.prefault({}),
    retention: retentionSection.prefault({}),
    listeners: listenersSection,
    isolation: isolationSection.optional(),
    csms: csmsSection,
    chargers: chargersSection.prefault({}),
    credentials: credentialsSection.prefault({}),
    rules: rulesSection.prefault({}),
    rampLimit: rampLimitSection.prefault({}),
    queue: queueSection.prefault({}),
    limits: limitsSection.prefault({}),
    quarantine: quarantineSection.prefault({}),
    admin: adminSection.prefault({}),
  })
  .superRefine(({ credentials, csms }, context) => {
    // The CSMS would go on with a password that the charger no longer has.
    if (csms.auth.type !== 'forward') return;
    for (const key of ['batches', 'rotateDays'] as const) {
      const value = credentials[key];
      if (typeof value === 'number' ? value === 0 : value.length === 0) continue;
      context.addIssue({
        code: 'custom',
        path: ['credentials', key],
        message: 'is not possible with csms.auth: { type: forward }: the CSMS keeps the passwords',
      });
    }
  })
  .superRefine(({ isolation, listeners }, context) => {
    const bindings = isolation?.bindings ?? [];
    for (const [index, { listener }] of bindings.entries()) {
      if (listeners.some(({ name }) => name === listener)) continue;
      const path = ['isolation', 'bindings', index, 'listener'];
      context.addIssue({ code: 'custom', path, message: 'there is no listener of this name' });
    }
    for (const [index, { address, name }] of listeners.entries()) {
      if (address !== undefined || bindings.some(({ listener }) => listener === name)) continue;
      const message = 'is missing, and no entry of isolation.bindings names this listener';
      context.addIssue({ code: 'custom', path: ['listeners', index, 'address'], message });
    }
  })
  .superRefine(({ csms, rampLimit }, context) => {
    const { openSecondsMax } = rampLimit;
    if (openSecondsMax === undefined || openSecondsMax < csms.callTimeoutSeconds) return;
    context.addIssue({
      code: 'custom',
      path: ['rampLimit', 'openSecondsMax'],
      message:
        `must be below csms.callTimeoutSeconds (${csms.callTimeoutSeconds}), when the CSMS gives ` +
        'up: lower it, or raise csms.callTimeoutSeconds',
    });
  });

/** A configuration with every default filled in. */
export type Config = z.output<typeof configSchema>;
