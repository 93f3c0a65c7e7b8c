/** What must always hold, by the name that is printed when it does not. */
export const invariants = {
  'only-admitted-passes':
    'Every text that leaves the gateway was received and admitted in this session, once, or is its own.',
  'one-connection': 'An identity has one live connection, and its claim belongs to this gateway.',
  'order-is-kept': 'Calls of one side reach the other in their order; so do replies.',
  'one-open-call': 'Each side has one open call of the other at a time, until it is given up.',
  'replies-fit': 'A reply goes to whoever has its call open, and is the one that was given to it.',
  'budgets-hold': 'In no interval more load changes pass than the budgets of a feeder allow.',
  'nothing-acknowledged-is-lost':
    'What was acknowledged has arrived, is kept, or has visibly ended; what was refused is audited.',
  'all-comes-to-rest':
    'When nothing goes wrong any more, all are connected and every transaction is complete.',
  'no-defect': 'No session fails by a defect, and neither does a chore of the gateway.',
} as const;

/** The name of one of them. */
export type InvariantName = keyof typeof invariants;

/** An invariant does not hold. */
export class BrokenInvariant extends Error {
  readonly invariant: InvariantName;
  /** The charger that it is about, if it is about one. */
  readonly subject: string | undefined;

  constructor(invariant: InvariantName, subject: string | undefined, detail: string) {
    super(`${invariant}: ${subject ?? 'the gateway'}: ${detail}`);
    this.name = 'BrokenInvariant';
    this.invariant = invariant;
    this.subject = subject;
  }
}
