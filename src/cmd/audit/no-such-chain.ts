import { auditChains } from '../../audit/verify.ts';
import type { Store } from '../../store/store.ts';
import { printable } from '../text-table.ts';

/** Logs that are named in one message. */
const namedMax = 20;

/** What to tell somebody who asks for a log that is not there. @throws StoreError */
export async function noSuchChain(store: Store, chain: string): Promise<string> {
  const chains = await auditChains(store);
  const named = chains.slice(0, namedMax).join(', ') + (chains.length > namedMax ? ', ...' : '');
  const there = chains.length === 0 ? 'there is none at all yet' : `there are: ${named}`;
  return `gatewatt: there is no audit log of ${printable(`${chain}; ${there}`)}`;
}
