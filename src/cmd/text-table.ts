/**
 * Rows below their headings, in columns with two spaces between them. Without headings there is no
 * first line. Cells may hold text from a charger: what is not printable is shown as `\u{1b}`.
 */
export function textTable(
  rows: readonly (readonly string[])[],
  headings: readonly string[],
): string {
  const lines = headings.length === 0 ? rows : [headings, ...rows];
  const cells = lines.map((line) => line.map(printable));
  const widths: number[] = [];
  for (const line of cells) {
    for (const [column, text] of line.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, lengthOf(text));
    }
  }
  return cells
    .map((line) =>
      line
        .map((text, column) => text + ' '.repeat((widths[column] ?? 0) - lengthOf(text)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * Text of a peer as a terminal may have it: an escape sequence could rewrite what stands above it,
 * and marks of direction could make one text look like another.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}

function lengthOf(text: string): number {
  return [...text].length;
}
