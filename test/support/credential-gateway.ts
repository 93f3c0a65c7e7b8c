import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bindCertificate } from '../../src/chargers/certificate-bindings.ts';
import type {
  CertificateBinding,
  ChargerCredential,
  PasswordOrigin,
} from '../../src/chargers/charger-credential.ts';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { findCredential, setPassword } from '../../src/chargers/credentials.ts';
import { addCharger } from '../../src/chargers/registry.ts';
import { lockRegistry } from '../../src/chargers/registry-changes.ts';
import { hashPassword } from '../../src/identity/password-hash.ts';
import type { Store } from '../../src/store/store.ts';
import { makeAuthority, type TestAuthority, type TestCertificate } from './certificates.ts';
import {
  type ConfigChanges,
  type LiveGateway,
  openVisitor,
  startLiveGateway,
} from './live-gateway.ts';
import { connectCharger, startHandCsms, type TextPeer } from './text-peer.ts';

/** What a charger shows when it connects. */
export interface Shown {
  /** The user name, when it is not the identity. */
  readonly user?: string;
  readonly password?: string | Buffer;
  /** The whole Authorization header, in place of one that is made of user and password. */
  readonly authorization?: string;
  readonly certificate?: Pick<TestCertificate, 'chainPem' | 'keyPem'>;
  readonly version?: string;
  /** The index of the listener: its security profile in `startCredentialGateway`. */
  readonly profile?: number;
  /** The address that it comes from, on loopback. */
  readonly localAddress?: string;
}

/** A gateway with a listener for each security profile, at the index of the profile. */
export interface CredentialGateway extends LiveGateway {
  /** Issues the certificates of the listeners and of the chargers. */
  readonly authority: TestAuthority;
  /** Where files for the configuration may be. */
  readonly files: string;
  /** Connects as a charger; rejects with the HTTP status in `status` when it is refused. */
  connect(identity: string, shown?: Shown): Promise<TextPeer>;
  /** The HTTP status of a refusal; 101 when the charger got in, and then it is gone again. */
  status(identity: string, shown?: Shown): Promise<number>;
  /** Does something in the store, as the command line would. */
  inStore<Value>(work: (store: Store) => Promise<Value>): Promise<Value>;
  /** Adds a charger, and gives it a password. */
  add(identity: string, password?: string | Buffer, origin?: PasswordOrigin): Promise<void>;
  /** Says whose a certificate is; the charger is added if need be. */
  bind(identity: string, binding: CertificateBinding): Promise<void>;
  credentialOf(identity: string): Promise<ChargerCredential>;
}

/** What a test wants otherwise. */
export interface CredentialGatewayOptions {
  readonly changes?: ConfigChanges;
  /** Merged into `listeners[].tls.clientCertificates` of the listener for profile 3. */
  readonly clientCertificates?: ConfigChanges;
  /** Called with the folder for files, before the gateway starts; says what else is changed. */
  readonly prepare?: (
    files: string,
    authority: TestAuthority,
  ) => Promise<ConfigChanges | undefined>;
}

const id = (identity: string): ChargerId => identity as ChargerId;

