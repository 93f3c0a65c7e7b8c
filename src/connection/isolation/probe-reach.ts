// Tries to connect from the network that it is started in, and prints what came of it as JSON.
// `reach.ts` starts it.
import { connect } from 'node:net';

/** One TCP address. */
export interface ReachTarget {
  readonly host: string;
  readonly port: number;
}

const targets = JSON.parse(process.argv[2] ?? '[]') as readonly ReachTarget[];
/** Whoever does not answer by then does not, in milliseconds. */
const answerMs = 2000;

function probe(target: ReachTarget): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: answerMs });
    const end = (outcome: string): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.on('connect', () => end('connected'));
    socket.on('timeout', () => end('timeout'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
  });
}

process.stdout.write(JSON.stringify(await Promise.all(targets.map(probe))));
