/**
 * The five OCPP-J messages, as plain values.
 *
 * Source: OCPP-J 1.6 section 4.2; OCPP 2.1 part 4 section 4.2 (SEND and CALLRESULTERROR).
 */

/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A request that wants an answer. */
export interface Call {
  readonly kind: 'call';
  readonly id: string;
  readonly action: string;
  readonly payload: JsonObject;
}

/** The answer to a Call. */
export interface CallResult {
  readonly kind: 'call-result';
  readonly id: string;
  readonly payload: JsonObject;
}

/** The refusal of a Call. `code` is spelled as the sender spelled it. */
export interface CallError {
  readonly kind: 'call-error';
  readonly id: string;
  readonly code: string;
  readonly description: string;
  readonly details: JsonObject;
}

/** The caller's complaint about a CallResult (OCPP 2.1 only). */
export interface CallResultError {
  readonly kind: 'call-result-error';
  readonly id: string;
  readonly code: string;
  readonly description: string;
  readonly details: JsonObject;
}

/** A request that gets no answer (OCPP 2.1 only). */
export interface Send {
  readonly kind: 'send';
  readonly id: string;
  readonly action: string;
  readonly payload: JsonObject;
}

/** Any OCPP-J message. */
export type Message = Call | CallResult | CallError | CallResultError | Send;

/** What a message can be. */
export type MessageKind = Message['kind'];

/** The MessageTypeId of each kind. */
export const messageTypeIds: Readonly<Record<MessageKind, number>> = {
  call: 2,
  'call-result': 3,
  'call-error': 4,
  'call-result-error': 5,
  send: 6,
};

/** The text of `message`, as it goes on the wire. */
export function encodeMessage(message: Message): string {
  const typeId = messageTypeIds[message.kind];
  switch (message.kind) {
    case 'call':
    case 'send':
      return JSON.stringify([typeId, message.id, message.action, message.payload]);
    case 'call-result':
      return JSON.stringify([typeId, message.id, message.payload]);
    case 'call-error':
    case 'call-result-error':
      return JSON.stringify([
        typeId,
        message.id,
        message.code,
        message.description,
        message.details,
      ]);
  }
}

/** Is `value` a JSON object, neither null nor an array? */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `object[key]`, never inherited; undefined where `object` has no such property of its own. */
export function ownProperty(object: unknown, key: string): unknown {
  return isJsonObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
}
