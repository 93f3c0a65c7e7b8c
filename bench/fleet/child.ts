import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { OrderTable } from './orders.ts';

/** A process that does what it is told. */
export interface Child<Orders extends OrderTable> {
  readonly pid: number;
  /** @throws Error when the process has ended, or could not do it. */
  ask<Name extends keyof Orders & string>(
    order: Name,
    argument: Orders[Name]['argument'],
  ): Promise<Orders[Name]['answer']>;
  /** Ends it, without a word to its peers. */
  kill(): Promise<void>;
}

interface Question {
  readonly id: number;
  readonly order: string;
  readonly argument: unknown;
}

interface Reply {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

/** Starts the file as a process of its own. It ends with this process at the latest. */
export function startChild<Orders extends OrderTable>(file: string): Child<Orders> {
  const child = fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  const failAll = (text: string): void => {
    for (const { reject } of waiting.values()) reject(new Error(text));
    waiting.clear();
  };
  child.on('message', (reply) => {
    const { id, answer, error } = reply as Reply;
    const pending = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) pending?.resolve(answer);
    else pending?.reject(new Error(error));
  });
  child.once('exit', (code, signal) => failAll(`${file} ended: ${code ?? signal}`));
  child.on('error', (error) => failAll(`${file}: ${error.message}`));
  return {
    pid: child.pid ?? 0,
    ask: (order, argument) => {
      asked += 1;
      const pending = Promise.withResolvers<unknown>();
      waiting.set(asked, pending);
      if (!isRunning(child)) failAll(`${file} has ended`);
      else child.send({ id: asked, order, argument } satisfies Question);
      return pending.promise;
    },
    kill: async () => {
      if (!isRunning(child)) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** What a process does when it is told. */
export type Handlers<Orders extends OrderTable> = {
  readonly [Name in keyof Orders]: (
    argument: Orders[Name]['argument'],
  ) => Orders[Name]['answer'] | Promise<Orders[Name]['answer']>;
};

/** Takes the orders of the process that has forked this one, and ends with it. */
export function serveOrders<Orders extends OrderTable>(handlers: Handlers<Orders>): void {
  // A Ctrl-C is for the process that started this one, which decides what is to become of it.
  process.on('SIGINT', () => {});
  process.once('disconnect', () => process.exit());
  process.on('message', async (message) => {
    const { id, order, argument } = message as Question;
    try {
      const answer = await handlers[order]?.(argument);
      process.send?.({ id, answer } satisfies Reply);
    } catch (error) {
      process.send?.({ id, error: String(error) } satisfies Reply);
    }
  });
}
