import type { GatewayEvent } from '../../../src/events/catalogue.ts';
import type { SimulatedDatabase } from '../simulated-database.ts';
import { BrokenInvariant } from './broken-invariant.ts';
import type { ObservedCommand } from './observed-session.ts';

interface Answered extends ObservedCommand {
  isSent: boolean;
  /** Since when the store does not have it, in milliseconds of the simulation. */
  goneAtMs: number | undefined;
}

/** First the store knows that it has ended, then the gateway says so; in milliseconds. */
const tellMsMax = 10_000;

/** How a command that was answered for may visibly end. */
const endings: ReadonlySet<GatewayEvent['name']> = new Set([
  'LoadCommandExpired',
  'LoadCommandMismatch',
  'LoadCommandReconciled',
  'LoadCommandSuperseded',
  'LoadCommandUnclear',
]);

/**
 * Commands that the gateway has answered in the name of a charger: each is sent to the charger, is
 * still in the store, or has visibly ended.
 */
export class AnsweredCommands {
  readonly #database: SimulatedDatabase;
  readonly #open = new Map<string, Answered[]>();
  /** Endings that nobody has asked for yet, by charger and action. */
  readonly #ended = new Map<string, number>();
  #count = 0;

  constructor(database: SimulatedDatabase) {
    this.#database = database;
  }

  /** How many there were in all. */
  get count(): number {
    return this.#count;
  }

  onAnswered(command: ObservedCommand): void {
    const { identity, messageId } = command;
    const isStored = this.#isStored(command);
    if (!isStored) this.#fail(command, `${messageId} was answered and is not stored`);
    this.#count += 1;
    const key = identity.toLowerCase();
    const open = this.#open.get(key);
    const answered = { ...command, isSent: false, goneAtMs: undefined };
    if (open === undefined) this.#open.set(key, [answered]);
    else open.push(answered);
  }

  /** The gateway calls a charger by itself. @returns whether it has answered such a command. */
  onSent({ action, identity, payload }: ObservedCommand): boolean {
    const text = JSON.stringify(payload);
    const same = (this.#open.get(identity.toLowerCase()) ?? []).filter((it) => {
      return it.action === action && JSON.stringify(it.payload) === text;
    });
    // A stop may be sent once more, when nobody knows whether it has arrived.
    const found = same.find(({ isSent }) => !isSent) ?? same[0];
    if (found === undefined) return false;
    found.isSent = true;
    return true;
  }

  onEvent(event: GatewayEvent): void {
    if (event.name === 'LoadCommandsCancelledOut') {
      for (const action of event.actions) this.#end(event.charger, action);
      return;
    }
    if (!endings.has(event.name) || !('charger' in event) || !('action' in event)) return;
    const { action, charger, name } = event;
    // It tells of the same command as the one before it.
    if (name === 'LoadCommandMismatch' && event.outcome === 'cancelled out') return;
    this.#end(String(charger), String(action));
  }

  /**
   * Each that was answered is somewhere. Called while no transaction is open.
   *
   * @param nowMs milliseconds of the simulation.
   */
  look(nowMs: number): void {
    for (const [key, commands] of this.#open) {
      const left = commands.filter((command) => this.#isOpen(command, nowMs));
      if (left.length === 0) this.#open.delete(key);
      else this.#open.set(key, left);
    }
  }

  /** Commands that are still to be sent, or of which the outcome is not known. */
  get openCount(): number {
    return [...this.#open.values()].reduce((sum, { length }) => sum + length, 0);
  }

  #isOpen(command: Answered, nowMs: number): boolean {
    if (this.#isStored(command)) return true;
    if (this.#takeEnding(command)) return false;
    command.goneAtMs ??= nowMs;
    if (nowMs - command.goneAtMs <= tellMsMax) return true;
    if (command.isSent) return false;
    this.#fail(command, `${command.messageId} (${command.action}) was answered and is gone`);
    return false;
  }

  #isStored({ identity, messageId }: ObservedCommand): boolean {
    const { rows } = this.#database.execute(
      `select 1 from ramp_command
         where identity_key = ? and message_id = ? and is_answered = 1`,
      [identity.toLowerCase(), messageId],
    );
    return rows.length > 0;
  }

  #end(charger: string, action: string): void {
    const key = `${charger.toLowerCase()} ${action}`;
    this.#ended.set(key, (this.#ended.get(key) ?? 0) + 1);
  }

  #takeEnding({ action, identity }: ObservedCommand): boolean {
    const key = `${identity.toLowerCase()} ${action}`;
    const count = this.#ended.get(key) ?? 0;
    if (count > 0) this.#ended.set(key, count - 1);
    return count > 0;
  }

  #fail({ identity }: ObservedCommand, detail: string): void {
    throw new BrokenInvariant('nothing-acknowledged-is-lost', identity, detail);
  }
}
