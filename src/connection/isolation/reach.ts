import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReachTarget } from './probe-reach.ts';
import { runInside, runTool } from './run-tool.ts';

// Beside this file, in the sources as in what they are compiled to.
const script = fileURLToPath(
  new URL(`probe-reach${path.extname(import.meta.filename)}`, import.meta.url),
);

/** What came of a try to connect. */
export interface Reach {
  readonly target: ReachTarget;
  /** `connected`, `timeout`, or the code of the system's error. */
  readonly outcome: string;
  /** Did the target answer, be it by refusing? */
  readonly isReached: boolean;
}

/** Tries to connect to each target from inside a namespace. */
export async function reachFrom(
  namespace: string,
  targets: readonly ReachTarget[],
): Promise<readonly Reach[]> {
  const parameters = JSON.stringify(targets);
  const text = await runInside(namespace, [process.execPath, script, parameters]);
  const outcomes = JSON.parse(text) as readonly string[];
  return targets.map((target, index) => {
    const outcome = outcomes[index] ?? 'error';
    return { target, outcome, isReached: answers.has(outcome) };
  });
}

/** A refusal is an answer as well. */
const answers: ReadonlySet<string> = new Set(['connected', 'ECONNREFUSED', 'ECONNRESET']);

/** Does a namespace pass packets on, from one interface to another? */
export async function isForwarding(namespace: string): Promise<boolean> {
  const files = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding'];
  const reads = files.map((file) => `[ ! -e ${file} ] || cat ${file}`).join('; ');
  const text = await runInside(namespace, ['sh', '-c', reads]);
  return text.split('\n').some((line) => line.trim() !== '' && line.trim() !== '0');
}

/** Has a namespace a way to addresses that are not in its own network? */
export async function hasDefaultRoute(namespace: string): Promise<boolean> {
  for (const family of ['-4', '-6']) {
    const text = await runTool('ip', ['-n', namespace, family, 'route', 'show', 'default']);
    if (text.trim() !== '') return true;
  }
  return false;
}
