/**
 * One JSON value with a line break. Characters that do something to a terminal are escaped: JSON
 * itself asks for that below U+0020 only.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2).replace(
    /[\p{Cf}\u007f-\u009f\u2028\u2029]/gu,
    (character) =>
      Array.from({ length: character.length }, (_, index) => {
        const unit = character.charCodeAt(index).toString(16).padStart(4, '0');
        return `\\u${unit}`;
      }).join(''),
  );
  return `${text}\n`;
}

/** RFC 3339 in UTC; null for a time that there is not. */
export function timeOf(atMs: number | null | undefined): string | null {
  const isTime = typeof atMs === 'number' && Math.abs(atMs) <= 8.64e15;
  return isTime ? new Date(atMs).toISOString() : null;
}
