/** Counts by name: close codes, HTTP statuses, errors of the system. Their names are few. */
export type Counts = Readonly<Record<string, number>>;

/** What has become of the chargers of a process. All but `online` and `open` only rise. */
export interface Tally {
  /** Chargers that are connected at this moment. */
  readonly online: number;
  /** Calls that wait for their answer at this moment. */
  readonly open: number;
  /** Connections that were let in. */
  readonly letIn: number;
  /** Connections that ended though the charger wanted to stay, by close code. */
  readonly dropped: Counts;
  /** Attempts to connect that failed, by HTTP status or error code. */
  readonly refused: Counts;
  readonly sent: number;
  readonly answered: number;
  /** Calls whose connection ended before their answer came. */
  readonly cutOff: number;
  /** Answers of the other kind than the call was to get, and calls of the CSMS that are none. */
  readonly surprises: Counts;
  /** Forbidden calls that were refused, as they must be. */
  readonly forbidden: number;
  /** Calls of the CSMS that were answered. */
  readonly commands: number;
  /** Calls that were due, and that no charger was free to send. */
  readonly skipped: number;
  /** How often chargers left and came back, went silent instead, or came as somebody else. */
  readonly left: number;
  readonly vanished: number;
  readonly renamed: number;
}

/** The same, while it is being counted. */
export type OwnTally = {
  -readonly [Key in keyof Tally]: Tally[Key] extends number ? number : Record<string, number>;
};

/** Nothing has happened. */
export function emptyTally(): OwnTally {
  return {
    online: 0,
    open: 0,
    letIn: 0,
    dropped: {},
    refused: {},
    sent: 0,
    answered: 0,
    cutOff: 0,
    surprises: {},
    forbidden: 0,
    commands: 0,
    skipped: 0,
    left: 0,
    vanished: 0,
    renamed: 0,
  };
}

/** Adds one under this name. */
export function count(counts: Record<string, number>, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}

/** All of them together. */
export function sumOf(tallies: readonly Tally[]): Tally {
  const sum = emptyTally();
  for (const tally of tallies) {
    for (const [key, value] of Object.entries(tally) as [keyof Tally, number | Counts][]) {
      const own = sum[key];
      if (typeof own === 'object') {
        for (const [name, number] of Object.entries(value)) count(own, name, number);
      } else if (typeof value === 'number') Object.assign(sum, { [key]: own + value });
    }
  }
  return sum;
}

/** How many there are under all names. */
export function totalOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, number) => sum + number, 0);
}

/** `503: 12, ECONNREFUSED: 4`; `none`. */
export function describeCounts(counts: Counts): string {
  const parts = Object.entries(counts).map(([name, number]) => `${name}: ${number}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

/** What has happened since `before`. What is a state, `online` and `open`, is that of `after`. */
export function differenceOf(after: Tally, before: Tally): Tally {
  const difference: OwnTally = structuredClone(after) as OwnTally;
  for (const [key, value] of Object.entries(before) as [keyof Tally, number | Counts][]) {
    if (key === 'online' || key === 'open') continue;
    const own = difference[key];
    if (typeof own === 'object') {
      for (const [name, number] of Object.entries(value)) {
        count(own, name, -number);
        if (own[name] === 0) delete own[name];
      }
    } else if (typeof value === 'number') Object.assign(difference, { [key]: own - value });
  }
  return difference;
}
