import { ownProperty } from '../../ocpp/message.ts';
import { mayHoldSecret, redacted, redactSecrets } from '../../ocpp/secrets.ts';
import { integerAt, keptText, listAt, scalarTextAt, textAt } from './read-property.ts';
import type { Urgency } from './seen.ts';

/** A configuration key of OCPP 1.6, or an attribute of a variable since. */
export interface Variable {
  readonly name: string;
  readonly instance?: string | undefined;
  /** Absent in OCPP 1.6. */
  readonly component?: string | undefined;
  readonly componentInstance?: string | undefined;
  readonly evseId?: number | undefined;
  readonly connectorId?: number | undefined;
  /** Absent for Actual. */
  readonly attributeType?: string | undefined;
  /** `[redacted]` for a secret; absent when the charger gave none. */
  readonly value?: string | undefined;
  readonly isReadOnly?: boolean | undefined;
  /** Is the value longer than what is kept? */
  readonly isCut?: boolean | undefined;
  /** Will the value take effect only after a reboot? */
  readonly needsReboot?: boolean | undefined;
}

/** Chargers of OCPP 1.6 have about 100 keys. Of a larger device model the latest are kept. */
const variablesMax = 300;
/** Of the text that holds them all: 300 with long names and values. */
const textCharsMax = 100_000;
const nameCharsMax = 100;
const instanceCharsMax = 50;
const attributeCharsMax = 10;
const valueCharsMax = 256;

/**
 * Remembers what configuration keys and variables a charger has, and their values but for secrets.
 *
 * They are by far the largest part of a memory, and rarely looked at. So they are kept as one text:
 * it takes a tenth of the memory of as many objects.
 */
export class VariableMemory {
  #text = '[]';

  constructor(savedText: string | undefined) {
    if (savedText === undefined) return;
    const variables = parsedRows(savedText).map(variableOfRow);
    this.learn(variables.filter((variable) => variable !== undefined));
  }

