import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { ChargerCredential } from '../../../src/chargers/charger-credential.ts';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { ChargerMemory } from '../../../src/chargers/memory/charger-memory.ts';
import { hashPassword } from '../../../src/identity/password-hash.ts';
import type { Store, StoreKind } from '../../../src/store/store.ts';
import { type Ended, runGatewatt } from '../../support/command-line.ts';
import type { OpenTestStore, TestStore } from '../../support/stores.ts';

/** The command line. */
export const gatewatt = fileURLToPath(new URL('../../../bin/gatewatt', import.meta.url));

/** A store that is open as a gateway has it, and the command line beside it. */
export interface RegistryAtWork {
  readonly opened: TestStore;
  readonly store: Store;
  readonly configFile: string;
  /** Where the configuration file is. */
  readonly directory: string;
  /** Runs `gatewatt charger` with the configuration file. */
  charger(...parameters: readonly string[]): Promise<Ended>;
  /** The same with --json; what it prints, parsed. */
  json(...parameters: readonly string[]): Promise<unknown>;
  /** The audit log: event, charger and fields. */
  audited(): Promise<readonly unknown[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a store, and writes a configuration file that names it.
 *
 * @param sections of the configuration file, beside those that every one has.
 */
export async function registryAtWork(
  open: OpenTestStore,
  chargers: object = {},
  sections: object = {},
): Promise<RegistryAtWork> {
  const opened = await open();
  const { location, store } = opened;
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-charger-'));
  const isFile = location.type === 'sqlite';
  if (!isFile) await writeFile(path.join(directory, 'url'), `${location.url}\n`);
  const configFile = await writeConfig(directory, {
    gateway: { id: 'gw-1', dataDir: isFile ? location.directory : directory },
    store: isFile ? { type: 'sqlite' } : { type: 'postgres', urlFile: 'url' },
    chargers,
    ...sections,
  });
  const charger = (...parameters: readonly string[]) => run(...parameters, '-c', configFile);
  return {
    opened,
    store,
    configFile,
    directory,
    charger,
    json: async (...parameters) => {
      const { code, stdout, stderr } = await charger(...parameters, '--json');
      if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    audited: async () => {
      const rows = await store.query((db) =>
        db.selectFrom('audit_record').selectAll().orderBy('sequence').execute(),
      );
      return rows.map(({ chain, event, charger, document }) => {
        const { by, ...fields } = JSON.parse(document) as Record<string, unknown>;
        return [chain, event, charger, typeof by, fields];
      });
    },
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Writes a configuration file with these sections into `directory`. */
export async function writeConfig(directory: string, sections: object): Promise<string> {
  const file = path.join(directory, 'gatewatt.yaml');
  const address = '127.0.0.1:0';
  const listener = { name: 'field', address, path: '/ocpp', securityProfile: 0 };
  const config = {
    listeners: [{ ...listener, allowUnauthenticated: true }],
    csms: { url: 'ws://127.0.0.1:9/csms' },
    ...sections,
  };
  await writeFile(file, stringify(config));
  return file;
}

/** Runs `gatewatt charger`. */
export function run(...parameters: readonly string[]): Promise<Ended> {
  return runGatewatt('charger', ...parameters);
}

/** The running gateway gw-2 has `id` connected since `sinceMs`. */
export async function connect(store: Store, id: ChargerId, sinceMs: number): Promise<void> {
  await store.transact(async (db) => {
    await db
      .insertInto('gateway_lease')
      .values({
        incarnation: `run of ${id}`,
        gateway_id: 'gw-2',
        started_ms: sinceMs,
        // For the whole test, by anybody's clock.
        expires_ms: 4_102_444_800_000,
      })
      .execute();
    await db
      .insertInto('claim')
      .values({
        identity_key: id.toLowerCase(),
        epoch: 4,
        incarnation: `run of ${id}`,
        claimed_ms: sinceMs,
        takeovers: 2,
        takeovers_since_ms: sinceMs,
      })
      .execute();
  });
}

/** Saves what a gateway learns from a short conversation of OCPP 1.6, with `text` in many places. */
export async function converse(store: Store, id: ChargerId, text: string): Promise<void> {
  const memory = new ChargerMemory();
  const atMs = 1_760_000_000_000;
  const exchange = (from: 'charger' | 'csms', action: string, payload: object, reply: object) => {
    const callId = action;
    memory.onCall({ from, version: 'ocpp1.6', id: callId, action, payload, atMs });
    const other = from === 'charger' ? 'csms' : 'charger';
    memory.onReply({ from: other, callId, result: { payload: reply }, atMs });
  };
  exchange(
    'charger',
    'BootNotification',
    { chargePointVendor: text, chargePointModel: 'M' },
    { status: 'Accepted', currentTime: '2026-01-01T00:00:00Z', interval: 300 },
  );
  exchange(
    'charger',
    'StatusNotification',
    { connectorId: 1, errorCode: 'NoError', status: `Charging${text}` },
    {},
  );
  exchange(
    'charger',
    'StartTransaction',
    { connectorId: 1, idTag: text, meterStart: 0, timestamp: '2026-01-01T00:00:00Z' },
    { transactionId: 77, idTagInfo: { status: 'Accepted' } },
  );
  exchange(
    'charger',
    'MeterValues',
    {
      connectorId: 1,
      transactionId: 77,
      meterValue: [
        {
          timestamp: '2026-01-01T00:00:10Z',
          sampledValue: [{ value: '7400', measurand: 'Power.Active.Import', unit: 'W' }],
        },
      ],
    },
    {},
  );
  exchange(
    'csms',
    'SetChargingProfile',
    {
      connectorId: 1,
      csChargingProfiles: {
        chargingProfileId: 9,
        stackLevel: 0,
        chargingProfilePurpose: 'TxDefaultProfile',
        chargingProfileKind: 'Relative',
        chargingSchedule: {
          chargingRateUnit: 'A',
          chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }],
        },
      },
    },
    { status: 'Accepted' },
  );
  exchange(
    'csms',
    'GetConfiguration',
    {},
    { configurationKey: [{ key: 'MeterSerial', readonly: true, value: text }] },
  );
  const { document, variables } = memory.save();
  const records = memory.takeTransactions();
  await store.transact(async (db) => {
    await db
      .insertInto('charger_memory')
      .values({
        identity_key: id.toLowerCase(),
        epoch: 4,
        document,
        variables,
        updated_ms: atMs,
      })
      .execute();
    for (const { transactionId, status, startedAtMs, ...rest } of records) {
      await db
        .insertInto('charger_transaction')
        .values({
          identity_key: id.toLowerCase(),
          transaction_id: transactionId,
          status,
          started_ms: startedAtMs,
          document: JSON.stringify(rest),
        })
        .execute();
    }
  });
}

/** What --json says of the credential of a charger that has none. */
export const noCredential = {
  securityProfile: { used: 0, required: 0, raise: null },
  password: null,
  nextPassword: null,
  rotation: { requestedAt: null, outcome: null, outcomeAt: null },
  isDefaultRetired: false,
  certificates: [],
  hasCsmsPassword: false,
  lastAddress: null,
};

/** Is `password` the one of `credential`? */
export async function matches(
  credential: ChargerCredential | undefined,
  password: Buffer,
): Promise<boolean> {
  const hash = credential?.password?.hash;
  return hash !== undefined && (await hashPassword(password, hash)) === hash;
}

/** None of `secrets` stands in `output` or in a file of the store, in no spelling. */
export async function assertNowhere(
  { opened }: RegistryAtWork,
  secrets: readonly string[],
  output: string,
  kind: StoreKind,
): Promise<void> {
  const texts = [Buffer.from(output)];
  const { location } = opened;
  if (location.type === 'sqlite') {
    for (const name of await readdir(location.directory)) {
      texts.push(await readFile(path.join(location.directory, name)));
    }
    assert.ok(
      texts.some((text) => text.includes('$argon2id$')),
      'the database was searched',
    );
  }
  assert.equal(location.type, kind);
  const spellings = secrets.flatMap((secret) => {
    const bytes = [Buffer.from(secret), Buffer.from(secret, 'hex')].filter((it) => it.length > 4);
    return bytes.flatMap((it) => [
      it,
      Buffer.from(it.toString('hex')),
      Buffer.from(it.toString('base64').replace(/=+$/, '')),
      Buffer.from(JSON.stringify(secret).slice(1, -1)),
    ]);
  });
  for (const text of texts) {
    for (const spelling of spellings) {
      assert.equal(text.indexOf(spelling), -1, `${spelling} was found`);
    }
  }
}
