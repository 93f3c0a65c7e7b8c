import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { namespaceFile } from '../../src/connection/isolation/network.ts';
import type { AgentAnswer, AgentCommands, AgentRequest } from './network-agent-process.ts';

const script = fileURLToPath(new URL('./network-agent-process.ts', import.meta.url));

/** A process inside a network, which does there what it is asked for. */
export interface NetworkAgent {
  /** Rejects when the command failed, or when the agent ended first. */
  do<Name extends keyof AgentCommands>(
    name: Name,
    ...parameters: Parameters<AgentCommands[Name]>
  ): Promise<Awaited<ReturnType<AgentCommands[Name]>>>;
  /** Ends it, also when its namespace has lost its name. */
  end(): void;
}

/**
 * Starts an agent in a namespace. It ends with this process, or with its namespace.
 *
 * @param mark is on its command line, for whoever looks for what was left behind.
 */
export async function startAgent(namespace: string, mark: string): Promise<NetworkAgent> {
  const child = spawn(
    'nsenter',
    [`--net=${namespaceFile(namespace)}`, '--', process.execPath, script, mark],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  const waiting = new Map<
    number,
    { resolve: (value: never) => void; reject: (error: Error) => void }
  >();
  const ended = once(child, 'exit').then(() => {
    for (const { reject } of waiting.values()) reject(new Error('the agent has ended'));
    waiting.clear();
  });
  await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error(`no agent in ${namespace}`))),
  ]);
  // It must not keep the test process alive.
  child.unref();
  child.channel?.unref();
  child.on('message', ({ error, id, value }: AgentAnswer) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) child.channel?.unref();
    if (error === undefined) one?.resolve(value as never);
    else one?.reject(new Error(error));
  });
  let requests = 0;
  return {
    do: (name, ...parameters) =>
      new Promise((resolve, reject) => {
        requests += 1;
        waiting.set(requests, { resolve: resolve as (value: never) => void, reject });
        child.channel?.ref();
        child.send({ id: requests, name, parameters } satisfies AgentRequest);
      }),
    end: () => void child.kill('SIGKILL'),
  };
}
