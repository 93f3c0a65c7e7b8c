import assert from 'node:assert/strict';
import type { OcppVersion } from '../../src/ocpp/version.ts';
import {
  answerBy,
  type RpcEnd,
  record,
  rpcCharger,
  type SeenFrame,
  type Step,
  startRpcCsms,
} from './ocpp-rpc-pair.ts';
import { scripts } from './scripts.ts';

/** What both ends of a conversation have seen. */
export interface Run {
  readonly charger: readonly SeenFrame[];
  readonly csms: readonly SeenFrame[];
}

/** Plays `script` between two ends, one call after the other. */
async function play(charger: RpcEnd, csms: RpcEnd, script: readonly Step[]): Promise<void> {
  for (const { action, answer, from, request } of script) {
    const caller = from === 'charger' ? charger : csms;
    const result = caller.call(action, request);
    if ('payload' in answer) assert.deepEqual(await result, answer.payload, action);
    else await assert.rejects(result, action);
  }
}

/** One conversation of a charger of ocpp-rpc with a CSMS of ocpp-rpc, at `endpointFor` its URL. */
export async function converse(
  version: OcppVersion,
  endpointFor: (csmsUrl: string) => Promise<string>,
): Promise<Run> {
  const script = scripts[version];
  let csmsSeen: readonly SeenFrame[] = [];
  await using csms = await startRpcCsms([version], (client) => {
    csmsSeen = record(client);
    answerBy(client, script, 'csms');
  });
  const endpoint = await endpointFor(csms.url);
  const charger = rpcCharger({ identity: 'CP-1', endpoint, version });
  const chargerSeen = record(charger);
  answerBy(charger, script, 'charger');
  await charger.connect();
  const client = await csms.nextClient();
  try {
    await play(charger, client, script);
    // What nobody handles: ocpp-rpc answers NotImplemented by itself.
    const foreign = version === 'ocpp1.6' ? 'GetLocalListVersion' : 'ClearCache';
    await assert.rejects(client.call(foreign, {}), { rpcErrorCode: 'NotImplemented' });
  } finally {
    await charger.close();
  }
  return { charger: chargerSeen, csms: csmsSeen };
}

/** Replaces each UUID by its number, the same at both ends. */
export function withoutRandomIds(run: Run): unknown {
  const numbers = new Map<string, string>();
  const replace = ({ outbound, text }: SeenFrame): string => {
    const plain = text.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
      const number = numbers.get(id) ?? `id-${numbers.size + 1}`;
      numbers.set(id, number);
      return number;
    });
    return `${outbound ? '>' : '<'} ${plain}`;
  };
  return { charger: run.charger.map(replace), csms: run.csms.map(replace) };
}
