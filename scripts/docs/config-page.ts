import { type ConfigOption, configOptions, type JsonSchema } from './config-options.ts';
import { code, item, page, paragraph } from './markdown.ts';

/** docs/config.md: every option of the configuration file. */
export function configPage(): string {
  return page('Configuration', 'src/config/schema', [
    paragraph(
      'The configuration is one YAML file. Unknown keys are errors. `gatewatt check --config ' +
        'FILE` shows every mistake with its line and column or, if there is none, the ' +
        'configuration with all defaults filled in. The file is read once, at the start.',
    ),
    paragraph(
      'For completion and checks in an editor, [config.schema.json](config.schema.json) is the ' +
        'same as a JSON Schema. `gatewatt check` is stricter: it also compares options with each ' +
        'other.',
    ),
    paragraph(
      'Options are named by their path: `limits.frameBytesMax` is `frameBytesMax` in the section ' +
        '`limits`, and `listeners[].name` is the `name` of each entry of the list `listeners`.',
    ),
    ...configOptions().flatMap((option) => {
      const level = /[.[]/.test(option.path) ? '###' : '##';
      return [`${level} ${option.path}`, optionText(option)];
    }),
  ]);
}

function optionText({ schema, isRequired, path }: ConfigOption): string {
  const holdsOthers = schema.properties !== undefined || schema.items?.properties !== undefined;
  const kind = schema.properties === undefined ? 'list' : 'section';
  const lines: string[] = [];
  if (schema.description !== undefined) lines.push(paragraph(schema.description), '');
  else if (holdsOthers) lines.push(paragraph(`The ${kind} ${code(path)}; its options follow.`), '');
  lines.push(item(`Type: ${typeText(schema)}`));
  if (isRequired) lines.push(item('Required'));
  else lines.push(item(`Default: ${defaultText(schema)}`));
  if (schema.source !== undefined) lines.push(item(`Source: ${schema.source}`));
  return lines.join('\n');
}

function defaultText(schema: JsonSchema): string {
  if (schema.default === undefined) return 'none; the option may be absent';
  // A section that may be left out takes the defaults of its options.
  const isEmpty = JSON.stringify(schema.default) === '{}';
  return isEmpty ? 'the defaults of its options' : code(JSON.stringify(schema.default));
}

function typeText(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(', or ');
  if (schema.const !== undefined)
    return `only ${code(JSON.stringify(schema.const))} in this release`;
  if (schema.enum !== undefined)
    return `one of ${schema.enum.map((it) => code(`${it}`)).join(', ')}`;
  switch (schema.type) {
    case 'integer':
    case 'number':
      return `${schema.type}${between(schema.minimum, schema.maximum, '')}`;
    case 'string':
      return `text${between(schema.minLength, schema.maxLength, ' characters')}${form(schema)}`;
    case 'array': {
      const each = schema.items === undefined ? 'anything' : typeText(schema.items);
      return `list${between(schema.minItems, schema.maxItems, ' entries')}; each: ${each}`;
    }
    case 'object':
      return 'section';
    default:
      return schema.type ?? 'anything';
  }
}

function form({ pattern }: JsonSchema): string {
  // JSON Schema escapes slashes that nobody has to escape.
  return pattern === undefined ? '' : `, of the form ${code(pattern.replaceAll('\\/', '/'))}`;
}

function between(min: number | undefined, max: number | undefined, of: string): string {
  if (min === undefined && max === undefined) return '';
  if (min === undefined) return `, up to ${max}${of}`;
  if (max === undefined) return `, at least ${min}${of}`;
  return `, ${min} to ${max}${of}`;
}
