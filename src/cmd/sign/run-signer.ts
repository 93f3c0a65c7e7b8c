import path from 'node:path';
import type { SignerConfig } from '../../config/schema/signer.ts';
import type { Arrival } from '../../connection/arrival.ts';
import { openChargerListener } from '../../connection/charger-listener.ts';
import {
  type CsmsAuthorization,
  type CsmsDialer,
  csmsDialer,
} from '../../connection/csms-dialer.ts';
import type { SocketLimits } from '../../connection/limits.ts';
import { watchCsmsTls } from '../../connection/watch-csms-tls.ts';
import { type EventSink, teeSink } from '../../events/emit.ts';
import { limitLog } from '../../events/log-limit.ts';
import { jsonLogger, type LogDestination, logSink } from '../../events/log-sink.ts';
import type { BasicEvidence } from '../../identity/basic-auth.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { isOcppVersion } from '../../ocpp/version.ts';
import type { SigningKey } from '../../signing/signing-key.ts';
import { SignedRelay } from './signed-relay.ts';

/** A signer that is running. */
export interface RunningSigner {
  readonly address: string;
  readonly port: number;
  /** Refuses new connections, lets open calls finish, and ends. */
  stop(): Promise<void>;
}

/** What the command line gives a signer beside its configuration. */
export interface SignerOptions {
  /** Paths in the configuration are relative to this file. */
  readonly configFile: string;
  readonly key: SigningKey;
  readonly log: LogDestination;
  /** Hears every event, unlimited. */
  readonly observer?: EventSink;
}

/** Enough to see what somebody does, too little to fill a disk. */
const logLimits = {
  perSource: { burst: 50, perSecond: 2 },
  total: { burst: 5_000, perSecond: 200 },
};

/**
 * Runs the proxy that `config` describes.
 *
 * @throws the system's error when the address cannot be had; an Error that names the file when one
 * of TLS cannot be used.
 */
export async function runSigner(
  config: SignerConfig,
  options: SignerOptions,
): Promise<RunningSigner> {
  const clock = systemClock();
  const log = limitLog(logSink(jsonLogger(config.logLevel, options.log)), logLimits, clock);
  const emit = teeSink(options.observer === undefined ? [log] : [log, options.observer]);
  const at = (file: string): string => path.resolve(path.dirname(options.configFile), file);
  const { csms, limits, listener, signing } = config;
  const socketLimits: SocketLimits = {
    frameBytesMax: limits.frameBytesMax,
    pingSeconds: limits.pingSeconds,
    pongSeconds: limits.pongSeconds,
    silentSeconds: limits.silentSeconds,
    stallSeconds: limits.stallSeconds,
  };
  const { caFile, dangerouslyAcceptAnyCertificate, pinnedSha256, serverName } = csms.tls;
  const csmsTls = await watchCsmsTls(
    {
      caFile: caFile === undefined ? undefined : at(caFile),
      serverName,
      pinnedSha256,
      acceptsAnyCertificate: dangerouslyAcceptAnyCertificate,
    },
    clock,
    emit,
  );
  const { connectTimeoutSeconds, retryAfterSeconds, url } = csms;
  const tls = () => csmsTls.current();
  const dial = csmsDialer({ url, connectTimeoutSeconds, tls }, socketLimits, clock);
  const sessions = new SignerSessions({ dial, retryAfterSeconds, clock, emit, config, options });
  const open = openChargerListener(
    {
      name: listener.name,
      // Whether the charger may connect is for the CSMS to say, and for the gateway: it gets the
      // credential as it came.
      securityProfile: listener.tls === undefined ? 1 : 2,
      doors: [
        {
          at: listener.address,
          connectionsMax: limits.connectionsMax,
          connectionsPerAddressMax: limits.connectionsPerAddressMax,
        },
      ],
      paths: [listener.path],
      identity: { from: 'path' },
      limits: socketLimits,
      handshakeSeconds: limits.handshakeSeconds,
      tls: listener.tls && {
        certificates: listener.tls.certificates.map(({ certFile, keyFile }) => ({
          certFile: at(certFile),
          keyFile: at(keyFile),
        })),
      },
    },
    (arrival) => sessions.take(arrival),
    emit,
    clock,
  );
  const opened = await open.catch((error: unknown) => {
    csmsTls.close();
    throw error;
  });
  if (dangerouslyAcceptAnyCertificate) {
    emit({ name: 'CsmsVerificationOff', csms: new URL(url).origin });
  }
  const { algorithm, format } = signing;
  const csmsOrigin = new URL(url).origin;
  emit({ name: 'SignerStarted', listener: opened.address, csms: csmsOrigin, format, algorithm });
  return {
    address: opened.address,
    port: opened.port,
    stop: async () => {
      await opened.close();
      const sessionsCut = await sessions.drain(config.drainSeconds);
      csmsTls.close();
      emit({ name: 'SignerStopped', sessionsCut });
    },
  };
}

