import type { X509Certificate } from 'node:crypto';
import { bufferOver } from '../lib/buffer-over.ts';
import { algorithmsOf } from './algorithms.ts';
import { checkSignature, readJws } from './jws.ts';
import { openEnvelope, type SignedEnvelope } from './signed-message.ts';
import { thumbprintOf } from './signing-key.ts';
import { unverifiedMessage } from './unverified.ts';

/** What is to be said of the signature of a charger. */
export type ChargerSignature =
  /** Its own certificate has made it, over this message. */
  | 'verified'
  /** It names another key than that of its certificate, or the charger has shown none. */
  | 'unknown-key'
  /** It names the certificate, which has not made it, or it belongs to another message. */
  | 'wrong'
  /** It says or demands what the gateway does not know, so nothing can be said of it. */
  | 'unverifiable';

/** A signed message of a charger. */
export interface ChargerMessage {
  /** The message without its signature. */
  readonly bytes: Buffer;
  readonly verdict: ChargerSignature;
}

/** What a signature is compared with. */
export interface ChargerExpectations {
  /** What the charger has connected with; undefined where it has shown none. */
  readonly certificate: X509Certificate | undefined;
  /** The action of the call that a reply is about; undefined if there is none. */
  readonly actionOfReply: (id: string, typeId: number) => string | undefined;
}

/** What every signed message has in it; others are not looked at further. */
const telltale = Buffer.from('"protected"');

/** A quick look, which clears nearly everything. */
export function mayBeSigned(bytes: Uint8Array): boolean {
  return bufferOver(bytes).includes(telltale);
}

/**
 * Opens what a charger has signed in OCPP's format.
 *
 * A gateway that has no key for it relays such a message as it is, as a Local Controller must; so the
 * verdict is for the record alone.
 *
 * @returns undefined for what is not signed, or has no message in it that could be read: that is
 *   then a message like any other.
 * Source: OCPP 2.0.1 part 4 section 7.
 */
export function openCharger(
  bytes: Uint8Array,
  expectations: ChargerExpectations,
): ChargerMessage | undefined {
  const envelope = openEnvelope(bytes);
  if (!envelope.ok) return undefined;
  const message = unverifiedMessage(bytes);
  if (message === undefined) return undefined;
  return { bytes: message, verdict: verdictOn(envelope.value, expectations) };
}

function verdictOn(
  { action, id, parts, typeId }: SignedEnvelope,
  { actionOfReply, certificate }: ChargerExpectations,
): ChargerSignature {
  const jws = readJws(parts);
  if (!jws.ok) return 'unverifiable';
  const { header } = jws.value;
  if (certificate === undefined || header.x5tS256 !== thumbprintOf(certificate)) {
    return 'unknown-key';
  }
  const key = certificate.publicKey;
  if (!checkSignature(jws.value, { key, algorithms: algorithmsOf(key) }).ok) return 'wrong';
  const expected = action ?? actionOfReply(id, typeId);
  const isOfIt =
    header.messageTypeId === typeId &&
    (header.messageId === undefined || header.messageId === id) &&
    (expected === undefined || header.action === expected);
  return isOfIt ? 'verified' : 'wrong';
}
