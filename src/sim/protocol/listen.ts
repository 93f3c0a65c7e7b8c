import type { Server } from 'node:http';

/** Where a server listens. `host` can stand in a URL: an IPv6 address has its brackets. */
export interface Listening {
  readonly host: string;
  readonly port: number;
}

/** Listens on `host` and `port` (0: any). Rejects with the system's error, such as EADDRINUSE. */
export function listen(server: Server, host: string, port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const address = server.address();
      const actualPort = typeof address === 'object' && address !== null ? address.port : port;
      resolve({ host: host.includes(':') ? `[${host}]` : host, port: actualPort });
    });
  });
}