interface SessionsTools {
  readonly dial: CsmsDialer;
  readonly retryAfterSeconds: number;
  readonly clock: Clock;
  readonly emit: EventSink;
  readonly config: SignerConfig;
  readonly options: SignerOptions;
}

/** The relays of all chargers. */
class SignerSessions {
  readonly #tools: SessionsTools;
  readonly #relays = new Set<SignedRelay>();
  #isStopping = false;
  #onEmpty: (() => void) | undefined;

  constructor(tools: SessionsTools) {
    this.#tools = tools;
  }

  /** Connects a charger through, or refuses it. */
  take(arrival: Arrival): void {
    void this.#connect(arrival).catch((error: unknown) => {
      // What we broke ends this connection, and no other.
      this.#tools.emit({ name: 'SessionFailed', charger: arrival.request.unverifiedId, error });
      arrival.refuse('SESSION_FAILED');
    });
  }

  /** @returns how many connections had an open call when the time was up. */
  async drain(seconds: number): Promise<number> {
    this.#isStopping = true;
    const emptied = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const relay of [...this.#relays]) relay.drain();
    if (this.#relays.size === 0) return 0;
    let cut = 0;
    const deadline = this.#tools.clock.after(seconds * 1000, () => {
      cut = this.#relays.size;
      for (const relay of [...this.#relays]) relay.stop();
    });
    await emptied;
    deadline.cancel();
    return cut;
  }

  async #connect(arrival: Arrival): Promise<void> {
    const { config, dial, emit, options, retryAfterSeconds } = this.#tools;
    const { basic, offered, remoteAddress, unverifiedId: charger } = arrival.request;
    if (this.#isStopping) {
      arrival.refuse('GATEWAY_STOPPING', retryAfterSeconds);
      return;
    }
    const authorization = authorizationFrom(basic);
    if (authorization === 'malformed') {
      arrival.refuse('UPGRADE_MALFORMED');
      return;
    }
    const versions = [...new Set(offered.filter(isOcppVersion))];
    if (versions.length === 0) {
      arrival.refuse(offered.length === 0 ? 'SUBPROTOCOL_MISSING' : 'SUBPROTOCOL_NONE_IN_COMMON');
      return;
    }
    const dialled = await dial({ id: charger, versions, signal: arrival.gone, authorization });
    if (!dialled.ok) {
      const { code, detail } = dialled.error;
      if (arrival.gone.aborted) return;
      emit({ name: 'CsmsDialFailed', charger, code, detail });
      arrival.refuse(code, retryAfterSeconds, detail);
      return;
    }
    const { socket: csms, version } = dialled.value;
    if (this.#isStopping) {
      csms.destroy();
      arrival.refuse('GATEWAY_STOPPING', retryAfterSeconds);
      return;
    }
    const socket = await arrival.accept(version);
    if (socket === undefined) {
      csms.destroy();
      return;
    }
    const tools = {
      format: config.signing.format,
      key: options.key,
      clock: this.#tools.clock,
      random: systemRandom,
      emit,
    };
    const relay = new SignedRelay(charger, { charger: socket, csms }, tools, () => {
      this.#relays.delete(relay);
      if (this.#relays.size === 0) this.#onEmpty?.();
    });
    this.#relays.add(relay);
    emit({ name: 'SignerSessionOpened', charger, version, remoteAddress });
    relay.start();
    if (this.#isStopping) relay.drain();
  }
}

/** The credential of the gateway or the charger, for the CSMS. */
function authorizationFrom(basic: BasicEvidence): CsmsAuthorization | undefined | 'malformed' {
  switch (basic.is) {
    case 'absent':
      return undefined;
    case 'malformed':
      return 'malformed';
    case 'basic': {
      const colon = basic.credential.indexOf(0x3a);
      const user = basic.credential.toString('utf8', 0, colon);
      return { user, password: basic.credential.subarray(colon + 1) };
    }
  }
}
