import { recordsFromList } from '../chargers/record.ts';
import type { Config } from '../config/schema/config.ts';
import type { ListenerOptions } from '../connection/charger-listener.ts';
import type { SocketLimits } from '../connection/limits.ts';
import type { CsmsTlsFiles, ListenerTls } from '../connection/tls-material.ts';
import type { GatewayOptions } from '../gateway/gateway.ts';
import type { IdentitySource } from '../identity/parse-charger-id.ts';
import type { ChainOptions } from '../pki/client-certificate.ts';
import type { CallLaneLimits } from '../queue/call-lane.ts';
import { besideConfig, type GatewayFiles } from './gateway-files.ts';
import { rampOptions } from './ramp-options.ts';

/** Answered calls that are remembered per side, to tell retries and late replies. */
const recentCallsMax = 64;
/** How long they are: longer than any peer waits before it sends a call again. */
const recentMs = 120_000;
/** Calls of the largest size that may wait. Ordinary ones are a hundred times smaller. */
const waitingFramesMax = 4;

/**
 * What the gateway is to do, from the configuration.
 *
 * @param configFile paths in the configuration are relative to it.
 */
export function gatewayOptions(
  config: Config,
  configFile: string,
  { batches, csmsAuth }: GatewayFiles,
): Omit<GatewayOptions, 'csms' | 'signing'> {
  const { chargers, credentials, csms, limits, queue, rules } = config;
  const socketLimits: SocketLimits = {
    frameBytesMax: limits.frameBytesMax,
    pingSeconds: limits.pingSeconds,
    pongSeconds: limits.pongSeconds,
    silentSeconds: limits.silentSeconds,
    stallSeconds: limits.stallSeconds,
  };
  const lane: CallLaneLimits = {
    callsMax: queue.callsMax,
    bytesMax: waitingFramesMax * limits.frameBytesMax,
    inFlightMs: queue.inFlightSeconds * 1000,
    waitMs: undefined,
    recentMax: recentCallsMax,
    recentMs,
  };
  return {
    listeners: config.listeners.map((listener) => ({
      ...listenerOptions(listener, config, socketLimits),
      tls: listenerTls(listener, configFile),
    })),
    csmsLimits: socketLimits,
    csmsAuth,
    dials: { dialsPerSecond: csms.dialsPerSecond, dialWaitSeconds: csms.dialWaitSeconds },
    admission: { versions: chargers.versions },
    networks: config.isolation?.bindings ?? [],
    authentication: {
      unknown: chargers.unknown,
      firstUse: credentials.firstUse,
      batches,
      certificates: certificateRules(config),
    },
    passwords: {
      attempts: {
        perSourceMax: credentials.attemptsPerSourceMax,
        perIdentityMax: credentials.attemptsPerIdentityMax,
        overallMax: credentials.attemptsMax,
        windowSeconds: credentials.attemptWindowSeconds,
      },
      hashesAtOnceMax: credentials.hashesAtOnceMax,
      hashesWaitingMax: credentials.hashesWaitingMax,
    },
    credentialChanges: credentialChanges(config),
    rotateDays: credentials.rotateDays,
    records: recordsFromList(chargers.records),
    enrolledMax: chargers.enrolledMax,
    claims: {
      gatewayId: config.gateway.id,
      leaseMs: config.store.leaseSeconds * 1000,
      takeoversPerHourMax: chargers.takeoversPerHourMax,
      quarantineMs: chargers.quarantineMinutes * 60_000,
    },
    duplicateIdentity: chargers.duplicateIdentity,
    retention: {
      days: config.retention.transactionDays,
      transactionsMax: config.retention.transactionsMax,
    },
    probeSeconds: chargers.probeSeconds,
    rules: { preset: rules.preset, overrides: rules.overrides },
    // What a charger reports is true however late it is; a command of the CSMS is not.
    lanes: { charger: lane, csms: { ...lane, waitMs: csms.callTimeoutSeconds * 1000 } },
    strikes: { strikesMax: rules.strikesMax, windowSeconds: rules.strikeWindowSeconds },
    ramp: rampOptions(config),
    retryAfterSeconds: csms.retryAfterSeconds,
    drainSeconds: config.gateway.drainSeconds,
  };
}

/** Where the password is the CSMS's as well, the CSMS may change it. */
function credentialChanges({ credentials, csms }: Config): 'refuse' | 'track' {
  if (credentials.changesByCsms !== 'auto') return credentials.changesByCsms;
  return csms.auth.type === 'forward' ? 'track' : 'refuse';
}

/** What the connection to the CSMS reads, and what does not come from files. */
export function csmsTlsFiles({ csms }: Config, configFile: string): CsmsTlsFiles {
  const { caFile, dangerouslyAcceptAnyCertificate, pinnedSha256, serverName } = csms.tls;
  const at = (file: string): string => besideConfig(configFile, file);
  return {
    caFile: caFile === undefined ? undefined : at(caFile),
    clientCertificate:
      csms.auth.type === 'clientCertificate'
        ? { certFile: at(csms.auth.certFile), keyFile: at(csms.auth.keyFile) }
        : undefined,
    serverName,
    pinnedSha256,
    acceptsAnyCertificate: dangerouslyAcceptAnyCertificate,
  };
}

/** What each listener with security profile 3 asks of certificates, by its name. */
function certificateRules({ listeners }: Config): ReadonlyMap<string, ChainOptions> {
  const rules = new Map<string, ChainOptions>();
  for (const { name, tls } of listeners) {
    const clients = tls?.clientCertificates;
    if (clients === undefined) continue;
    const { crlGraceHours, expired, organizations } = clients;
    rules.set(name, { crlGraceHours, expired, organizations });
  }
  return rules;
}

/** The files of a listener with TLS; undefined for one without. */
export function listenerTls(
  { tls }: Config['listeners'][number],
  configFile: string,
): ListenerTls | undefined {
  if (tls === undefined) return undefined;
  const at = (file: string): string => besideConfig(configFile, file);
  const certificates = tls.certificates.map(({ certFile, keyFile }) => ({
    certFile: at(certFile),
    keyFile: at(keyFile),
  }));
  const { clientCertificates: clients } = tls;
  if (clients === undefined) return { certificates };
  const { caFile, crlFile } = clients;
  const crl = crlFile === undefined ? undefined : at(crlFile);
  return { certificates, client: { caFile: at(caFile), crlFile: crl } };
}

function listenerOptions(
  listener: Config['listeners'][number],
  { limits }: Config,
  socketLimits: SocketLimits,
): ListenerOptions {
  const { address, identityFrom, identityParameter, name, securityProfile } = listener;
  const { connectionsMax, connectionsPerAddressMax } = limits;
  const identity: IdentitySource =
    identityFrom === 'query'
      ? { from: 'query', parameter: identityParameter }
      : { from: identityFrom };
  return {
    name,
    securityProfile,
    doors: address === undefined ? [] : [{ at: address, connectionsMax, connectionsPerAddressMax }],
    paths: [listener.path].flat(),
    identity,
    limits: socketLimits,
    handshakeSeconds: limits.handshakeSeconds,
  };
}
