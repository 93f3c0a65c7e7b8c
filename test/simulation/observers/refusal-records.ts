import type { SimulatedDatabase } from '../simulated-database.ts';
import { BrokenInvariant } from './broken-invariant.ts';

interface RecordRow {
  readonly sequence: number;
  readonly charger: string | null;
}

/** Of one charger. */
interface Count {
  /** Refusals that its peers have heard of. */
  answered: number;
  /** Those that stand in the audit log. */
  recorded: number;
}

/**
 * A refusal that a peer has heard of stands in the audit log, whatever happens to the gateway.
 */
export class RefusalRecords {
  readonly #database: SimulatedDatabase;
  readonly #chain: string;
  readonly #counts = new Map<string, Count>();
  #lastSequence = 0;

  constructor(database: SimulatedDatabase, chain: string) {
    this.#database = database;
    this.#chain = chain;
  }

  /** Looks at what was committed since the last time. */
  look(): void {
    const { rows } = this.#database.execute(
      `select sequence, charger from audit_record
         where chain = ? and sequence > ? and (event = 'CallRefused' or event = 'FrameRefused' and (
           document like '%"penalty":"call-error"%' or document like '%"penalty":"answer-caller"%'))
         order by sequence`,
      [this.#chain, this.#lastSequence],
    );
    for (const { charger, sequence } of rows as readonly RecordRow[]) {
      this.#lastSequence = Number(sequence);
      this.#countOf(charger ?? '').recorded += 1;
    }
  }

  /** A peer is told that its call was refused. */
  onAnswered(identity: string, id: string): void {
    const count = this.#countOf(identity);
    count.answered += 1;
    if (count.answered <= count.recorded) return;
    this.#fail(identity, `the refusal of ${id} is not in the audit log`);
  }

  /** What it has answered for outlives it. Called when nothing of it happens any more. */
  onGatewayDied(): void {
    this.look();
    for (const [identity, { answered, recorded }] of this.#counts) {
      if (answered > recorded) this.#fail(identity, `${answered - recorded} refusals are lost`);
    }
  }

  #countOf(charger: string): Count {
    const key = charger.toLowerCase();
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    const made = { answered: 0, recorded: 0 };
    this.#counts.set(key, made);
    return made;
  }

  #fail(identity: string, detail: string): void {
    throw new BrokenInvariant('nothing-acknowledged-is-lost', identity, detail);
  }
}
