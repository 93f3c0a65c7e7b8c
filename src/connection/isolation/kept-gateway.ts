import { once } from 'node:events';
import { type GatewayMessage, type KeeperMessage, keptVariable } from './keeper-messages.ts';
import type { NetworkSocket } from './network.ts';
import type { InsideSocket } from './open-inside.ts';
import { ToolError } from './run-tool.ts';

/** What a gateway hears of its networks. */
export type NetworkNews = Extract<KeeperMessage, { readonly type: 'network' }>;

/** The process that keeps the namespaces, as the gateway sees it. */
export interface Keeper {
  /**
   * Has a socket opened inside a network.
   *
   * @throws ToolError
   */
  open(network: string, socket: NetworkSocket): Promise<InsideSocket>;
  onNews(listener: (news: NetworkNews) => void): void;
  /** Resolves when the gateway is to end: it was asked to, or its keeper has gone. */
  readonly stopped: Promise<void>;
  /** Resolves when it was asked a second time. */
  readonly stoppedAtOnce: Promise<void>;
  /** Lets this process end. */
  leave(): void;
}

/** The keeper of this process; undefined when it has none. */
export function keeperOfThisProcess(): Keeper | undefined {
  if (process.env[keptVariable] === undefined || process.send === undefined) return undefined;
  const waiting = new Map<
    string,
    { readonly take: (it: InsideSocket) => void; fail(text: string): void }
  >();
  const listeners = new Set<(news: NetworkNews) => void>();
  let stops = 0;
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const { promise: stoppedAtOnce, resolve: stopAtOnce } = Promise.withResolvers<void>();
  process.on('message', (message: KeeperMessage, handle: unknown) => {
    switch (message.type) {
      case 'opened':
        take(waiting, message)?.take(handle as InsideSocket);
        break;
      case 'not-opened':
        take(waiting, message)?.fail(message.detail);
        break;
      case 'network':
        for (const listener of listeners) listener(message);
        break;
      case 'stop':
        stops += 1;
        if (stops > 1) stopAtOnce();
        else stop();
    }
  });
  void once(process, 'disconnect').then(() => stop());
  // A gateway that could not start must end, though its keeper is still there.
  process.channel?.unref();
  return {
    open: (network, socket) =>
      new Promise((resolve, reject) => {
        const fail = (detail: string): void => reject(new ToolError(detail));
        waiting.set(keyOf({ network, socket }), { take: resolve, fail });
        const wish: GatewayMessage = { type: 'open', network, socket };
        process.send?.(wish, (error: Error | null) => {
          if (error !== null) fail('the process that keeps the namespaces has gone');
        });
      }),
    onNews: (listener) => void listeners.add(listener),
    stopped,
    stoppedAtOnce,
    leave: () => {
      if (process.connected) process.disconnect();
    },
  };
}

type Wish = Pick<GatewayMessage, 'network' | 'socket'>;

function keyOf({ network, socket }: Wish): string {
  return `${network} ${socket}`;
}

function take<Waiting>(waiting: Map<string, Waiting>, wish: Wish): Waiting | undefined {
  const key = keyOf(wish);
  const one = waiting.get(key);
  waiting.delete(key);
  return one;
}
