import { bufferOver } from '../lib/buffer-over.ts';
import { messageTypeIds } from './message.ts';

/** `[2,"` */
const startBytes = 4;
/** `{}]` */
const endBytes = 3;

/**
 * The elements of a CALL or CALLRESULT with an empty payload that is spelled as nearly all are,
 * `[3,"id",{}]`. `undefined` says only that somebody else has to read it.
 *
 * Half of all messages are of that kind: Heartbeat, and the answers to MeterValues and to
 * StatusNotification. Nothing in them can be read in two ways, so they need neither JSON.parse nor a
 * look for that, which took about half of the time in which they were decoded.
 *
 * Source: OCPP-J 1.6 sections 4.2.1 and 4.2.2.
 */
export function readEmptyMessage(bytes: Uint8Array): readonly unknown[] | undefined {
  const payloadAt = bytes.length - endBytes;
  const isEmpty =
    bytes[0] === 0x5b && // [
    bytes[2] === 0x2c && // ,
    bytes[3] === 0x22 && // "
    bytes[payloadAt] === 0x7b && // {
    bytes[payloadAt + 1] === 0x7d && // }
    bytes[payloadAt + 2] === 0x5d; // ]
  if (!isEmpty) return undefined;
  const typeId = (bytes[1] ?? 0) - 0x30;
  const isCall = typeId === messageTypeIds.call;
  if (!isCall && typeId !== messageTypeIds['call-result']) return undefined;

  const idEnd = endOfPlainString(bytes, startBytes, payloadAt);
  if (idEnd === undefined || bytes[idEnd + 1] !== 0x2c) return undefined;
  const id = textOf(bytes, startBytes, idEnd);
  const nextAt = idEnd + 2;
  if (!isCall) return nextAt === payloadAt ? [typeId, id, {}] : undefined;
  if (bytes[nextAt] !== 0x22) return undefined;
  const actionEnd = endOfPlainString(bytes, nextAt + 1, payloadAt);
  if (actionEnd === undefined || bytes[actionEnd + 1] !== 0x2c) return undefined;
  if (actionEnd + 2 !== payloadAt) return undefined;
  return [typeId, id, textOf(bytes, nextAt + 1, actionEnd), {}];
}

/** Where a string of ASCII without escapes has its closing quote, before `end`. */
function endOfPlainString(bytes: Uint8Array, start: number, end: number): number | undefined {
  for (let at = start; at < end; at += 1) {
    const character = bytes[at] ?? 0;
    if (character === 0x22) return at;
    if (character < 0x20 || character === 0x5c || character >= 0x80) return undefined;
  }
  return undefined;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return bufferOver(bytes).toString('latin1', start, end);
}
