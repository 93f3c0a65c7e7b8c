import { sql } from 'kysely';
import { ownProperty } from '../ocpp/message.ts';
import type { Store } from '../store/store.ts';
import { auditHash, genesisHash } from './audit-hash.ts';

/** A place in an audit log: the number of a record, and its hash. */
export interface AuditPosition {
  readonly sequence: number;
  readonly hash: string;
}

/** What was found. */
export type AuditVerdict =
  | {
      readonly ok: true;
      readonly chain: string;
      /** Records that were read; those that were pruned before are not among them. */
      readonly count: number;
      readonly head: AuditPosition;
    }
  | {
      readonly ok: false;
      readonly chain: string;
      /** The first record that is not what it should be. */
      readonly sequence: number;
      /** What is wrong with it, for people. */
      readonly problem: string;
    };

/** What to verify beside the chain itself. */
export interface VerifyOptions {
  /** A head that was noted in another place before: it must still be in the chain. */
  readonly expected?: AuditPosition | undefined;
  /** Hears how many records were read, and how many there are. */
  readonly onProgress?: ((read: number, all: number) => void) | undefined;
}

/** Records that are read at a time. */
const batchSize = 1_000;

/**
 * Reads the audit log `chain` from end to end and compares every hash.
 *
 * Whoever can write to the database can also compute hashes, so a log that was rewritten as a whole
 * is consistent. Only a head that was noted elsewhere proves that it was not: `expected`.
 *
 * A gateway may append and prune meanwhile. What is verified is the log as it was at the start.
 *
 * @returns undefined when there is no such log.
 * @throws StoreError
 */
export async function verifyChain(
  store: Store,
  chain: string,
  options: VerifyOptions = {},
): Promise<AuditVerdict | undefined> {
  for (;;) {
    const ends = await readEnds(store, chain);
    if (ends === undefined) return undefined;
    const broken = (sequence: number, problem: string): AuditVerdict => ({
      ok: false,
      chain,
      sequence,
      problem,
    });
    if (ends.row === undefined) return broken(ends.first, 'the log has records, but no ends');
    if (ends.first <= ends.row.baseSequence) {
      return broken(ends.first, 'it stands before the beginning of the log');
    }
    const walk = new Walk(chain, ends.row, options);
    const problem = await walk.through(store);
    // Pruned while we read: what was at the start is no more. This ends, because only the first
    // batch can be hit, and there is less to prune each time.
    if (problem !== undefined && (await hasMovedOn(store, chain, ends.row))) continue;
    if (problem !== undefined) return broken(problem.sequence, problem.problem);
    // Said this way round because a forged number may be none.
    const isLast = ends.last <= ends.row.headSequence;
    if (!isLast) return broken(ends.row.headSequence + 1, 'it stands behind the head of the log');
    const { headSequence: sequence, headHash: hash } = ends.row;
    return { ok: true, chain, count: walk.count, head: { sequence, hash } };
  }
}

/** The audit logs that are in the database. @throws StoreError */
export async function auditChains(store: Store): Promise<readonly string[]> {
  const rows = await store.query((db) =>
    db.selectFrom('audit_chain').select('chain').orderBy('chain').limit(1_000).execute(),
  );
  return rows.map(({ chain }) => chain);
}

interface EndsRow {
  readonly baseSequence: number;
  readonly baseHash: string;
  readonly headSequence: number;
  readonly headHash: string;
}

interface Ends {
  readonly row: EndsRow | undefined;
  /** The first and the last record that are there; infinity and 0 without any. */
  readonly first: number;
  readonly last: number;
}

/** Both ends at one moment: one statement sees one state of the database. */
async function readEnds(store: Store, chain: string): Promise<Ends | undefined> {
  // Numbers as texts everywhere in this file: a forged one may be too large to be read as a number.
  const { rows } = await store.query((db) =>
    sql<Readonly<Record<'base' | 'head' | 'first' | 'last', string | null>> & HashesOfEnds>`
      select
        cast(ends.base_sequence as text) as base,
        ends.base_hash,
        cast(ends.head_sequence as text) as head,
        ends.head_hash,
        cast(records.first as text) as first,
        cast(records.last as text) as last
      from
        (
          select min(sequence) as first, max(sequence) as last
          from audit_record where chain = ${chain}
        ) as records
        left join audit_chain as ends on ends.chain = ${chain}
    `.execute(db),
  );
  const row = rows[0];
  if (row === undefined || (row.head === null && row.first === null)) return undefined;
  return {
    row:
      row.head === null
        ? undefined
        : {
            baseSequence: Number(row.base),
            baseHash: row.base_hash ?? '',
            headSequence: Number(row.head),
            headHash: row.head_hash ?? '',
          },
    first: row.first === null ? Number.POSITIVE_INFINITY : Number(row.first),
    last: Number(row.last ?? 0),
  };
}

interface HashesOfEnds {
  readonly base_hash: string | null;
  readonly head_hash: string | null;
}

async function hasMovedOn(store: Store, chain: string, before: EndsRow): Promise<boolean> {
  const now = await readEnds(store, chain);
  return now?.row !== undefined && now.row.baseSequence > before.baseSequence;
}

