import { type AdminServer, startAdminServer } from '../admin/server.ts';
import { openQuarantine } from '../audit/quarantine.ts';
import type { Config } from '../config/schema/config.ts';
import { type EventSink, teeSink } from '../events/emit.ts';
import { limitLog } from '../events/log-limit.ts';
import { jsonLogger, type LogDestination, logSink } from '../events/log-sink.ts';
import { gatewayMetrics } from '../events/metrics-sink.ts';
import { type Gateway, startGateway } from '../gateway/gateway.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { gatewayOptions, quarantineDirectory } from './gateway-options.ts';

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
}

/**
 * Runs the gateway that `config` describes, with its log, metrics, quarantine and admin server.
 *
 * @throws the system's error when an address or the data directory cannot be had.
 */
export async function runGateway(config: Config, options: RunOptions): Promise<RunningGateway> {
  const clock = systemClock();
  const metrics = gatewayMetrics({ processMetrics: true });
  const logger = jsonLogger(config.gateway.logLevel, options.log).child({
    gateway: config.gateway.id,
  });
  const log = limitLog(logSink(logger), logLimits, clock);
  const observer = options.observer === undefined ? [] : [options.observer];
  const emit = teeSink([metrics.sink, log, ...observer]);

  const directory = quarantineDirectory(config, options.configFile);
  const quarantine = await openQuarantine(directory, config.quarantine, emit, clock);
  const { observeAdded } = metrics;
  const tools = { clock, random: systemRandom, emit, quarantine, observeAdded };
  const gateway = await startGateway(gatewayOptions(config), tools);
  metrics.sessionsFrom(() => gateway.sessionCount());
  for (const listener of gateway.listeners) {
    // Profile 0 is all there is so far, and it is said at every start.
    const { name, address } = listener;
    emit({ name: 'ListenerUnauthenticated', listener: name, address });
  }

  let admin: AdminServer;
  try {
    admin = await startAdminServer({
      ...config.admin.address,
      gateway,
      metrics: () => metrics.registry.metrics(),
      metricsContentType: metrics.registry.contentType,
    });
  } catch (error) {
    await gateway.stop();
    throw error;
  }
  return {
    gateway,
    admin,
    stop: async () => {
      await gateway.stop();
      await quarantine.close();
      await admin.close();
    },
  };
}
