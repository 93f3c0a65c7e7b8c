/**
 * A gateway made of the npm package `ocpp-rpc`: strict mode on both sides, which checks every call and
 * result with its JSON schema, as the CSMS and the chargers of that package do. Calls of either side are
 * made again on the other.
 *
 *   node bench/compare/ocpp-rpc-gateway.ts PORT CSMS_URL [CERTIFICATE_FILE KEY_FILE]
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { RPCClient, RPCServer } from 'ocpp-rpc';

type RpcEnd = InstanceType<typeof RPCClient>;

const [port, csmsUrl, certificateFile, keyFile] = process.argv.slice(2);
const protocols = ['ocpp1.6'];
const server = new RPCServer({ protocols, strictMode: true });

server.on('client', (charger: RpcEnd) => {
  const csms = new RPCClient({
    identity: charger.identity ?? '',
    endpoint: csmsUrl ?? '',
    protocols,
    strictMode: true,
    strictModeValidators: [],
    reconnect: false,
    maxReconnects: 0,
    backoff: { initialDelay: 1000, maxDelay: 10_000, factor: 2, randomisationFactor: 0.25 },
    callTimeoutMs: 30_000,
    pingIntervalMs: 30_000,
    deferPingsOnActivity: false,
    respondWithDetailedErrors: false,
    callConcurrency: 1,
    maxBadMessages: Number.POSITIVE_INFINITY,
    password: null,
    wsOpts: { perMessageDeflate: false },
    headers: {},
  });
  const connected = csms.connect();
  connected.catch(() => charger.close({ code: 1011 }));
  forwardCalls(charger, csms, connected);
  forwardCalls(csms, charger);
  charger.once('close', () => csms.close());
  csms.once('close', () => charger.close());
});

/** Lets `callee` answer what `caller` calls, once it is there. An error goes back as it comes. */
function forwardCalls(caller: RpcEnd, callee: RpcEnd, isThere?: Promise<unknown>): void {
  caller.handle(async ({ method, params }) => {
    await isThere;
    return (await callee.call(method, params)) as Record<string, unknown>;
  });
}

const http =
  certificateFile === undefined || keyFile === undefined
    ? createServer()
    : createTlsServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) });
http.on('upgrade', server.handleUpgrade).listen(Number(port), '127.0.0.1');
