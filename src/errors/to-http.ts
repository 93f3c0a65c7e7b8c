import { errors, type HttpErrorCode } from './catalogue.ts';

/** An HTTP answer that refuses an upgrade. */
export interface HttpRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The HTTP answer that tells a peer about `code`.
 *
 * @param retryAfterSeconds when the peer may try again, for refusals that will pass.
 */
export function toHttp(code: HttpErrorCode, retryAfterSeconds?: number): HttpRefusal {
  const entry = errors[code];
  const headers: Record<string, string> = {
    connection: 'close',
    'content-type': 'text/plain; charset=utf-8',
  };
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  if (entry.http === 401) headers['www-authenticate'] = 'Basic realm="ocpp", charset="UTF-8"';
  if (entry.http === 426) headers['upgrade'] = 'websocket';
  return { status: entry.http, headers, body: `${entry.sentence}\n` };
}
