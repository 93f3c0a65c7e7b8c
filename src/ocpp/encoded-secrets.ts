import { isUtf8 } from 'node:buffer';

/** Shorter texts hold no pair of a name and a secret. */
const encodedText = /[A-Za-z0-9_-]{16,}/g;

/**
 * Takes out of a text what is JSON in base64url and holds a secret: the payload of a signed message,
 * in whichever format it is signed. What is left still shows who has signed, and that it was signed.
 *
 * @param redact takes the secrets out of a text that is not encoded.
 */
export function withoutEncodedSecrets(
  text: string,
  redact: (text: string) => string,
  replacement: string,
): string {
  return text.replace(encodedText, (token) => {
    // Six letters are four bytes: enough to see that it is no JSON, which most tokens are not.
    if (!/^\s*[[{"]/.test(Buffer.from(token.slice(0, 6), 'base64url').toString('latin1'))) {
      return token;
    }
    const bytes = Buffer.from(token, 'base64url');
    if (!isUtf8(bytes)) return token;
    const inner = bytes.toString('utf8');
    return redact(inner) === inner ? token : replacement;
  });
}
