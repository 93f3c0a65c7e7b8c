import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GatewayControl } from '../gateway/control.ts';

/** Where the admin server listens and what it shows. */
export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  readonly gateway: GatewayControl;
  /** The metrics in the Prometheus text format. */
  metrics(): Promise<string>;
  readonly metricsContentType: string;
}

/** A running admin server. */
export interface AdminServer {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/healthz` (the process lives), `/readyz` (it takes chargers) and `/metrics`.
 *
 * Everything else is 404, and nothing names the software: it must not help whoever should not have
 * reached it.
 *
 * @throws the system's error when the address cannot be had.
 */
export function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const server = createServer(
    { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 5_000 },
    (request, response) => {
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const path = request.url?.split('?')[0];
      if (!isRead) {
        // RFC 9110 section 15.5.6.
        response.setHeader('allow', 'GET, HEAD');
        answer(response, 405, 'method not allowed\n');
      } else if (path === '/healthz') {
        answer(response, 200, 'ok\n');
      } else if (path === '/readyz') {
        const readiness = options.gateway.readiness();
        answer(response, readiness === 'ready' ? 200 : 503, `${readiness}\n`);
      } else if (path === '/metrics') {
        answerMetrics(response, options);
      } else {
        answer(response, 404, 'not found\n');
      }
    },
  );
  server.maxConnections = 100;
  return listen(server, options);
}

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response
    .writeHead(status, {
      'content-type': contentType,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .end(body);
}

function answerMetrics(response: ServerResponse, options: AdminOptions): void {
  options.metrics().then(
    (text) => answer(response, 200, text, options.metricsContentType),
    () => answer(response, 500, 'metrics are not available\n'),
  );
}

function listen(server: Server, { host, port }: AdminOptions): Promise<AdminServer> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const bound = server.address() as AddressInfo;
      const shownHost = bound.address.includes(':') ? `[${bound.address}]` : bound.address;
      resolve({
        address: `${shownHost}:${bound.port}`,
        port: bound.port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}
