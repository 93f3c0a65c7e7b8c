import type { NetworkSocket } from './network.ts';

/** What the gateway says to the process that keeps its namespaces. */
export type GatewayMessage = {
  readonly type: 'open';
  readonly network: string;
  readonly socket: NetworkSocket;
};

/** What that process says. With `opened` comes the socket. */
export type KeeperMessage =
  | { readonly type: 'opened'; readonly network: string; readonly socket: NetworkSocket }
  | {
      readonly type: 'not-opened';
      readonly network: string;
      readonly socket: NetworkSocket;
      readonly detail: string;
    }
  | {
      readonly type: 'network';
      readonly network: string;
      readonly is: 'up' | 'missing' | 'failed';
      /** The namespace was made anew: what was opened in the older one is of no use. */
      readonly isMade?: boolean | undefined;
      readonly detail?: string | undefined;
    }
  /** End gracefully, or, asked a second time, at once. */
  | { readonly type: 'stop' };

/** How a gateway knows that it has a keeper. */
export const keptVariable = 'GATEWATT_KEPT';
