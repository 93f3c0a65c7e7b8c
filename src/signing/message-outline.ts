import { bufferOver } from '../lib/buffer-over.ts';
import { messageTypeIds } from '../ocpp/message.ts';
import { type JsonHazard, parseStrictJson } from '../ocpp/strict-json.ts';

/** An OCPP message as far as signatures need to know it. Nothing of it has been judged. */
export interface MessageOutline {
  readonly typeId: number;
  readonly id: string;
  readonly values: readonly unknown[];
  /** The text of each element, as it was written. */
  readonly texts: readonly string[];
  readonly hazards: ReadonlySet<JsonHazard>;
}

/** Deeper than any OCPP message. */
const depthMax = 32;
const typeIds: ReadonlySet<number> = new Set(Object.values(messageTypeIds));

/** The outline of an OCPP message; undefined when the text is none. `bytes` must be UTF-8. */
export function readOutline(bytes: Uint8Array): MessageOutline | undefined {
  const text = bufferOver(bytes).toString('utf8');
  const json = parseStrictJson(text, { depthMax });
  if (!json.ok) return undefined;
  const { hazards, value } = json.value;
  if (!Array.isArray(value)) return undefined;
  const values: readonly unknown[] = value;
  const texts = elementTexts(text);
  const [typeId, id] = values;
  if (typeof id !== 'string' || typeof typeId !== 'number' || !typeIds.has(typeId))
    return undefined;
  // 2.0 and 2e0 are the number 2 to some parsers only.
  if (texts[0]?.length !== 1) return undefined;
  return { typeId, id, values, texts, hazards };
}

/** The texts of the elements of an array. `text` must be the JSON of one. */
export function elementTexts(text: string): readonly string[] {
  const texts: string[] = [];
  let depth = 0;
  let start = text.indexOf('[') + 1;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x22:
        at = endOfString(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        if (depth === 0) addElement(texts, text.slice(start, at));
        break;
      case 0x2c: // ,
        if (depth !== 1) break;
        addElement(texts, text.slice(start, at));
        start = at + 1;
        break;
    }
  }
  return texts;
}

function addElement(texts: string[], element: string): void {
  const trimmed = element.trim();
  // Only an empty array has an element without text.
  if (trimmed !== '') texts.push(trimmed);
}

/** The index of the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== 0x22) {
    at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  }
  return at;
}
