import { z } from 'zod';
import { configSchema } from '../../src/config/schema/config.ts';

/** A JSON Schema, as far as the documentation reads it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly description?: string;
  readonly source?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** One option of the configuration file. */
export interface ConfigOption {
  /** In dots and brackets: `listeners[].address`. */
  readonly path: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

/** The schema of the configuration file: what an operator may write. */
export function configJsonSchema(): JsonSchema {
  // Checks that JSON Schema cannot express are left out of it, and `gatewatt check` makes them.
  return z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

/** Every option, in the order of the schema. A list of objects has its options with `[]`. */
export function configOptions(): readonly ConfigOption[] {
  return optionsBelow(configJsonSchema(), '');
}

function optionsBelow(schema: JsonSchema, prefix: string): ConfigOption[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    const own: ConfigOption = {
      path,
      schema: property,
      isRequired: schema.required?.includes(name) === true,
    };
    if (property.properties !== undefined) return [own, ...optionsBelow(property, `${path}.`)];
    const { items } = property;
    return items?.properties === undefined ? [own] : [own, ...optionsBelow(items, `${path}[].`)];
  });
}
