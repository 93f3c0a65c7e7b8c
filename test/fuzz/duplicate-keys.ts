/**
 * Does some object in `text`, which must be JSON, have two keys that are equal but for case?
 *
 * A reader of its own, by recursive descent, so that it can disagree with `src/ocpp/strict-json.ts`.
 */
export function hasDuplicateKeys(text: string): boolean {
  let at = 0;
  let found = false;
  const skipSpace = (): void => {
    while (/\s/.test(text.charAt(at))) at += 1;
  };
  const readString = (): string => {
    const start = at;
    at += 1;
    while (text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1;
    at += 1;
    return JSON.parse(text.slice(start, at)) as string;
  };
  const readMembers = (): void => {
    const keys = new Set<string>();
    at += 1;
    skipSpace();
    while (text.charAt(at) !== '}') {
      const key = readString().toLowerCase();
      found ||= keys.has(key);
      keys.add(key);
      skipSpace();
      at += 1; // :
      readValue();
      if (text.charAt(at) === ',') at += 1;
      skipSpace();
    }
    at += 1;
  };
  const readElements = (): void => {
    at += 1;
    skipSpace();
    while (text.charAt(at) !== ']') {
      readValue();
      if (text.charAt(at) === ',') at += 1;
      skipSpace();
    }
    at += 1;
  };
  const readValue = (): void => {
    skipSpace();
    const first = text.charAt(at);
    if (first === '{') readMembers();
    else if (first === '[') readElements();
    else if (first === '"') readString();
    else while (/[-+.\w]/.test(text.charAt(at))) at += 1;
    skipSpace();
  };
  readValue();
  return found;
}
