import { configJsonSchema } from './config-options.ts';

const columnsMax = 100;

/** docs/config.schema.json: the configuration for editors. */
export function configSchemaFile(): string {
  const { $schema, ...schema } = configJsonSchema();
  const file = {
    $schema,
    $comment: 'Generated from src/config/schema by scripts/generate-docs.ts: npm run docs',
    title: 'Configuration of gatewatt',
    ...schema,
  };
  return `${print(file, '', 0)}\n`;
}

/** JSON as the repository's formatter writes it: objects on many lines, short lists on one. */
function print(value: unknown, indent: string, taken: number): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const isFlat = value.every((it) => typeof it !== 'object' || it === null);
    const flat = `[${value.map((it) => JSON.stringify(it)).join(', ')}]`;
    if (isFlat && indent.length + taken + flat.length <= columnsMax) return flat;
    const items = value.map((it) => inner + print(it, inner, 0));
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) return '{}';
    const lines = entries.map(([key, child]) => {
      const name = `${JSON.stringify(key)}: `;
      return inner + name + print(child, inner, name.length + 1);
    });
    return `{\n${lines.join(',\n')}\n${indent}}`;
  }
  return JSON.stringify(value);
}
