import type { EventName } from '../events/catalogue.ts';
import { redactSecrets } from '../ocpp/secrets.ts';
import { storableText } from '../store/storable-text.ts';

/** Something that the audit log is to hold. */
export interface AuditEntry {
  /** Unix time in milliseconds, from the gateway's clock. */
  readonly atMs: number;
  readonly event: EventName;
  readonly charger?: string | undefined;
  /** The rest of the event. Secrets in it are taken out, and what is too long is cut. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An entry in the form of its columns; only its place in the chain is missing. */
export interface AuditColumns {
  readonly at_ms: number;
  readonly event: string;
  readonly charger: string | null;
  readonly document: string;
}

/** The columns of `entry`. Never throws: what cannot be written is recorded as just that. */
export function columnsOf({ atMs, event, charger, fields }: AuditEntry): AuditColumns {
  return {
    at_ms: Math.round(atMs),
    event,
    charger: charger === undefined ? null : storableText(charger, chargerLengthMax),
    document: documentOf(fields),
  };
}

/** Bytes of one document. A gateway's own fields have some hundred; a recorded message has more. */
export const documentBytesMax = 65_536;
/** Characters that long texts are cut to, one after the other, until the document is small enough. */
const cuts = [49_152, 16_384, 4_096, 1_024, 256] as const;
/** Characters of a charger's identity. It has 64 at most; this is for those who ask differently. */
const chargerLengthMax = 256;

function documentOf(fields: Readonly<Record<string, unknown>>): string {
  try {
    const { value } = redactSecrets(fields, { guesses: true });
    const whole = JSON.stringify(value);
    if (Buffer.byteLength(whole) <= documentBytesMax) return whole;
    for (const length of cuts) {
      const shorter = JSON.stringify(value, (_key, item: unknown) => cut(item, length));
      if (Buffer.byteLength(shorter) <= documentBytesMax) return shorter;
    }
    return JSON.stringify({ cut: `${whole.slice(0, 1024)}${cutMark(whole.length)}` });
  } catch {
    // A cycle, a BigInt or a thousand levels: a defect of whoever made the event, and no reason to
    // lose the record.
    return JSON.stringify({ unwritable: true });
  }
}

function cut(item: unknown, length: number): unknown {
  if (typeof item !== 'string' || item.length <= length) return item;
  return `${item.slice(0, length)}${cutMark(item.length)}`;
}

function cutMark(length: number): string {
  return ` [cut: ${length} characters in all]`;
}