/** Starts a gateway that refuses unknown chargers. */
export async function startCredentialGateway(
  csmsUrl: string,
  { changes = {}, clientCertificates = {}, prepare }: CredentialGatewayOptions = {},
): Promise<CredentialGateway> {
  const files = await mkdtemp(path.join(tmpdir(), 'gatewatt-credentials-'));
  const authority = await makeAuthority();
  const at = (name: string): string => path.join(files, name);
  await writeFile(at('authority.pem'), authority.certificatePem);
  const certificates: object[] = [];
  for (const algorithm of ['ecdsa-p256', 'rsa-2048'] as const) {
    const server = await authority.issue({
      commonName: 'gateway',
      algorithm,
      dnsNames: ['localhost'],
      ipAddresses: ['127.0.0.1'],
    });
    await writeFile(at(`${algorithm}.pem`), server.chainPem);
    await writeFile(at(`${algorithm}.key`), server.keyPem, { mode: 0o600 });
    certificates.push({ certFile: at(`${algorithm}.pem`), keyFile: at(`${algorithm}.key`) });
  }
  const prepared = { ...changes, ...(await prepare?.(files, authority)) };
  const clients = { caFile: at('authority.pem'), ...clientCertificates };
  const gateway = await startLiveGateway(
    csmsUrl,
    {
      ...prepared,
      chargers: { unknown: 'reject', ...(prepared['chargers'] as object | undefined) },
    },
    [
      { securityProfile: 0, allowUnauthenticated: true },
      { securityProfile: 1 },
      { securityProfile: 2, tls: { certificates } },
      { securityProfile: 3, tls: { certificates, clientCertificates: clients } },
    ],
  );
  const inStore: CredentialGateway['inStore'] = async (work) => {
    await using visitor = await openVisitor(gateway.dataDirectory);
    return await work(visitor.store);
  };
  const connect: CredentialGateway['connect'] = (identity, shown = {}) => {
    const { certificate, localAddress, profile = 2, version = 'ocpp1.6' } = shown;
    const authorization = authorizationOf(identity, shown);
    return connectCharger(gateway.url(identity, profile), [version], {
      headers: authorization === undefined ? {} : { authorization },
      ca: authority.certificatePem,
      ...(localAddress !== undefined && { localAddress }),
      ...(certificate !== undefined && { cert: certificate.chainPem, key: certificate.keyPem }),
    });
  };
  return {
    ...gateway,
    authority,
    files,
    connect,
    status: async (identity, shown) => {
      try {
        const peer = await connect(identity, shown);
        await peer.close();
        return 101;
      } catch (error) {
        const { status } = error as { readonly status?: number };
        if (status === undefined) throw error;
        return status;
      }
    },
    inStore,
    add: (identity, password, origin = 'operator') =>
      inStore(async (store) => {
        const hash = password === undefined ? undefined : await hashPassword(Buffer.from(password));
        await store.transact(async (db) => {
          await addCharger(db, id(identity), {}, store.nowMs());
          if (hash === undefined) return;
          await setPassword(db, id(identity), { hash, origin }, store.nowMs());
        });
      }),
    bind: (identity, binding) =>
      inStore(async (store) => {
        await store.transact(async (db) => {
          await addCharger(db, id(identity), {}, store.nowMs());
          await lockRegistry(db);
          await bindCertificate(db, id(identity), binding, store.nowMs());
        });
      }),
    credentialOf: (identity) =>
      inStore((store) => store.query((db) => findCredential(db, id(identity)))),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await rm(files, { recursive: true, force: true });
    },
  };
}

/** A charger CP-1 that is connected through, and what it is connected to. */
export interface ConnectedCharger {
  readonly gateway: CredentialGateway;
  readonly charger: TextPeer;
  readonly csms: TextPeer;
  nextCsms(): Promise<TextPeer>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Connects CP-1 with `password` through a gateway of its own to a CSMS by hand. */
export async function connectWithPassword(
  password: string,
  { changes, profile = 2, version = 'ocpp1.6' }: ConnectionChoices = {},
): Promise<ConnectedCharger> {
  const server = await startHandCsms();
  const gateway = await startCredentialGateway(server.url, { changes: changes ?? {} });
  await gateway.add('CP-1', password);
  const charger = await gateway.connect('CP-1', { password, profile, version });
  return {
    gateway,
    charger,
    csms: await server.nextConnection(),
    nextCsms: () => server.nextConnection(),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

interface ConnectionChoices {
  readonly changes?: ConfigChanges;
  readonly profile?: number;
  readonly version?: string;
}

/** HTTP Basic over bytes; undefined when the charger shows no password. */
function authorizationOf(
  identity: string,
  { authorization, password, user = identity }: Shown,
): string | undefined {
  if (authorization !== undefined) return authorization;
  if (password === undefined) return undefined;
  const bytes = Buffer.concat([Buffer.from(`${user}:`), Buffer.from(password)]);
  return `Basic ${bytes.toString('base64')}`;
}
