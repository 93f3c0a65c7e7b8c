import type { Contestant } from './contestant.ts';

/** Nothing in between. Under TLS as well the CSMS is plain, so this is the base for both. */
export const direct: Contestant = {
  name: 'none',
  description: 'chargers connect straight to the CSMS, without TLS',
  version: () => '-',
  start: async (csmsUrl) => ({
    url: (identity) => `${csmsUrl}/${identity}`,
    usage: undefined,
    ended: new Promise<never>(() => {}),
    stop: async () => {},
  }),
};
