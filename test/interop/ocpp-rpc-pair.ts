import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createRPCError, createValidator, RPCClient, RPCServer } from 'ocpp-rpc';
import { isJsonObject } from '../../src/ocpp/message.ts';
import type { OcppVersion, Peer } from '../../src/ocpp/version.ts';

/** What a side answers: a payload, or an error by its ocpp-rpc name. */
export type Answer =
  | { readonly payload: Readonly<Record<string, unknown>> }
  | { readonly error: string; readonly text: string; readonly details: object };

/** One call of a scripted conversation. */
export interface Step {
  readonly from: Peer;
  readonly action: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly answer: Answer;
}

/** One text at one end. */
export interface SeenFrame {
  readonly outbound: boolean;
  readonly text: string;
}

/** Either end of an ocpp-rpc conversation. Both are RPCClients inside. */
export type RpcEnd = InstanceType<typeof RPCClient>;

/**
 * What strict mode checks OCPP 2.1 with. ocpp-rpc 2.2.1 looks for `urn:Heartbeat.req` but has named
 * its 2.1 schemas `urn:HeartbeatRequest`, so that its own strict mode refuses every 2.1 call.
 */
const strictModeValidators = [createValidator('ocpp2.1', renamedSchemas21())];

function renamedSchemas21(): { $id: string }[] {
  const schemas: readonly { readonly $id: string }[] = createRequire(import.meta.url)(
    'ocpp-rpc/lib/schemas/ocpp2_1.json',
  );
  return schemas.map((schema) => ({
    ...withoutIdleKeywords(schema),
    $id: schema.$id.replace(/Request$/, '.req').replace(/Response$/, '.conf'),
  }));
}

/** The schemas of texts speak of properties, which the Ajv of ocpp-rpc complains about at length. */
function withoutIdleKeywords(schema: object): object {
  const text = JSON.stringify(schema, (_, value: unknown) =>
    isJsonObject(value) && Object.hasOwn(value, 'enum')
      ? { ...value, additionalProperties: undefined }
      : value,
  );
  return JSON.parse(text) as object;
}

/** A CSMS made of ocpp-rpc. */
export interface RpcCsms {
  readonly port: number;
  /** What goes into `csms.url`, and what a charger is given when there is no gateway. */
  readonly url: string;
  /** The next charger that connects. */
  nextClient(): Promise<RpcEnd>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a CSMS that checks whatever it sends and gets. `prepare` is called for each charger. */
export async function startRpcCsms(
  versions: readonly OcppVersion[],
  prepare: (client: RpcEnd) => void = () => {},
): Promise<RpcCsms> {
  const server = new RPCServer({
    protocols: [...versions],
    strictMode: true,
    strictModeValidators,
    callTimeoutMs: 10_000,
    pingIntervalMs: 10_000,
  });
  const clients: RpcEnd[] = [];
  const waiting: ((client: RpcEnd) => void)[] = [];
  server.on('client', (client: RpcEnd) => {
    prepare(client);
    const waiter = waiting.shift();
    if (waiter === undefined) clients.push(client);
    else waiter(client);
  });
  const http = await server.listen(0, '127.0.0.1');
  const { port } = http.address() as AddressInfo;
  return {
    port,
    url: `ws://127.0.0.1:${port}/csms`,
    nextClient: () => {
      const client = clients.shift();
      return client === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(client);
    },
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      await server.close({ force: true });
    },
  };
}

/** What a test wants of a charger made of ocpp-rpc. */
export interface RpcChargerOptions {
  readonly identity: string;
  /** Where it connects; the identity is appended. */
  readonly endpoint: string;
  readonly version: OcppVersion;
  readonly callConcurrency?: number;
  readonly strictMode?: boolean;
}

/** A charger that checks whatever it sends and gets; it is not connected yet. */
export function rpcCharger(options: RpcChargerOptions): RpcEnd {
  const { callConcurrency = 1, endpoint, identity, strictMode = true, version } = options;
  return new RPCClient({
    identity,
    endpoint,
    protocols: [version],
    strictMode,
    strictModeValidators,
    reconnect: true,
    maxReconnects: 100,
    backoff: { initialDelay: 20, maxDelay: 100, factor: 2, randomisationFactor: 0 },
    callTimeoutMs: 10_000,
    pingIntervalMs: 10_000,
    deferPingsOnActivity: false,
    respondWithDetailedErrors: false,
    callConcurrency,
    maxBadMessages: Number.POSITIVE_INFINITY,
    password: null,
    wsOpts: {},
    headers: {},
  });
}

/** Records every text at `end`, both ways, in order. */
export function record(end: RpcEnd): readonly SeenFrame[] {
  const seen: SeenFrame[] = [];
  end.on('message', ({ message, outbound }: { message: string; outbound: boolean }) => {
    seen.push({ outbound, text: message });
  });
  return seen;
}

/**
 * Makes `end` answer as the script says, the last answer of an action for all calls after it; what
 * the script does not mention is NotImplemented.
 */
export function answerBy(end: RpcEnd, script: readonly Step[], side: Peer): void {
  const answers = new Map<string, Answer[]>();
  for (const { action, answer, from } of script) {
    if (from !== side) answers.set(action, [...(answers.get(action) ?? []), answer]);
  }
  for (const [action, queue] of answers) {
    end.handle(action, async () => {
      const answer = queue.length > 1 ? queue.shift() : queue[0];
      if (answer !== undefined && 'payload' in answer) return answer.payload;
      throw createRPCError(answer?.error ?? 'InternalError', answer?.text, answer?.details);
    });
  }
}
