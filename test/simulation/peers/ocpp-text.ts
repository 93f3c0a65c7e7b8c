import type { JsonObject } from '../../../src/ocpp/message.ts';

/** A message of OCPP-J, as far as simulation and observers care. */
export type OcppText =
  | {
      readonly kind: 'call';
      readonly id: string;
      readonly action: string;
      readonly payload: unknown;
    }
  | { readonly kind: 'result'; readonly id: string; readonly payload: unknown }
  | { readonly kind: 'error'; readonly id: string; readonly code: string };

/** Stands in every message that nobody may ever get. */
export const badMark = 'NEVER-PASSED-ON';

/** Reads a message; undefined for what is none. */
export function readOcpp(text: string): OcppText | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [type, id, third, fourth] = parts as readonly unknown[];
  if (typeof id !== 'string') return undefined;
  if (type === 2 && typeof third === 'string') {
    return { kind: 'call', id, action: third, payload: fourth };
  }
  if (type === 3) return { kind: 'result', id, payload: third };
  return type === 4 && typeof third === 'string' ? { kind: 'error', id, code: third } : undefined;
}

export function callText(id: string, action: string, payload: JsonObject): string {
  return JSON.stringify([2, id, action, payload]);
}

export function resultText(id: string, payload: JsonObject): string {
  return JSON.stringify([3, id, payload]);
}

export function errorText(id: string, code: string): string {
  return JSON.stringify([4, id, code, '', {}]);
}

/** What a message of a peer says under a name; undefined when it says nothing. */
export function fieldOf(payload: unknown, name: string): unknown {
  if (typeof payload !== 'object' || payload === null) return undefined;
  return Object.hasOwn(payload, name) ? (payload as JsonObject)[name] : undefined;
}
