import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { stringify } from 'yaml';
import { importChargers } from '../../src/chargers/import-chargers.ts';
import { lockRegistry } from '../../src/chargers/registry-changes.ts';
import { parseChargerId } from '../../src/identity/parse-charger-id.ts';
import { hashGeneratedKey } from '../../src/identity/password-hash.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStore } from '../../src/store/open-store.ts';
import { makeAuthority } from '../../test/support/certificates.ts';
import { identityOf, passwordOf } from './identities.ts';

/** What a run is made of, in its folder for temporary files. */
export interface FleetSetup {
  readonly directory: string;
  readonly configFile: string;
  readonly caPem: string;
  readonly passwordKey: string;
  readonly port: number;
  /** Undefined without strangers. */
  readonly strangersPort: number | undefined;
  readonly adminPort: number;
  readonly csmsPort: number;
}

/** What a run wants. */
export interface FleetNeeds {
  /** Chargers that the gateway knows, with a password each. */
  readonly registered: number;
  readonly hasStrangers: boolean;
  /** How many attempts to call the CSMS the gateway may make in a second; its default without. */
  readonly dialsPerSecond?: number | undefined;
}

const dataDir = 'data';

/**
 * Makes certificate, configuration and store. Defaults hold but for the limits of connections, which
 * the fleet would reach, and the time of drain, since nobody waits for the end.
 */
export async function setUpFleet(directory: string, needs: FleetNeeds): Promise<FleetSetup> {
  const authority = await makeAuthority();
  const { certificatePem, keyPem } = await authority.issue({
    commonName: 'gateway',
    ipAddresses: ['127.0.0.1'],
  });
  await writeFile(path.join(directory, 'gateway.pem'), certificatePem);
  await writeFile(path.join(directory, 'gateway.key'), keyPem, { mode: 0o600 });
  const setup: FleetSetup = {
    directory,
    configFile: path.join(directory, 'gatewatt.yaml'),
    caPem: authority.certificatePem,
    passwordKey: randomBytes(32).toString('hex'),
    port: await freePort(),
    strangersPort: needs.hasStrangers ? await freePort() : undefined,
    adminPort: await freePort(),
    csmsPort: await freePort(),
  };
  await writeConfig(setup, needs);
  await register(setup, needs.registered);
  return setup;
}

/** Writes the configuration again, with other needs. */
export async function writeConfig(
  { adminPort, configFile, csmsPort, port, strangersPort }: FleetSetup,
  { dialsPerSecond }: Pick<FleetNeeds, 'dialsPerSecond'>,
): Promise<void> {
  const certificates = [{ certFile: 'gateway.pem', keyFile: 'gateway.key' }];
  const known = { name: 'field', path: '/ocpp', securityProfile: 2, tls: { certificates } };
  const strangers = {
    name: 'strangers',
    path: '/ocpp',
    securityProfile: 0,
    allowUnauthenticated: true,
  };
  const config = {
    gateway: { dataDir, drainSeconds: 0 },
    listeners: [
      { ...known, address: `127.0.0.1:${port}` },
      ...(strangersPort === undefined
        ? []
        : [{ ...strangers, address: `127.0.0.1:${strangersPort}` }]),
    ],
    csms: {
      url: `ws://127.0.0.1:${csmsPort}/csms`,
      ...(dialsPerSecond === undefined ? {} : { dialsPerSecond }),
    },
    ...(strangersPort === undefined
      ? {}
      : { chargers: { unknown: 'enroll', enrolledMax: 60_000 } }),
    limits: { connectionsMax: 100_000, connectionsPerAddressMax: 100_000 },
    admin: { address: `127.0.0.1:${adminPort}` },
  };
  await writeFile(configFile, stringify(config));
}

/**
 * Puts the chargers into the registry, each with the fast hash of a key of 20 bytes: what the store
 * holds of chargers to which the gateway has given passwords of their own. The slow hashes of an
 * import would take 20 ms each, here and at the first connection after each start.
 */
async function register({ directory, passwordKey }: FleetSetup, count: number): Promise<void> {
  const folder = path.join(directory, dataDir);
  await mkdir(folder, { mode: 0o700 });
  const store = await openStore(
    { type: 'sqlite', directory: folder, isGateway: false },
    systemClock(),
  );
  try {
    const chargers = Array.from({ length: count }, (_, index) => {
      const identity = identityOf('known', index);
      const id = parseChargerId(`/${identity}`, ['/'], { from: 'path' });
      if (!id.ok) throw new Error(`${identity} is no identity`);
      const key = Buffer.from(passwordOf(passwordKey, identity), 'hex');
      return { id: id.value, settings: {}, passwordHash: hashGeneratedKey(key) };
    });
    await store.transact(async (db) => {
      await lockRegistry(db);
      await importChargers(db, chargers, [], store.nowMs());
      await db
        .updateTable('charger_credential')
        .set({ password_origin: 'provisioned' })
        .where('password_origin', '=', 'imported')
        .execute();
    });
  } finally {
    await store.close();
  }
}

const portMin = 10_000;

/**
 * A port that nobody listens on, outside of the range from which the system takes the ports of those
 * who connect: while the gateway is down, a charger could otherwise get its port, and connect to
 * itself.
 */
async function freePort(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const portMax = Number(range.split(/\s+/)[0]) - 1;
  for (let tries = 0; tries < 100; tries += 1) {
    const port = portMin + Math.floor(Math.random() * (portMax - portMin));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${portMin} to ${portMax}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}
