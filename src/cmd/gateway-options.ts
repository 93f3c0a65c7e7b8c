import { recordsFromList } from '../chargers/record.ts';
import type { Config } from '../config/schema/config.ts';
import type { ListenerOptions } from '../connection/charger-listener.ts';
import type { SocketLimits } from '../connection/limits.ts';
import type { GatewayOptions } from '../gateway/gateway.ts';
import type { IdentitySource } from '../identity/parse-charger-id.ts';
import type { CallLaneLimits } from '../queue/call-lane.ts';

/** Answered calls that are remembered per side, to tell retries and late replies. */
const recentCallsMax = 64;
/** How long they are: longer than any peer waits before it sends a call again. */
const recentMs = 120_000;
/** Calls of the largest size that may wait. Ordinary ones are a hundred times smaller. */
const waitingFramesMax = 4;

/** What the gateway is to do, from the configuration. */
export function gatewayOptions(config: Config): GatewayOptions {
  const { chargers, csms, limits, queue, rules } = config;
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
    listeners: config.listeners.map((listener) => listenerOptions(listener, config, socketLimits)),
    csms: { url: csms.url, connectTimeoutSeconds: csms.connectTimeoutSeconds },
    csmsLimits: socketLimits,
    admission: { unknown: chargers.unknown, versions: chargers.versions },
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
    retryAfterSeconds: csms.retryAfterSeconds,
    drainSeconds: config.gateway.drainSeconds,
  };
}

function listenerOptions(
  listener: Config['listeners'][number],
  { limits }: Config,
  socketLimits: SocketLimits,
): ListenerOptions {
  const { address, identityFrom, identityParameter, name, securityProfile } = listener;
  const identity: IdentitySource =
    identityFrom === 'query'
      ? { from: 'query', parameter: identityParameter }
      : { from: identityFrom };
  return {
    name,
    securityProfile,
    host: address.host,
    port: address.port,
    paths: [listener.path].flat(),
    identity,
    limits: socketLimits,
    connectionsMax: limits.connectionsMax,
    connectionsPerAddressMax: limits.connectionsPerAddressMax,
    handshakeSeconds: limits.handshakeSeconds,
  };
}
