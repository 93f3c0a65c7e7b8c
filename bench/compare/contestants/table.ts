import { type Contestant, type ContestantName, contestantNames } from './contestant.ts';
import { direct } from './direct.ts';
import { gatewatt } from './gatewatt.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { ocppRpc, passThrough } from './node-program.ts';

const contestants: Readonly<Record<ContestantName, Contestant>> = {
  gatewatt,
  'ocpp-rpc': ocppRpc,
  haproxy,
  nginx,
  'pass-through': passThrough,
  none: direct,
};

/** Those that are wanted, in the order of the first round: Gatewatt first, since it sets the rate. */
export function contestantsNamed(names: readonly ContestantName[]): readonly Contestant[] {
  return contestantNames.filter((name) => names.includes(name)).map((name) => contestants[name]);
}