  /** The charger has these, as it says itself or by accepting them. Later ones count. */
  learn(variables: readonly Variable[]): Urgency {
    if (variables.length === 0) return 'none';
    // The least recently mentioned stands first, and is forgotten first.
    const rows = new Map<string, string>();
    for (const row of parsedRows(this.#text)) {
      const variable = variableOfRow(row);
      if (variable !== undefined) rows.set(keyOf(variable), JSON.stringify(row));
    }
    let isChanged = false;
    for (const variable of variables) {
      const key = keyOf(variable);
      const known = rows.get(key);
      const row = JSON.stringify(rowOf(variable, known));
      if (known !== row) isChanged = true;
      rows.delete(key);
      rows.set(key, row);
    }
    this.#text = textOf([...rows.values()]);
    return isChanged ? 'eventually' : 'none';
  }

  /** All of them, the least recently mentioned first. */
  view(): readonly Variable[] {
    return parsedRows(this.#text)
      .map(variableOfRow)
      .filter((variable) => variable !== undefined);
  }

  /** What is to be saved. */
  get text(): string {
    return this.#text;
  }
}

/** Reads an entry of `configurationKey`, or a ChangeConfiguration (OCPP 1.6). */
export function configurationKeyOf(object: unknown): Variable | undefined {
  const isReadOnly = ownProperty(object, 'readonly');
  return withValue(
    { name: textAt(object, 'key', nameCharsMax) ?? '' },
    scalarTextAt(object, 'value'),
    typeof isReadOnly === 'boolean' ? { isReadOnly } : {},
  );
}

/**
 * Reads an object that names a component and a variable (OCPP 2.0.1 and 2.1), with the value at
 * `valueKey` of `attribute`.
 */
export function variableOf(
  object: unknown,
  valueKey: string,
  attribute: unknown = object,
): Variable | undefined {
  const component = ownProperty(object, 'component');
  const evse = ownProperty(component, 'evse');
  const variable = ownProperty(object, 'variable');
  const type =
    textAt(attribute, 'attributeType', attributeCharsMax) ??
    textAt(attribute, 'type', attributeCharsMax);
  const name: Variable = {
    name: textAt(variable, 'name', nameCharsMax) ?? '',
    instance: textAt(variable, 'instance', instanceCharsMax),
    component: textAt(component, 'name', nameCharsMax),
    componentInstance: textAt(component, 'instance', instanceCharsMax),
    evseId: integerAt(evse, 'id'),
    connectorId: integerAt(evse, 'connectorId'),
    attributeType: type === 'Actual' ? undefined : type,
  };
  const mutability = ownProperty(attribute, 'mutability');
  const value = scalarTextAt(attribute, valueKey);
  // What must never be read is a secret, and some chargers send it all the same.
  const shown = mutability === 'WriteOnly' && value !== undefined ? redacted : value;
  const access = typeof mutability === 'string' ? { isReadOnly: mutability === 'ReadOnly' } : {};
  return withValue(name, shown, access);
}

/** Do two variables have the same name? Case does not matter in OCPP. */
export function isSameVariable(one: Variable, other: Variable): boolean {
  return keyOf(one) === keyOf(other);
}

function withValue(
  name: Variable,
  value: string | undefined,
  access: Pick<Variable, 'isReadOnly'>,
): Variable | undefined {
  if (name.name === '') return undefined;
  if (value === undefined) return { ...name, ...access };
  const safe = withoutSecret(name, value);
  const isCut = safe.length > valueCharsMax;
  return { ...name, ...access, value: keptText(safe, valueCharsMax), ...(isCut ? { isCut } : {}) };
}

/** The value, or `[redacted]` where its name or what it says hints at a secret. */
function withoutSecret(name: Variable, value: string): string {
  const { component = '', componentInstance = '', instance = '' } = name;
  // "VPN" and "Key" are harmless alone; "Authorization Key" is not better for its space.
  const names = new Set([
    name.name,
    instance,
    component + name.name,
    componentInstance + name.name,
  ]);
  const isSecret = [...names].some((text) => {
    const entry = { key: text.replace(/[^\w.-]/g, ''), value };
    const { found, isSuspect } = redactSecrets(entry, { guesses: true });
    return found || isSuspect;
  });
  return isSecret || mayHoldSecret(value) ? redacted : value;
}

/**
 * A variable as it stands in the text: a list, since names of properties would take more room than
 * the values. Nulls at its end are left out.
 */
type Row = readonly unknown[];

function rowOf(variable: Variable, knownRow: string | undefined): Row {
  const known = knownRow === undefined ? undefined : variableOfRow(JSON.parse(knownRow));
  const { isReadOnly = known?.isReadOnly } = variable;
  const marks =
    (variable.isCut ? 'c' : '') +
    (variable.needsReboot ? 'b' : '') +
    (isReadOnly === undefined ? '' : isReadOnly ? 'r' : 'w');
  const row: unknown[] = [
    variable.name,
    variable.value ?? null,
    marks === '' ? null : marks,
    variable.component ?? null,
    variable.evseId ?? null,
    variable.connectorId ?? null,
    variable.instance ?? null,
    variable.componentInstance ?? null,
    variable.attributeType ?? null,
  ];
  while (row.at(-1) === null) row.pop();
  return row;
}

function variableOfRow(row: unknown): Variable | undefined {
  const cells = listAt({ row }, 'row');
  const text = (index: number, charsMax: number) =>
    textAt({ cell: cells[index] }, 'cell', charsMax);
  const name = text(0, nameCharsMax);
  if (name === undefined || name === '') return undefined;
  const marks = text(2, 4) ?? '';
  const isReadOnly = marks.includes('r') ? true : marks.includes('w') ? false : undefined;
  return withoutUndefined({
    name,
    instance: text(6, instanceCharsMax),
    component: text(3, nameCharsMax),
    componentInstance: text(7, instanceCharsMax),
    evseId: integerAt({ cell: cells[4] }, 'cell'),
    connectorId: integerAt({ cell: cells[5] }, 'cell'),
    attributeType: text(8, attributeCharsMax),
    value: text(1, valueCharsMax),
    isReadOnly,
    isCut: marks.includes('c') || undefined,
    needsReboot: marks.includes('b') || undefined,
  });
}

function withoutUndefined(variable: Variable): Variable {
  const entries = Object.entries(variable).filter(([, value]) => value !== undefined);
  return { name: variable.name, ...Object.fromEntries(entries) };
}

function keyOf(variable: Variable): string {
  const { name, instance, component, componentInstance, evseId, connectorId, attributeType } =
    variable;
  const names = [name, instance, component, componentInstance, attributeType];
  const folded = names.map((text) => text?.toLowerCase() ?? null);
  return JSON.stringify([...folded, evseId ?? null, connectorId ?? null]);
}

/** The last rows, as many as there is room for. */
function textOf(rows: readonly string[]): string {
  let first = rows.length;
  let chars = 2;
  while (first > 0 && rows.length - first < variablesMax) {
    chars += (rows[first - 1]?.length ?? 0) + 1;
    if (chars > textCharsMax) break;
    first -= 1;
  }
  const text = `[${rows.slice(first).join(',')}]`;
  // Joined texts may refer to their parts; a copy is one piece.
  return Buffer.from(text).toString();
}

function parsedRows(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
