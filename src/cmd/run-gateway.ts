import { type AdminServer, startAdminServer } from '../admin/server.ts';
import { AuditLog } from '../audit/audit-log.ts';
import { auditSink } from '../audit/audit-sink.ts';
import { pruneAudit } from '../audit/prune.ts';
import { openQuarantine } from '../audit/quarantine.ts';
import { auditChains } from '../audit/verify.ts';
import type { Config } from '../config/schema/config.ts';
import type { Keeper } from '../connection/isolation/kept-gateway.ts';
import { watchCsmsTls } from '../connection/watch-csms-tls.ts';
import { type EventSink, gatewaySink, teeSink } from '../events/emit.ts';
import { limitLog } from '../events/log-limit.ts';
import { jsonLogger, type LogDestination, logSink } from '../events/log-sink.ts';
import { gatewayMetrics } from '../events/metrics-sink.ts';
import { type Gateway, startGateway } from '../gateway/gateway.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import type { Store } from '../store/store.ts';
import { openConfiguredStore } from './configured-store.ts';
import { feederGauges } from './feeder-gauges.ts';
import { readGatewayFiles } from './gateway-files.ts';
import { csmsTlsFiles, gatewayOptions } from './gateway-options.ts';
import { IsolatedNetworks } from './isolated-networks.ts';
import { connectionsThatFit, openFilesMax, withinFiles } from './open-files.ts';
import { watchSigningKeys } from './signing-keys.ts';
import { signingPolicy } from './signing-policy.ts';

/** Enough to see what somebody does, too little to fill a disk. */
const logLimits = {
  perSource: { burst: 50, perSecond: 2 },
  total: { burst: 5_000, perSecond: 200 },
};

/** A gateway with everything around it. */
export interface RunningGateway {
  readonly gateway: Gateway;
  readonly admin: AdminServer;
  /** Stops all of it, gracefully. */
  stop(): Promise<void>;
}

/** What the command line gives a gateway beside its configuration. */
export interface RunOptions {
  /** Paths in the configuration are relative to this file. */
  readonly configFile: string;
  readonly log: LogDestination;
  /** Hears every event, unlimited. */
  readonly observer?: EventSink;
  /** The process that keeps the namespaces of isolated networks. */
  readonly keeper?: Keeper;
}

/**
 * Runs the gateway that `config` describes, with its store, audit log, log, metrics, quarantine and
 * admin server.
 *
 * @throws StoreError, or the system's error when an address or the data directory cannot be had.
 */
export async function runGateway(config: Config, options: RunOptions): Promise<RunningGateway> {
  const clock = systemClock();
  const store = await openConfiguredStore(config, options.configFile, true, clock);
  try {
    return await runWithStore(config, options, store, clock);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function runWithStore(
  config: Config,
  options: RunOptions,
  store: Store,
  clock: Clock,
): Promise<RunningGateway> {
  const { id } = config.gateway;
  const metrics = gatewayMetrics({ processMetrics: true });
  const logger = jsonLogger(config.gateway.logLevel, options.log).child({ gateway: id });
  const log = limitLog(logSink(logger), logLimits, clock);
  const observer = options.observer === undefined ? [] : [options.observer];
  const counted = teeSink([metrics.sink, ...observer]);
  const seen = teeSink([counted, log]);
  const audit = new AuditLog(store, { chain: id }, clock, seen);
  const emit = gatewaySink(counted, teeSink([auditSink(audit, clock), seen]));
  store.onHealth((isAvailable, detail) => {
    emit(isAvailable ? { name: 'StoreRestored' } : { name: 'StoreUnavailable', detail });
  });

  const { bytesMax, framesMax } = config.quarantine;
  const quarantineOptions = { gatewayId: id, bytesMax, framesMax };
  const quarantine = openQuarantine(store, quarantineOptions, emit, clock, systemRandom);
  const { auditDays: days, auditRecordsMax: recordsMax } = config.retention;
  const files = await readGatewayFiles(config, options.configFile);
  const csmsTls = await watchCsmsTls(csmsTlsFiles(config, options.configFile), clock, emit);
  const csms = {
    url: config.csms.url,
    connectTimeoutSeconds: config.csms.connectTimeoutSeconds,
    tls: () => csmsTls.current(),
  };
  const signingKeys = await watchSigningKeys(config, options.configFile, emit, clock).catch(
    (error: unknown) => {
      csmsTls.close();
      throw error;
    },
  );
  const signing = signingPolicy(config, signingKeys);
  const configured = gatewayOptions(config, options.configFile, files);
  const filesMax = await openFilesMax();
  const connectionsMax = filesMax === undefined ? Infinity : connectionsThatFit(filesMax);
  const listeners = withinFiles(configured.listeners, connectionsMax);
  const gatewayWith = { ...configured, listeners, csms, signing };
  const gateway = await startGateway(gatewayWith, {
    clock,
    random: systemRandom,
    emit,
    store,
    quarantine,
    observeAdded: metrics.observeAdded,
    audited: () => audit.settled(),
    pruneAudit: async () => {
      let pruned = 0;
      // Also the logs of gateways that are gone: nobody else would.
      for (const chain of await auditChains(store)) {
        pruned += await pruneAudit(store, chain, { days, recordsMax }, clock.nowMs());
      }
      return pruned > 0;
    },
  }).catch((error: unknown) => {
    csmsTls.close();
    signingKeys?.close();
    throw error;
  });
  metrics.passwordChecksFrom(() => gateway.passwordChecks());
  metrics.dialsFrom(() => gateway.dials());
  metrics.sessionsFrom(() => gateway.sessionCount());
  metrics.feedersFrom(() => gateway.rampStatus().feeders.map(feederGauges));
  metrics.storeFrom(() => ({
    isAvailable: store.isAvailable,
    unwritten: gateway.unwrittenCount(),
  }));
  for (const [index, { address, name }] of gateway.listeners.entries()) {
    if (config.listeners[index]?.securityProfile !== 0) continue;
    emit({ name: 'ListenerUnauthenticated', listener: name, address });
  }
  if (filesMax !== undefined && connectionsMax < config.limits.connectionsMax) {
    emit({ name: 'OpenFilesFew', openFilesMax: filesMax, connectionsMax });
  }
  if (config.csms.tls.dangerouslyAcceptAnyCertificate) {
    emit({ name: 'CsmsVerificationOff', csms: new URL(config.csms.url).origin });
  }
  const open = config.listeners.filter(({ address }) => address !== undefined);
  if (open.length > 0) {
    emit({ name: 'NetworksNotIsolated', listeners: open.map(({ name }) => name) });
  }
  const networks =
    config.isolation === undefined || options.keeper === undefined
      ? undefined
      : new IsolatedNetworks(config.isolation, config, options.keeper, { clock, emit, gateway });
  // Whoever cannot be served yet is served as soon as that is possible.
  void networks?.start();
  /** In this order: what one of them still says, the next one writes. */
  const stopAll = async (): Promise<void> => {
    networks?.stop();
    await gateway.stop();
    csmsTls.close();
    signingKeys?.close();
    await quarantine.close();
    await audit.close();
    await store.close();
  };
  let admin: AdminServer;
  try {
    admin = await startAdminServer({
      ...config.admin.address,
      gateway,
      metrics: () => metrics.registry.metrics(),
      metricsContentType: metrics.registry.contentType,
    });
  } catch (error) {
    await stopAll();
    throw error;
  }
  return {
    gateway,
    admin,
    stop: async () => {
      await stopAll();
      await admin.close();
    },
  };
}
