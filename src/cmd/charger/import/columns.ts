/** What a row of an imported file may hold: columns of CSV, or members of JSON. */
export const columns = [
  'identity',
  'serialNumber',
  'vendor',
  'model',
  'feeder',
  'ratedKw',
  'securityProfile',
  'password',
  'passwordHex',
  'certificate',
  'certificateFile',
  'certificateName',
  'certificateSerial',
  'basicUser',
  'csmsPassword',
] as const;
/** One of them. */
export type Column = (typeof columns)[number];

/** Columns that hold a number, and what it must be. In JSON it may be a number or a text. */
export const numberColumns: Readonly<Partial<Record<Column, string>>> = {
  ratedKw: 'must be a whole number from 1 to 10000',
  securityProfile: 'must be 0, 1, 2 or 3',
};

/** Is `text` the name of a column? */
export function isColumn(text: string): text is Column {
  return columns.some((column) => column === text);
}

/** One row as it stands in the file. What is absent or empty has no cell. */
export interface RawRow {
  /** The line that it begins in, counted from 1. */
  readonly line: number;
  readonly cells: ReadonlyMap<Column, string>;
}

/** Something about a row that the operator should know. Never holds a secret. */
export interface Finding {
  readonly line: number;
  /** After an error nothing is imported. */
  readonly is: 'error' | 'warning';
  readonly text: string;
}

/** That a row cannot be imported. */
export function errorAt(line: number, text: string): Finding {
  return { line, is: 'error', text };
}

/** That a row can be imported, but should be looked at. */
export function warningAt(line: number, text: string): Finding {
  return { line, is: 'warning', text };
}
