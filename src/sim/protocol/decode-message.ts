import { isJsonObject, type JsonObject, type Message } from '../../ocpp/message.ts';

/**
 * Reads `text` as an OCPP-J message; undefined when it is none.
 *
 * Lenient on purpose, like most peers in the field: a simulator must let a tester send what the
 * gateway refuses. A null payload counts as an empty one (OCPP-J 1.6 section 4.2.1).
 */
export function decodeMessage(text: string): Message | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const [typeId, id, third, fourth, fifth] = value as readonly unknown[];
  if (typeof id !== 'string') return undefined;
  switch (typeId) {
    case 2:
    case 6: {
      const payload = readPayload(fourth);
      if (typeof third !== 'string' || payload === undefined) return undefined;
      return { kind: typeId === 2 ? 'call' : 'send', id, action: third, payload };
    }
    case 3: {
      const payload = readPayload(third);
      return payload === undefined ? undefined : { kind: 'call-result', id, payload };
    }
    case 4:
    case 5:
      return {
        kind: typeId === 4 ? 'call-error' : 'call-result-error',
        id,
        code: typeof third === 'string' ? third : '',
        description: typeof fourth === 'string' ? fourth : '',
        details: isJsonObject(fifth) ? fifth : {},
      };
    default:
      return undefined;
  }
}

function readPayload(value: unknown): JsonObject | undefined {
  if (value === null || value === undefined) return {};
  return isJsonObject(value) ? value : undefined;
}
