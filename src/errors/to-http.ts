import { errors, type HttpErrorCode } from './catalogue.ts';

/** An HTTP answer that refuses an upgrade. */
export interface HttpRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What an answer depends on beside its code. */
export interface HttpOptions {
  /** When the peer may try again, for refusals that will pass. */
  readonly retryAfterSeconds?: number | undefined;
  /**
   * How a peer may authenticate itself. `none` where a password is of no use, because certificates
   * are asked for: 401 has to name a scheme (RFC 9110 section 15.5.2), so it is 403 then.
   */
  readonly challenge?: 'basic' | 'none' | undefined;
}

/** The HTTP answer that tells a peer about `code`. */
export function toHttp(code: HttpErrorCode, options: HttpOptions = {}): HttpRefusal {
  const { challenge = 'basic', retryAfterSeconds } = options;
  const entry = errors[code];
  const headers: Record<string, string> = {
    connection: 'close',
    'content-type': 'text/plain; charset=utf-8',
  };
  const status = entry.http === 401 && challenge === 'none' ? 403 : entry.http;
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  if (status === 401) headers['www-authenticate'] = 'Basic realm="ocpp", charset="UTF-8"';
  if (status === 426) headers['upgrade'] = 'websocket';
  return { status, headers, body: `${entry.sentence}\n` };
}
