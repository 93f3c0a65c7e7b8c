import { parseArgs } from 'node:util';
import { type ContestantName, contestantNames } from './contestants/contestant.ts';
import { type Transport, transports } from './transport.ts';

/** What is measured, and how long. */
export interface Options {
  readonly rounds: number;
  /** Sizes of the closed loop, the largest first. */
  readonly chargers: readonly number[];
  /** Round trips of one contestant in one round, in the closed loops together. */
  readonly messages: number;
  /** Calls per second of the open loop; undefined for half of what Gatewatt bears. */
  readonly rate: number | undefined;
  readonly openLoopSeconds: number;
  readonly idleChargers: number;
  readonly idleSeconds: number;
  /** Connections that are timed. */
  readonly connections: number;
  readonly only: readonly ContestantName[];
  readonly transports: readonly Transport[];
  readonly out: string;
}

/** Connections that are under way at a time. */
export const connectingAtOnce = 32;
/** Chargers of the open loop. */
export const openLoopChargers = 100;

/** Text of `--help`. */
export const help = `Gatewatt side by side with other ways to pass OCPP on, in turns, in one run.

  npm run bench -- [options]

  --rounds N         how often everything is measured (5)
  --chargers LIST    sizes of the closed loop (1,100,1000)
  --messages N       round trips of each contestant in each round, in the closed loops together (60000);
                     as many before the first and before the open loop, half as many before
                     each other, to warm up
  --rate N           calls a second of the open loop; without it, half of what Gatewatt, or else the
                     first that is measured, reaches with 100 chargers in the first round
  --seconds N        how long the open loop is (4)
  --idle N           chargers that are idle while memory is read (1000)
  --connections N    connections that are timed (500)
  --only LIST        some of: ${contestantNames.join(', ')}
  --transport LIST   plain, tls or both (plain,tls)
  --out FOLDER       where compare.json and compare.svg go (bench-results)
  --quick            a look in some three minutes, with small numbers
  --help             this text

Exit codes: 0 all targets were concluded, met or not; 1 something was too noisy or failed; 2 wrong usage.
`;

const normal = { rounds: '5', messages: '60000', seconds: '4', idle: '1000', connections: '500' };
const quick = { rounds: '3', messages: '12000', seconds: '1', idle: '100', connections: '50' };

/** Reads the command line. Undefined when help is wanted. @throws {Error} for a wrong option. */
export function readOptions(args: readonly string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: text,
      chargers: text,
      messages: text,
      rate: text,
      seconds: text,
      idle: text,
      connections: text,
      only: text,
      transport: text,
      out: text,
      quick: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return undefined;
  const chosen = { ...(values.quick === true ? quick : normal), ...values };
  const chargers = chosen.chargers ?? (values.quick === true ? '1,100' : '1,100,1000');
  const sizes = chargers.split(',').map((it) => count('chargers', it, 5000));
  if (chosen.rate === undefined && !sizes.includes(openLoopChargers)) {
    throw new Error(`without ${openLoopChargers} in --chargers, --rate is needed`);
  }
  return {
    rounds: count('rounds', chosen.rounds, 1000),
    chargers: [...new Set(sizes)].sort((a, b) => b - a),
    messages: count('messages', chosen.messages, 10_000_000),
    rate: chosen.rate === undefined ? undefined : count('rate', chosen.rate, 1_000_000),
    openLoopSeconds: count('seconds', chosen.seconds, 3600),
    idleChargers: count('idle', chosen.idle, 5000),
    idleSeconds: values.quick === true ? 1 : 2,
    connections: count('connections', chosen.connections, 5000),
    only: listOf('only', chosen.only, contestantNames),
    transports: listOf('transport', chosen.transport, transports),
    out: chosen.out ?? 'bench-results',
  };
}

function count(name: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new Error(`--${name} must be a whole number from 1 to ${max}, and not ${text}`);
}

function listOf<Name extends string>(
  option: string,
  text: string | undefined,
  all: readonly Name[],
): readonly Name[] {
  if (text === undefined) return all;
  return text.split(',').map((part) => {
    const name = all.find((it) => it === part);
    if (name === undefined) throw new Error(`--${option} knows ${all.join(', ')}, and not ${part}`);
    return name;
  });
}
