import type { Duplex } from 'node:stream';
import type { HttpRefusal } from '../errors/to-http.ts';

/** Writes an HTTP answer to a connection that node:http has let go of, and closes it. */
export function answerHttp(socket: Duplex, { status, headers, body }: HttpRefusal): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = Buffer.byteLength(body);
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${statusText[status] ?? 'Error'}\r\n${lines.join('')}` +
      `content-length: ${length}\r\n\r\n${body}`,
  );
}

const statusText: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};
