import { type DerReader, type DerValue, derTags, objectIdentifier, parseDer } from './der.ts';

/** What is read of the name of a subject. */
export interface DistinguishedName {
  /**
   * Each CN, in its order. One that cannot be decoded is U+FFFD: it counts, and matches nothing.
   */
  readonly commonNames: readonly string[];
  /** Each O, likewise. */
  readonly organizations: readonly string[];
}

const commonNameType = '2.5.4.3';
const organizationType = '2.5.4.10';

/** More attributes than any certificate has. */
const attributesMax = 64;

/**
 * Reads the DER of a name; undefined when it is malformed, or has too many attributes.
 *
 * Source: RFC 5280 section 4.1.2.4; ITU-T X.520.
 */
export function readName(bytes: Buffer): DistinguishedName | undefined {
  const attributes = parseDer(bytes, readAttributes);
  if (attributes === undefined || attributes.length > attributesMax) return undefined;
  const valuesOf = (type: string): readonly string[] =>
    attributes.filter((one) => one.type === type).map(({ value }) => textOf(value));
  return { commonNames: valuesOf(commonNameType), organizations: valuesOf(organizationType) };
}

/**
 * A text that is the same for two names that are the same, however they are encoded: case, spaces
 * at the ends, and how many there are between, do not count. Undefined when the name is malformed.
 *
 * Source: RFC 5280 section 7.1.
 */
export function nameKey(bytes: Buffer): string | undefined {
  const attributes = parseDer(bytes, readAttributes);
  if (attributes === undefined || attributes.length > attributesMax) return undefined;
  return JSON.stringify(
    attributes.map(({ type, value }) => {
      const text = textOf(value);
      return text.includes(undecodable)
        ? [type, value.tag, value.content.toString('hex')]
        : [type, text.trim().replace(/\s+/g, ' ').toLowerCase()];
    }),
  );
}

/** A name for people: its first CN, or else its first O; printable, and cut. */
export function shownName({ commonNames, organizations }: DistinguishedName): string {
  const name = commonNames[0] ?? organizations[0] ?? '';
  return name === '' ? 'without a name' : name.slice(0, 64).replace(/[^ -~]/g, '?');
}

/** May `text` be compared, stored and shown: printable ASCII, 1 to 64 characters? */
export function isPlainText(text: string): boolean {
  return /^[ -~]{1,64}$/.test(text);
}

interface Attribute {
  readonly type: string;
  readonly value: DerValue;
}

function readAttributes(reader: DerReader): readonly Attribute[] {
  const sets = reader.enter(derTags.sequence);
  const attributes: Attribute[] = [];
  while (!sets.isAtEnd) {
    const set = sets.enter(derTags.set);
    while (!set.isAtEnd) {
      const attribute = set.enter(derTags.sequence);
      const type = objectIdentifier(attribute.take(derTags.objectIdentifier));
      attributes.push({ type, value: attribute.take() });
      attribute.end();
    }
  }
  return attributes;
}

const undecodable = '\ufffd';

function textOf({ tag, content }: DerValue): string {
  switch (tag) {
    case derTags.utf8String:
      return decoded('utf-8', content);
    case derTags.printableString:
    case derTags.ia5String:
    case derTags.t61String:
      return content.toString('latin1');
    case derTags.bmpString:
      return decoded('utf-16be', content);
    case derTags.universalString:
      return fromUtf32(content);
    default:
      return undecodable;
  }
}

function decoded(encoding: 'utf-8' | 'utf-16be', content: Buffer): string {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undecodable;
  }
}

function fromUtf32(content: Buffer): string {
  if (content.length % 4 !== 0) return undecodable;
  let text = '';
  for (let offset = 0; offset < content.length; offset += 4) {
    const point = content.readUInt32BE(offset);
    if (point > 0x10ffff) return undecodable;
    text += String.fromCodePoint(point);
  }
  return text;
}
