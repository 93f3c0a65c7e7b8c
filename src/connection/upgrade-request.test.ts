import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { parseUpgrade } from './upgrade-request.ts';

// Goal: a password leaves the request in one place and stays in no other.
// Method: requests that are made of headers.

function request(authorization: readonly string[], url = '/ocpp/CP-1'): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  message.method = 'GET';
  message.url = url;
  const headers: readonly (readonly [string, string])[] = [
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ...authorization.map((value) => ['AuthoriZation', value] as const),
  ];
  for (const [name, value] of headers) {
    message.rawHeaders.push(name, value);
    message.headers[name.toLowerCase()] ??= value;
  }
  return message;
}

const reading = { paths: ['/ocpp'], source: { from: 'path' } } as const;
const secret = Buffer.from('CP-1:hunter2').toString('base64');

describe('the Authorization header', () => {
  test('is read, and wiped out of the request', () => {
    const message = request([`Basic ${secret}`]);
    const parsed = parseUpgrade(message, reading);
    assert.deepEqual(parsed.ok && parsed.value.basic, {
      is: 'basic',
      credential: Buffer.from('CP-1:hunter2'),
    });
    const rest = JSON.stringify([message.headers, message.rawHeaders, message.headersDistinct]);
    assert.doesNotMatch(rest, new RegExp(secret));
  });

  test('is wiped out of a request that is refused, too', () => {
    const message = request([`Basic ${secret}`, `Basic ${secret}`], '/elsewhere');
    assert.equal(parseUpgrade(message, reading).ok, false);
    const rest = JSON.stringify([message.headers, message.rawHeaders, message.headersDistinct]);
    assert.doesNotMatch(rest, new RegExp(secret));
  });

  test('may be missing; two of them are one too many', () => {
    const none = parseUpgrade(request([]), reading);
    assert.deepEqual(none.ok && none.value.basic, { is: 'absent' });
    const two = parseUpgrade(request([`Basic ${secret}`, 'Basic other']), reading);
    assert.deepEqual(two.ok && two.value.basic, { is: 'malformed' });
  });
});

test('T2-08: a client certificate that cannot be read refuses the request', () => {
  assert.deepEqual(parseUpgrade(request([]), reading, 'unreadable'), {
    ok: false,
    error: 'CERTIFICATE_UNREADABLE',
  });
});
