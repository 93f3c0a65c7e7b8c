// The little Markdown that the generated pages need.

const columnsMax = 100;

/** A page: the note that it is generated, its title, then `blocks` with an empty line between. */
export function page(title: string, source: string, blocks: readonly string[]): string {
  const note =
    `<!-- Generated from ${source} by scripts/generate-docs.ts. Do not edit:\n` +
    '     change the source, then run "npm run docs". -->';
  return `${[note, `# ${title}`, ...blocks].join('\n\n')}\n`;
}

/** A paragraph, wrapped. Code spans are never broken. */
export function paragraph(text: string): string {
  return wrap(text, '');
}

/** A list item, wrapped and indented. */
export function item(text: string): string {
  const [first = '', ...rest] = wrap(text, '  ').split('\n');
  return [`- ${first.trimStart()}`, ...rest].join('\n');
}

/** A table, padded as the formatter does it. Cells must not hold line breaks. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = [head, ...rows].map((cells) => cells.map((it) => it.replaceAll('|', '\\|')));
  const widths = head.map((_, column) =>
    Math.max(3, ...escaped.map((cells) => (cells[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [first = [], ...others] = escaped;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join(
    '\n',
  );
}

/** `text` as code. */
export function code(text: string): string {
  return `\`${text}\``;
}

function wrap(text: string, indent: string): string {
  const words = text.match(/(?:`[^`]*`|\[[^\]]*\]\([^)]*\)|\S)+/g) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? indent + word : `${line} ${word}`;
    if (line !== '' && longer.length > columnsMax) {
      lines.push(line);
      line = indent + word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].join('\n');
}
