/** The same bytes as a `Buffer`, without a copy; itself where it is one. */
export function bufferOver(bytes: Uint8Array): Buffer {
  const { buffer, byteLength, byteOffset } = bytes;
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(buffer, byteOffset, byteLength);
}
