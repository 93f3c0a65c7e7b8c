import {
  contextTag,
  type DerReader,
  derTags,
  integerDigits,
  malformed,
  objectIdentifier,
  parseDer,
} from './der.ts';

/** The extensions that decide what a certificate may be used for. */
export interface Extensions {
  /** Does it say that it is the certificate of an authority? */
  readonly isCa: boolean;
  /** How many authorities may stand between it and a leaf; undefined when it does not say. */
  readonly pathLength: number | undefined;
  /** Bits as in RFC 5280, the first one being 0x80; undefined when it does not restrict its use. */
  readonly keyUsage: number | undefined;
  /** Object identifiers; undefined when it does not restrict its use. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** Does it have a critical extension, or a constraint, that is not read here? */
  readonly hasUnread: boolean;
}

/** Bits of `keyUsage`. Source: RFC 5280 section 4.2.1.3. */
export const keyUsageBits = {
  digitalSignature: 0x80,
  keyAgreement: 0x08,
  keyCertSign: 0x04,
  crlSign: 0x02,
} as const;

/** Purposes of `extendedKeyUsage`. Source: RFC 5280 section 4.2.1.12. */
export const keyPurposes = { any: '2.5.29.37.0', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;

/** What is known without any extension. */
export const noExtensions: Extensions = {
  isCa: false,
  pathLength: undefined,
  keyUsage: undefined,
  extendedKeyUsage: undefined,
  hasUnread: false,
};

const types = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
} as const;

/**
 * Reads a sequence of extensions. A repeated one is malformed, since readers differ in which counts.
 *
 * Source: RFC 5280 section 4.2.
 */
export function takeExtensions(reader: DerReader): Extensions {
  const extensions = reader.enter(derTags.sequence);
  const seen = new Set<string>();
  let found = noExtensions;
  while (!extensions.isAtEnd) {
    const { type, isCritical, value } = takeExtension(extensions);
    if (seen.has(type)) malformed();
    seen.add(type);
    switch (type) {
      case types.basicConstraints:
        found = { ...found, ...inside(value, readBasicConstraints) };
        break;
      case types.keyUsage:
        found = { ...found, keyUsage: inside(value, readKeyUsage) };
        break;
      case types.extendedKeyUsage:
        found = { ...found, extendedKeyUsage: inside(value, readPurposes) };
        break;
      case types.subjectAltName:
        break;
      case types.nameConstraints:
      case types.policyConstraints:
        found = { ...found, hasUnread: true };
        break;
      default:
        if (isCritical) found = { ...found, hasUnread: true };
    }
  }
  return found;
}

/** Reads one extension. */
export function takeExtension(reader: DerReader): {
  readonly type: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
} {
  const extension = reader.enter(derTags.sequence);
  const type = objectIdentifier(extension.take(derTags.objectIdentifier));
  const isCritical = takeBoolean(extension);
  const value = extension.take(derTags.octetString).content;
  extension.end();
  return { type, isCritical, value };
}

/** A BOOLEAN that is false when it is absent. */
function takeBoolean(reader: DerReader): boolean {
  const value = reader.takeIf(derTags.boolean);
  if (value === undefined) return false;
  // DER has one spelling of true; some old authorities spell false out, which is harmless.
  if (value.content.length !== 1) malformed();
  return value.content[0] !== 0;
}

function inside<Value>(bytes: Buffer, read: (reader: DerReader) => Value): Value {
  return parseDer(bytes, read) ?? malformed();
}

/** More than any chain has. */
const pathLengthMax = 255;

function readBasicConstraints(reader: DerReader): Pick<Extensions, 'isCa' | 'pathLength'> {
  const constraints = reader.enter(derTags.sequence);
  const isCa = takeBoolean(constraints);
  const limit = constraints.takeIf(derTags.integer);
  constraints.end();
  const length = limit === undefined ? undefined : Number.parseInt(integerDigits(limit), 16);
  return { isCa, pathLength: length === undefined ? undefined : Math.min(length, pathLengthMax) };
}

function readKeyUsage(reader: DerReader): number {
  const { content } = reader.take(derTags.bitString);
  // The ninth bit, decipherOnly, is in the second byte and matters to nobody here.
  return content[1] ?? 0;
}

function readPurposes(reader: DerReader): readonly string[] {
  const purposes = reader.enter(derTags.sequence);
  const found: string[] = [];
  while (!purposes.isAtEnd) found.push(objectIdentifier(purposes.take(derTags.objectIdentifier)));
  return found;
}

/** Attributes of a request that ask for extensions: RFC 2985 section 5.4.2, and Microsoft's own. */
const extensionRequestTypes: readonly string[] = [
  '1.2.840.113549.1.9.14',
  '1.3.6.1.4.1.311.2.1.14',
];

/** The extensions that the attributes of a request, `[0]`, ask for. */
export function takeRequestedExtensions(reader: DerReader): Extensions {
  // Some chargers leave the empty list of attributes out.
  const value = reader.takeIf(contextTag(0));
  if (value === undefined) return noExtensions;
  return inside(value.content, (attributes) => {
    let found: Extensions | undefined;
    while (!attributes.isAtEnd) {
      const attribute = attributes.enter(derTags.sequence);
      const type = objectIdentifier(attribute.take(derTags.objectIdentifier));
      const values = attribute.enter(derTags.set);
      attribute.end();
      if (!extensionRequestTypes.includes(type)) continue;
      if (found !== undefined) malformed();
      found = takeExtensions(values);
      values.end();
    }
    return found ?? noExtensions;
  });
}
