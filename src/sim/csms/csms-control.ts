import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isJsonObject, ownProperty } from '../../ocpp/message.ts';
import { listen } from '../protocol/listen.ts';
import { CallRefused, CallTimedOut, ConnectionLost } from '../protocol/rpc-errors.ts';
import type { SimulatedCsms } from './csms.ts';

/** Larger than any payload of the schemas. */
const bodyBytesMax = 256 * 1024;
/** A request that takes longer to arrive is cut off. */
const requestTimeoutMs = 10_000;

/** The control interface of a simulated CSMS. */
export interface CsmsControl {
  readonly url: string;
  close(): Promise<void>;
}

/** What the control interface has; told to whoever asks for something else. */
const routes =
  'GET /chargers, GET /transactions, and POST /chargers/<id>/ and one of ' +
  'call, password, certificate, security-profile';

/**
 * Lets curl drive a simulated CSMS: GET /chargers, GET /transactions, and POST /chargers/<id>/ with
 *
 * - call {"action","payload"}: sends any call.
 * - password {"password"?}: gives the charger this password, or a new one.
 * - certificate {}: asks the charger to renew its certificate.
 * - security-profile {"to","url"?}: tells the charger to use a higher profile.
 *
 * It asks for no password, so it belongs on loopback. Requests of web pages
 * are refused (they carry an Origin), because any page can reach loopback.
 */
export async function startCsmsControl(
  csms: SimulatedCsms,
  host: string,
  port: number,
): Promise<CsmsControl> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    answer(csms, request, response).catch(() => response.destroy());
  });
  const listening = await listen(server, host, port);
  return {
    url: `http://${listening.host}:${listening.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

async function answer(
  csms: SimulatedCsms,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = await route(csms, request);
  response.writeHead(reply.status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(reply.body)}\n`);
}

async function route(csms: SimulatedCsms, request: IncomingMessage): Promise<Reply> {
  if (request.headers.origin !== undefined) return failure(403, 'web pages are not served');
  const { pathname } = new URL(request.url ?? '/', 'http://control');
  const order = /^\/chargers\/([^/]+)\/(call|password|certificate|security-profile)$/.exec(
    pathname,
  );
  if (request.method === 'GET' && pathname === '/chargers') return success(csms.chargers());
  if (request.method === 'GET' && pathname === '/transactions') return success(csms.transactions());
  if (request.method !== 'POST' || order === null) return failure(404, routes);
  const [, identity = '', what = ''] = order;
  return obey(csms, decodeURIComponent(identity), what, await readBody(request));
}

async function obey(
  csms: SimulatedCsms,
  identity: string,
  what: string,
  body: unknown,
): Promise<Reply> {
  switch (what) {
    case 'password': {
      const password = ownProperty(body, 'password');
      if (password !== undefined && typeof password !== 'string') {
        return failure(400, 'the body must be {"password"}, or empty');
      }
      return answered(() => csms.rotatePassword(identity, password));
    }
    case 'certificate':
      return answered(async () => ({ status: await csms.askForRenewal(identity) }));
    case 'security-profile': {
      const to = ownProperty(body, 'to');
      const url = ownProperty(body, 'url');
      if (typeof to !== 'number' || (url !== undefined && typeof url !== 'string')) {
        return failure(400, 'the body must be {"to","url"}; in 1.6 there is no "url"');
      }
      return answered(async () => ({ status: await csms.raiseProfile(identity, to, url) }));
    }
    default: {
      const action = ownProperty(body, 'action');
      const payload = ownProperty(body, 'payload') ?? {};
      if (typeof action !== 'string' || !isJsonObject(payload)) {
        return failure(400, `the body must be {"action","payload"}, at most ${bodyBytesMax} bytes`);
      }
      return answered(() => csms.call(identity, action, payload));
    }
  }
}

/** 200 with what `ask` resolves with, or the status for why the charger did not do it. */
async function answered(ask: () => Promise<object>): Promise<Reply> {
  try {
    return success(await ask());
  } catch (error) {
    if (error instanceof CallRefused) {
      const { code, description, details } = error;
      return { status: 422, body: { error: 'the charger refused', code, description, details } };
    }
    if (error instanceof CallTimedOut) return failure(504, error.message);
    if (error instanceof ConnectionLost) return failure(404, error.message);
    return failure(503, error instanceof Error ? error.message : String(error));
  }
}

/** The body as JSON; an empty object when it is empty, undefined when it is too long or no JSON. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > bodyBytesMax) return undefined;
    chunks.push(buffer);
  }
  if (bytes === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function success(body: unknown): Reply {
  return { status: 200, body };
}

function failure(status: number, error: string): Reply {
  return { status, body: { error } };
}
