import assert from 'node:assert/strict';
import { type AuditVerdict, verifyChain } from '../../../src/audit/verify.ts';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { rampOptions } from '../../../src/cmd/ramp-options.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { type HeldCommand, insertCommand } from '../../../src/ramp-limit/command-rows.ts';
import { insertEntries } from '../../../src/ramp-limit/entry-rows.ts';
import type { LoadChange } from '../../../src/ramp-limit/load-change.ts';
import { othersMayTakeMs } from '../../../src/ramp-limit/plan.ts';
import type { RampTarget } from '../../../src/ramp-limit/ramp-target.ts';
import { lookAtWaiting } from '../../../src/ramp-limit/tick.ts';
import type { Store } from '../../../src/store/store.ts';
import { type Ended, runGatewatt } from '../../support/command-line.ts';
import type { OpenTestStore } from '../../support/stores.ts';
import { connect, registryAtWork } from '../charger-command/registry-at-work.ts';

/** A store with a configuration file that describes feeders, and the command line beside it. */
export interface RampAtWork {
  readonly store: Store;
  readonly configFile: string;
  /** Runs `gatewatt ramp` with the configuration file. */
  ramp(...parameters: readonly string[]): Promise<Ended>;
  /** The same with --json; what it prints, parsed. Fails when the command does. */
  json(...parameters: readonly string[]): Promise<unknown>;
  /** Stores a command that waits; see `commandOf`. @returns it. */
  hold(charger: string, given?: Partial<HeldCommand>): Promise<HeldCommand>;
  /** Lets running gateways have these chargers. */
  connect(...chargers: readonly string[]): Promise<void>;
  /** A feeder has been moved by `change` half a minute ago. */
  use(feeder: string, change: Partial<LoadChange>): Promise<void>;
  /** All rows of the limiter, but for its lock. */
  rows(): Promise<unknown>;
  /** The audit log: event, charger and fields. */
  audited(): Promise<readonly unknown[]>;
  /** Is the audit log intact? */
  verified(): Promise<AuditVerdict | undefined>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An hour, so that no window ends during a test. */
const intervalSeconds = 3600;

/** A site with two feeders, of which `south` has no ceilings. */
export const rampLimit = {
  // Beyond what a test machine may lose between two steps.
  dwellSeconds: 3600,
  holdSecondsMax: 86_400,
  feeders: [
    { name: 'site', intervalSeconds, commandsPerInterval: 50 },
    {
      name: 'north',
      within: 'site',
      chargers: ['N-*'],
      intervalSeconds,
      commandsPerInterval: 4,
      maxUpKwPerInterval: 150,
      maxDownKwPerInterval: 150,
      ceilingUpKwPerInterval: 300,
      ceilingCommandsPerInterval: 10,
    },
    { name: 'south', within: 'site', chargers: ['S-*'], intervalSeconds, maxUpKwPerInterval: 50 },
  ],
};

/** Opens a store, and writes a configuration file with these feeders, or with `section`. */
export async function rampAtWork(
  open: OpenTestStore,
  section: object = rampLimit,
): Promise<RampAtWork> {
  const work = await registryAtWork(open, {}, { rampLimit: section });
  const { configFile, store } = work;
  const ramp = (...parameters: readonly string[]) => run('ramp', ...parameters, '-c', configFile);
  let sequence = 0;
  return {
    store,
    configFile,
    ramp,
    json: async (...parameters) => {
      const { code, stderr, stdout } = await ramp(...parameters, '--json');
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    },
    hold: async (charger, given = {}) => {
      sequence += 1;
      const command = { ...commandOf(charger), sequence, ...given };
      await store.transact((db) => insertCommand(db, command));
      return command;
    },
    connect: async (...chargers) => {
      for (const charger of chargers) await connect(store, charger as ChargerId, 1000);
    },
    use: async (feeder, change) => {
      const entry = {
        ...{ commandsMilli: 0, upW: 0, downW: 0, ...change },
        ...{ feeder, kind: 'release' as const, atMs: Date.now() - 30_000 },
        ...{ chargerKey: 'other', commandId: 'other' },
      };
      await store.transact((db) => insertEntries(db, [entry], systemRandom));
    },
    rows: () =>
      store.query(async (db) => ({
        commands: await db.selectFrom('ramp_command').selectAll().orderBy('sequence').execute(),
        entries: await db.selectFrom('ramp_entry').selectAll().orderBy('id').execute(),
        falls: await db.selectFrom('ramp_fall').selectAll().execute(),
        feeders: await db.selectFrom('ramp_feeder').selectAll().execute(),
      })),
    audited: async () => {
      const records = (await work.audited()) as readonly (readonly unknown[])[];
      return records.map(([chain, event, charger, by, fields]) => {
        assert.deepEqual([chain, by], ['gw-1', 'string']);
        return [event, charger, fields];
      });
    },
    verified: () => verifyChain(store, 'gw-1'),
    [Symbol.asyncDispose]: () => work[Symbol.asyncDispose](),
  };
}

/** A start of 22 kW that has come ten seconds ago and was answered. */
export function commandOf(charger: string): HeldCommand {
  const arrivedAtMs = Date.now() - 10_000;
  const feeders: Readonly<Record<string, string>> = { N: 'north', S: 'south' };
  return {
    id: systemRandom.uuid(),
    sequence: 1,
    lane: 'ordinary',
    chargerKey: charger.toLowerCase(),
    charger,
    feeder: feeders[charger.charAt(0)] ?? 'unassigned',
    version: 'ocpp1.6',
    action: 'RemoteStartTransaction',
    loadClass: 'start',
    payload: { connectorId: 1, idTag: 'TAG-1' },
    messageId: 'm-1',
    isReply: false,
    incarnation: 'run of gw-2',
    state: 'waiting',
    isAnswered: true,
    onLongWait: 'answer',
    arrivedAtMs,
    notBeforeMs: arrivedAtMs,
    answerByMs: arrivedAtMs + 24_000,
    expiresAtMs: arrivedAtMs + 900_000,
    sentAtMs: undefined,
    place: 1,
    swing: 'up',
    basis: 'rating',
    now: { commandsMilli: 1000, upW: 22_000, downW: 0 },
    coalesceKeys: [],
    reason: undefined,
  };
}

/** Runs `gatewatt`. */
export function run(...parameters: readonly string[]): Promise<Ended> {
  return runGatewatt(...parameters);
}

/** A line break is all that may reach a terminal. */
export function assertHarmless(text: string): void {
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
}

/** What a gateway finds that has all chargers with a claim of gw-2, free to take a command. */
export async function looked(
  { configFile, store }: RampAtWork,
  incarnation: string,
): Promise<{ readonly releases: readonly string[]; readonly cancelled: readonly HeldCommand[] }> {
  const config = await loadConfig(configFile);
  assert.ok(config.ok);
  const claims = await store.query((db) => db.selectFrom('claim').select('identity_key').execute());
  const connected = new Set(claims.map(({ identity_key }) => identity_key));
  const targetOf = (chargerKey: string): RampTarget | undefined => {
    if (!connected.has(chargerKey)) return undefined;
    const nothing = (): void => {};
    return {
      charger: chargerKey as ChargerId,
      feederSetting: undefined,
      isReady: true,
      estimate: (command) => command,
      ...{ release: nothing, answer: nothing, refuse: nothing },
    };
  };
  const options = rampOptions(config.value);
  const place = { incarnation, othersMayTakeMs, targetOf };
  const tools = { options, place, random: systemRandom, nowMs: () => Date.now() };
  const { applied, cancelled } = await store.transact((db) => lookAtWaiting(db, tools));
  const releases = applied.flatMap(({ released }) =>
    released.map(({ command }) => command.charger),
  );
  return { releases, cancelled };
}
