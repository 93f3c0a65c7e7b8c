/**
 * The plainest proxy for WebSockets that can be written with `ws`: it checks nothing, and forwards
 * texts as they are. It is what the contestants are compared with.
 *
 *   node bench/compare/pass-through.ts PORT CSMS_URL [CERTIFICATE_FILE KEY_FILE]
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type RawData, WebSocket, WebSocketServer } from 'ws';

const [port, csmsUrl, certificateFile, keyFile] = process.argv.slice(2);
const server =
  certificateFile === undefined || keyFile === undefined
    ? createServer()
    : createTlsServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) });

new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (charger, request) => {
  const identity = request.url?.split('/').at(-1) ?? '';
  const csms = new WebSocket(`${csmsUrl}/${identity}`, [charger.protocol], {
    perMessageDeflate: false,
  });
  const early: RawData[] = [];
  charger.on('message', (data) => {
    if (csms.readyState === WebSocket.OPEN) csms.send(data, { binary: false });
    else early.push(data);
  });
  csms.on('open', () => {
    for (const data of early.splice(0)) csms.send(data, { binary: false });
  });
  csms.on('message', (data) => charger.send(data, { binary: false }));
  for (const [one, other] of [
    [charger, csms],
    [csms, charger],
  ] as const) {
    one.on('close', () => other.close());
    one.on('error', () => other.terminate());
  }
});
server.listen(Number(port), '127.0.0.1');
