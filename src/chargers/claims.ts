import { type ExpressionBuilder, sql, type Transaction } from 'kysely';
import type { Random } from '../lib/random.ts';
import type { Queries, Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import { noteChange } from './registry-changes.ts';

/** The right to be the one live connection of an identity. */
export interface Claim {
  readonly charger: ChargerId;
  /** Rises with each claim, so that the late end of an old connection never ends a new one. */
  readonly epoch: number;
}

/** Somebody else's claim. */
export interface HeldClaim {
  readonly epoch: number;
  /** The running gateway that holds it. */
  readonly incarnation: string;
}

/** How an attempt to claim came out. */
export type TakeOutcome =
  | { readonly is: 'taken'; readonly claim: Claim }
  | { readonly is: 'held'; readonly by: HeldClaim }
  /** So many take-overs that nobody gets it for now; `isNew` when this attempt was the last drop. */
  | {
      readonly is: 'quarantined';
      readonly untilMs: number;
      readonly reason: string;
      readonly isNew: boolean;
    };

/** What another gateway wants to know or say about a claim of this one. */
export interface ClaimNotice {
  readonly kind: 'probe' | 'replaced';
  readonly identityKey: string;
  readonly epoch: number;
}

/** Choices about claims. */
export interface ClaimOptions {
  readonly gatewayId: string;
  /** How long claims outlive the gateway that holds them, in milliseconds. */
  readonly leaseMs: number;
  readonly takeoversPerHourMax: number;
  readonly quarantineMs: number;
}

const hourMs = 3_600_000;
/** Leases that ended and notices that were sent this long ago interest nobody, in milliseconds. */
const forgottenMs = 24 * hourMs;
/** Notices that one gateway is handed at a time. */
const noticesMax = 100;

/**
 * Who may be connected: one live connection per identity, over all gateways that share the store.
 *
 * A claim belongs to the incarnation of a gateway, which is one run of it, and holds as long as the
 * lease of that incarnation. Each change of a claim is one statement whose condition is checked by
 * the database while it makes the change; of two that try, one succeeds.
 *
 * All methods throw StoreError when the store is away.
 *
 * Source: PNNL-35706 section 4.0 (spoofed identifiers); docs/decisions/0010-claims-in-the-store.md.
 */
export class Claims {
  readonly incarnation: string;
  readonly #store: Store;
  readonly #options: ClaimOptions;
  readonly #random: Random;

  constructor(store: Store, options: ClaimOptions, random: Random) {
    this.#store = store;
    this.#options = options;
    this.#random = random;
    this.incarnation = random.uuid();
  }

  /** Do other gateways claim in the same store? */
  get isShared(): boolean {
    return this.#store.kind === 'postgres';
  }

  /** Takes the lease of this incarnation. */
  async start(): Promise<void> {
    await this.#store.transactDurably(async (db) => {
      const nowMs = this.#store.nowMs();
      // Whoever has the SQLite file open is the only gateway: all others are dead, and their
      // chargers need not wait for leases to run out.
      const dead = db.deleteFrom('gateway_lease');
      await (this.isShared ? dead.where('expires_ms', '<', nowMs - forgottenMs) : dead).execute();
      // Whoever was asked has died, or would have answered by now.
      await db
        .deleteFrom('claim_notice')
        .where('at_ms', '<', nowMs - forgottenMs)
        .execute();
      await db.insertInto('gateway_lease').values(this.#lease(nowMs)).execute();
    });
  }

  /**
   * Renews the lease.
   *
   * @returns whether it had run out before: then others may have taken claims of this gateway.
   */
  async renew(): Promise<{ readonly hadLapsed: boolean }> {
    await this.#store.synchronize();
    const nowMs = this.#store.nowMs();
    const { numUpdatedRows } = await this.#store.transact((db) =>
      db
        .updateTable('gateway_lease')
        .set({ expires_ms: nowMs + this.#options.leaseMs })
        .where('incarnation', '=', this.incarnation)
        .where('expires_ms', '>', nowMs)
        .executeTakeFirst(),
    );
    if (numUpdatedRows > 0n) return { hadLapsed: false };
    await this.#store.query((db) =>
      db
        .insertInto('gateway_lease')
        .values(this.#lease(nowMs))
        .onConflict((row) =>
          row.column('incarnation').doUpdateSet({ expires_ms: nowMs + this.#options.leaseMs }),
        )
        .execute(),
    );
    return { hadLapsed: true };
  }

  /** Claims an identity that nobody holds, or whose holder's lease has run out. */
  async take(charger: ChargerId): Promise<TakeOutcome> {
    const key = identityKey(charger);
    const nowMs = this.#store.nowMs();
    const taken = await this.#store.query((db) =>
      db
        .insertInto('claim')
        .values({
          identity_key: key,
          epoch: 1,
          incarnation: this.incarnation,
          claimed_ms: nowMs,
          takeovers: 0,
          takeovers_since_ms: nowMs,
        })
        .onConflict((row) =>
          row
            .column('identity_key')
            .doUpdateSet((update) => ({
              epoch: update('claim.epoch', '+', 1),
              incarnation: this.incarnation,
              claimed_ms: nowMs,
              alive_ms: null,
            }))
            .where((update) => isFree(update, nowMs))
            .where((update) => isNotQuarantined(update, nowMs)),
        )
        .returning('epoch')
        .executeTakeFirst(),
    );
    if (taken !== undefined) return { is: 'taken', claim: { charger, epoch: taken.epoch } };
    return this.#whyNot(charger, nowMs);
  }

  /**
   * Takes over the claim `older`, and only that one: whoever has taken it meanwhile keeps it.
   *
   * @param isHandOver true when the holder itself has ended; that is no take-over and not counted.
   */
  takeOver(charger: ChargerId, older: HeldClaim, isHandOver: boolean): Promise<TakeOutcome> {
    return this.#store.transact(async (db) => {
      const key = identityKey(charger);
      const nowMs = this.#store.nowMs();
      const since = sql<number>`case when takeovers_since_ms > ${nowMs - hourMs}
        then takeovers_since_ms else ${nowMs} end`;
      const counted = sql<number>`case when takeovers_since_ms > ${nowMs - hourMs}
        then takeovers + 1 else 1 end`;
      const taken = await db
        .updateTable('claim')
        .set((update) => ({
          epoch: update('epoch', '+', 1),
          incarnation: this.incarnation,
          claimed_ms: nowMs,
          alive_ms: null,
          ...(isHandOver ? {} : { takeovers: counted, takeovers_since_ms: since }),
        }))
        .where('identity_key', '=', key)
        .where('epoch', '=', older.epoch)
        .where((update) => isNotQuarantined(update, nowMs))
        .returning(['epoch', 'takeovers'])
        .executeTakeFirst();
      if (taken === undefined) return this.#whyNot(charger, nowMs, db);
      if (older.incarnation !== this.incarnation) {
        await this.#notify(db, 'replaced', key, older, nowMs);
      }
      if (!isHandOver && taken.takeovers > this.#options.takeoversPerHourMax) {
        return this.#quarantine(db, key, nowMs);
      }
      return { is: 'taken', claim: { charger, epoch: taken.epoch } };
    });
  }

  /** Ends claims, in the transaction of the caller. Those that are no longer current stay. */
  async release(db: Queries, claims: readonly Claim[]): Promise<void> {
    for (const { charger, epoch } of claims) {
      await db
        .updateTable('claim')
        .set({ incarnation: null })
        .where('identity_key', '=', identityKey(charger))
        .where('epoch', '=', epoch)
        .where('incarnation', '=', this.incarnation)
        .execute();
    }
  }

  /** Ends the lease: whatever this gateway still holds is free. */
  async end(): Promise<void> {
    await this.#store.query((db) =>
      db.deleteFrom('gateway_lease').where('incarnation', '=', this.incarnation).execute(),
    );
  }

  /** The claims of this gateway, as the store has them: epochs by identity key. */
  async own(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#store.query((db) =>
      db
        .selectFrom('claim')
        .select(['identity_key', 'epoch'])
        .where('incarnation', '=', this.incarnation)
        .execute(),
    );
    return new Map(rows.map((row) => [row.identity_key, row.epoch]));
  }

  /** Until when `charger` is quarantined; undefined when it is not. */
  async quarantinedUntilMs(charger: ChargerId): Promise<number | undefined> {
    const nowMs = this.#store.nowMs();
    const row = await this.#store.query((db) =>
      db
        .selectFrom('claim')
        .select('quarantined_until_ms')
        .where('identity_key', '=', identityKey(charger))
        .executeTakeFirst(),
    );
    const untilMs = row?.quarantined_until_ms ?? undefined;
    return untilMs !== undefined && untilMs > nowMs ? untilMs : undefined;
  }

  /** Asks the gateway that holds a claim whether its charger is alive. @returns when it asked. */
  async askWhetherAlive(charger: ChargerId, held: HeldClaim): Promise<number> {
    const nowMs = this.#store.nowMs();
    const key = identityKey(charger);
    await this.#store.query((db) => this.#notify(db, 'probe', key, held, nowMs));
    return nowMs;
  }

  /** What has become of that: the claim is `gone`, its charger `alive`, or nobody knows `yet`. */
  async answerSince(
    charger: ChargerId,
    held: HeldClaim,
    askedAtMs: number,
  ): Promise<'alive' | 'gone' | 'none-yet'> {
    const row = await this.#store.query((db) =>
      db
        .selectFrom('claim')
        .select(['epoch', 'incarnation', 'alive_ms'])
        .where('identity_key', '=', identityKey(charger))
        .executeTakeFirst(),
    );
    if (row?.epoch !== held.epoch || row.incarnation !== held.incarnation) return 'gone';
    return row.alive_ms !== null && row.alive_ms >= askedAtMs ? 'alive' : 'none-yet';
  }

  /** Answers such a question about a charger of this gateway. */
  async sayAlive(key: string, epoch: number): Promise<void> {
    await this.#store.query((db) =>
      db
        .updateTable('claim')
        .set({ alive_ms: this.#store.nowMs() })
        .where('identity_key', '=', key)
        .where('epoch', '=', epoch)
        .execute(),
    );
  }

  /** What other gateways have asked of this one since the last time. */
  async takeNotices(): Promise<readonly ClaimNotice[]> {
    const rows = await this.#store.query((db) =>
      db
        .selectFrom('claim_notice')
        .selectAll()
        .where('incarnation', '=', this.incarnation)
        .orderBy('at_ms')
        .limit(noticesMax)
        .execute(),
    );
    if (rows.length === 0) return [];
    const ids = rows.map(({ id }) => id);
    await this.#store.query((db) => db.deleteFrom('claim_notice').where('id', 'in', ids).execute());
    return rows.map(({ epoch, identity_key, kind }) => ({
      kind: kind === 'probe' ? 'probe' : 'replaced',
      identityKey: identity_key,
      epoch,
    }));
  }

  #lease(nowMs: number): Tables['gateway_lease'] {
    return {
      incarnation: this.incarnation,
      gateway_id: this.#options.gatewayId,
      started_ms: nowMs,
      expires_ms: nowMs + this.#options.leaseMs,
    };
  }

  async #whyNot(charger: ChargerId, nowMs: number, inside?: Queries): Promise<TakeOutcome> {
    const ask = (db: Queries) =>
      db
        .selectFrom('claim')
        .select(['epoch', 'incarnation', 'quarantined_until_ms', 'quarantine_reason'])
        .where('identity_key', '=', identityKey(charger))
        .executeTakeFirst();
    const row = inside === undefined ? await this.#store.query(ask) : await ask(inside);
    const untilMs = row?.quarantined_until_ms ?? 0;
    if (untilMs > nowMs) {
      const reason = row?.quarantine_reason ?? '';
      return { is: 'quarantined', untilMs, reason, isNew: false };
    }
    // It may have become free in this very moment; the charger will try again.
    const incarnation = row?.incarnation ?? '';
    return { is: 'held', by: { epoch: row?.epoch ?? 0, incarnation } };
  }

  async #quarantine(db: Transaction<Tables>, key: string, nowMs: number): Promise<TakeOutcome> {
    const untilMs = nowMs + this.#options.quarantineMs;
    const reason = `more than ${this.#options.takeoversPerHourMax} take-overs in an hour`;
    await db
      .updateTable('claim')
      .set({
        incarnation: null,
        quarantined_until_ms: untilMs,
        quarantine_reason: reason,
        takeovers: 0,
      })
      .where('identity_key', '=', key)
      .execute();
    await noteChange(db, key, nowMs);
    return { is: 'quarantined', untilMs, reason, isNew: true };
  }

  async #notify(
    db: Queries,
    kind: ClaimNotice['kind'],
    key: string,
    { epoch, incarnation }: HeldClaim,
    nowMs: number,
  ): Promise<void> {
    const id = this.#random.uuid();
    await db
      .insertInto('claim_notice')
      .values({ id, incarnation, identity_key: key, epoch, kind, at_ms: nowMs })
      .execute();
  }
}

/** Does nobody hold the claim, or only a gateway whose lease has run out? */
function isFree(update: ExpressionBuilder<Tables, 'claim'>, nowMs: number) {
  return update.or([
    update('claim.incarnation', 'is', null),
    update.not(
      update.exists(
        update
          .selectFrom('gateway_lease')
          .select('gateway_lease.incarnation')
          .whereRef('gateway_lease.incarnation', '=', 'claim.incarnation')
          .where('gateway_lease.expires_ms', '>', nowMs),
      ),
    ),
  ]);
}

function isNotQuarantined(update: ExpressionBuilder<Tables, 'claim'>, nowMs: number) {
  return update.or([
    update('claim.quarantined_until_ms', 'is', null),
    update('claim.quarantined_until_ms', '<=', nowMs),
  ]);
}