interface StoredRecord {
  readonly sequence: string;
  readonly at_ms: string;
  readonly event: string;
  readonly charger: string | null;
  readonly document: string;
  readonly hash: string;
}

interface Problem {
  readonly sequence: number;
  readonly problem: string;
}

/** One reading of a log, from its base to its head. */
class Walk {
  readonly #chain: string;
  readonly #ends: EndsRow;
  readonly #options: VerifyOptions;
  #position: AuditPosition;
  /** What the last record about pruning says, or what holds when nothing was ever pruned. */
  #pruned: AuditPosition = { sequence: 0, hash: genesisHash };
  #hasMetExpected: boolean;

  constructor(chain: string, ends: EndsRow, options: VerifyOptions) {
    this.#chain = chain;
    this.#ends = ends;
    this.#options = options;
    this.#position = { sequence: ends.baseSequence, hash: ends.baseHash };
    this.#hasMetExpected = this.#isExpected(this.#position);
  }

  get count(): number {
    return this.#position.sequence - this.#ends.baseSequence;
  }

  /** @returns what is wrong first. */
  async through(store: Store): Promise<Problem | undefined> {
    const { baseSequence, headSequence, headHash } = this.#ends;
    if (!isSequence(baseSequence) || !isSequence(headSequence) || headSequence < baseSequence) {
      return { sequence: baseSequence, problem: 'the ends of the log make no sense' };
    }
    while (this.#position.sequence < headSequence) {
      const problem = this.#checkAll(await this.#nextBatch(store));
      if (problem !== undefined) return problem;
      this.#options.onProgress?.(this.count, headSequence - baseSequence);
    }
    if (this.#position.hash !== headHash) {
      return { sequence: headSequence, problem: 'the head of the log has another hash' };
    }
    return this.#checkBase() ?? this.#checkExpected();
  }

  async #nextBatch(store: Store): Promise<readonly StoredRecord[]> {
    const after = this.#position.sequence;
    const upTo = Math.min(after + batchSize, this.#ends.headSequence);
    const { rows } = await store.query((db) =>
      sql<StoredRecord>`
        select
          cast(sequence as text) as sequence, cast(at_ms as text) as at_ms,
          event, charger, document, hash
        from audit_record
        where chain = ${this.#chain} and sequence > ${after} and sequence <= ${upTo}
        order by audit_record.sequence
      `.execute(db),
    );
    return rows;
  }

  /** A batch holds all records up to its end, so one that is not in it does not exist. */
  #checkAll(rows: readonly StoredRecord[]): Problem | undefined {
    const upTo = Math.min(this.#position.sequence + batchSize, this.#ends.headSequence);
    for (const row of rows) {
      const problem = this.#check(row);
      if (problem !== undefined) return problem;
    }
    if (this.#position.sequence === upTo) return undefined;
    return { sequence: this.#position.sequence + 1, problem: 'it is missing' };
  }

  #check(row: StoredRecord): Problem | undefined {
    const sequence = this.#position.sequence + 1;
    if (row.sequence !== String(sequence)) return { sequence, problem: 'it is missing' };
    const hash = auditHash(this.#position.hash, { chain: this.#chain, ...row });
    if (row.hash !== hash) {
      return {
        sequence,
        problem: 'its hash does not match: this record, or the hash before it, was changed',
      };
    }
    this.#position = { sequence, hash };
    if (row.event === 'AuditPruned') this.#pruned = prunedThrough(row.document) ?? this.#pruned;
    const { expected } = this.#options;
    if (expected?.sequence !== sequence) return undefined;
    if (!this.#isExpected(this.#position)) {
      return { sequence, problem: 'its hash is not the expected one: the log was rewritten' };
    }
    this.#hasMetExpected = true;
    return undefined;
  }

  #checkBase(): Problem | undefined {
    const { baseSequence, baseHash } = this.#ends;
    if (baseSequence === this.#pruned.sequence && baseHash === this.#pruned.hash) return undefined;
    return {
      sequence: baseSequence + 1,
      problem:
        this.#pruned.sequence === 0
          ? 'the records before it are gone, but no record says that they were pruned'
          : `it does not follow the records that, the log says, were pruned through ${this.#pruned.sequence}`,
    };
  }

  #checkExpected(): Problem | undefined {
    const { expected } = this.#options;
    if (expected === undefined || this.#hasMetExpected) return undefined;
    return {
      sequence: expected.sequence,
      problem:
        expected.sequence <= this.#ends.baseSequence
          ? 'it is expected, but it was pruned and cannot be compared; expect a newer one'
          : 'it is expected, but the log ends before it',
    };
  }

  #isExpected({ sequence, hash }: AuditPosition): boolean {
    const { expected } = this.#options;
    return expected?.sequence === sequence && expected.hash === hash;
  }
}

function isSequence(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function prunedThrough(document: string): AuditPosition | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(document);
  } catch {
    return undefined;
  }
  const throughSequence = ownProperty(fields, 'throughSequence');
  const hash = ownProperty(fields, 'hash');
  if (typeof throughSequence !== 'number' || typeof hash !== 'string') return undefined;
  return { sequence: throughSequence, hash };
}
