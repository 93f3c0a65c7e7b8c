import type { SimulatedDatabase } from '../simulated-database.ts';
import { BrokenInvariant } from './broken-invariant.ts';
import type { ObservedCommand } from './observed-session.ts';

/** What a feeder may take. */
export interface FeederLimit {
  readonly name: string;
  readonly commandsMilliMax: number;
  readonly intervalMs: number;
}

interface Entry {
  readonly atMs: number;
  readonly commandsMilli: number;
}

interface EntryRow {
  readonly row: number;
  readonly feeder: string;
  readonly at_ms: number;
  readonly identity_key: string;
  readonly command_id: string;
  readonly commands_milli: number;
}

/** It is rolled back with what it keeps. */
const keepEntries = [
  `create temp table kept_entry (row integer primary key autoincrement, feeder text, at_ms integer,
     identity_key text, command_id text, commands_milli integer)`,
  `create temp trigger keep_entry after insert on main.ramp_entry when new.kind = 'release' begin
     insert into kept_entry (feeder, at_ms, identity_key, command_id, commands_milli)
       values (new.feeder, new.at_ms, new.identity_key, new.command_id, new.commands_milli);
   end`,
];

/** An entry that nothing was sent for by then belonged to a gateway that died before. */
const unusedMsMax = 60_000;

/** Starts always change load; other commands may come when there is nothing to change. */
const starts: ReadonlySet<string> = new Set(['RemoteStartTransaction', 'RequestStartTransaction']);

/**
 * The budgets of feeders, over all gateways that ever ran: what was taken of them stands in the
 * database before anything is sent, and whatever is sent was taken.
 */
export class FeederBudgets {
  readonly #database: SimulatedDatabase;
  readonly #limits: ReadonlyMap<string, FeederLimit>;
  readonly #entries = new Map<string, Entry[]>();
  /** Commands that were paid for and not sent yet: when, by identity key. */
  readonly #paid = new Map<string, number[]>();
  #lastRow = 0;

  constructor(database: SimulatedDatabase, limits: readonly FeederLimit[]) {
    this.#database = database;
    this.#limits = new Map(limits.map((limit) => [limit.name, limit]));
  }

  /** Begins to keep what is written, for the gateway deletes it when it is of no more use to it. */
  start(): void {
    for (const statement of keepEntries) this.#database.execute(statement);
  }

  /** Looks at what was committed since the last time. */
  look(): void {
    const { rows } = this.#database.execute('select * from temp.kept_entry where row > ?', [
      this.#lastRow,
    ]);
    const commands = new Set<string>();
    for (const row of rows as readonly EntryRow[]) {
      this.#lastRow = Number(row.row);
      this.#take(row);
      if (commands.has(row.command_id)) continue;
      commands.add(row.command_id);
      const paid = this.#paid.get(row.identity_key);
      if (paid === undefined) this.#paid.set(row.identity_key, [row.at_ms]);
      else paid.push(row.at_ms);
    }
  }

  /** A command that changes load is sent to its charger. @param nowMs Unix time. */
  onSent({ action, identity, messageId }: ObservedCommand, nowMs: number): void {
    const paid = (this.#paid.get(identity.toLowerCase()) ?? []).filter(
      (atMs) => atMs + unusedMsMax > nowMs,
    );
    const isPaid = paid.shift() !== undefined;
    this.#paid.set(identity.toLowerCase(), paid);
    if (isPaid || !starts.has(action)) return;
    throw new BrokenInvariant('budgets-hold', identity, `${action} ${messageId} was not paid for`);
  }

  #take({ at_ms: atMs, commands_milli: commandsMilli, feeder, identity_key }: EntryRow): void {
    const limit = this.#limits.get(feeder);
    if (limit === undefined) return;
    const { commandsMilliMax, intervalMs } = limit;
    const recent = (this.#entries.get(feeder) ?? []).filter((it) => it.atMs > atMs - intervalMs);
    recent.push({ atMs, commandsMilli: Number(commandsMilli) });
    this.#entries.set(feeder, recent);
    const sum = recent.reduce((total, it) => total + it.commandsMilli, 0);
    if (sum <= commandsMilliMax) return;
    const detail = `${feeder} took ${sum} thousandths of a command within ${intervalMs} ms`;
    throw new BrokenInvariant('budgets-hold', identity_key, detail);
  }
}
