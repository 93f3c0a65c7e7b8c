/** How loud an event is. `none` is counted but not logged. */
export type EventLevel = 'none' | 'debug' | 'info' | 'warn' | 'error';

/** What an event means and what to do about it. */
export interface EventEntry {
  readonly level: EventLevel;
  /** Does the audit log have it? What refused, changed, held or released something, and who acted. */
  readonly isAudited: boolean;
  readonly meaning: string;
  readonly remedy: string;
}
