import { isJsonObject, type JsonObject, ownProperty } from '../../ocpp/message.ts';

/** A memory as it is saved: two texts, since one of them changes much more often than the other. */
export interface SavedMemory {
  /** JSON: all but the variables. */
  readonly document: string;
  /** JSON: configuration keys and variables. */
  readonly variables: string;
}

/** Rises when a document of before can no longer be read as it was meant. */
const formatVersion = 1;

/** Writes `document` as JSON, with the number of the format. */
export function sealDocument(document: JsonObject): string {
  return JSON.stringify({ v: formatVersion, ...document });
}

/** Reads what `sealDocument` wrote; undefined when the text is damaged or of another format. */
export function openDocument(text: string): JsonObject | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return isJsonObject(document) && ownProperty(document, 'v') === formatVersion
      ? document
      : undefined;
  } catch {
    return undefined;
  }
}
