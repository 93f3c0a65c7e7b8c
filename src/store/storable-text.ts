/**
 * A text that both databases take: PostgreSQL keeps neither U+0000 nor half a character, and a peer
 * can send both.
 *
 * @param lengthMax characters that are kept.
 */
export function storableText(text: string, lengthMax: number): string {
  return text.slice(0, lengthMax).toWellFormed().replaceAll('\0', '\ufffd');
}
