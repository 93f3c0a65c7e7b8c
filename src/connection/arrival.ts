import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { SecurityProfile } from '../chargers/charger-entry.ts';
import type { HttpErrorCode } from '../errors/catalogue.ts';
import { type HttpOptions, type HttpRefusal, toHttp } from '../errors/to-http.ts';
import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import type { ClientTrust } from '../pki/trust.ts';
import { answerHttp } from './http-answer.ts';
import {
  bufferedChunksMax,
  closing,
  compression,
  fragmentsMax,
  type SocketLimits,
} from './limits.ts';
import type { ListenerCertificates } from './listener-certificates.ts';
import { PeerSocket } from './peer-socket.ts';
import type { UpgradeRequest } from './upgrade-request.ts';

/** A charger at the door. Exactly one of `accept` and `refuse` must be called, once. */
export interface Arrival {
  readonly request: UpgradeRequest;
  readonly listener: string;
  /** The isolated network that it came through; undefined for that of the gateway itself. */
  readonly network: string | undefined;
  readonly securityProfile: SecurityProfile;
  /** Aborted when the charger goes away before it was answered. */
  readonly gone: AbortSignal;
  /**
   * Whose certificates count here at this moment; undefined where none is asked for. Ask again for
   * each decision: its files may have changed.
   */
  clientTrust(): ClientTrust | undefined;
  /**
   * Answers 101.
   *
   * @param version the subprotocol to name; undefined for a charger that offered none.
   * @param pingSeconds overrides the listener's.
   * @returns undefined when the charger has gone meanwhile.
   */
  accept(
    version: OcppVersion | undefined,
    pingSeconds?: number | undefined,
  ): Promise<PeerSocket | undefined>;
  /**
   * Answers with an HTTP error and closes.
   *
   * @param detail for the operator; the peer does not get it.
   */
  refuse(code: HttpErrorCode, retryAfterSeconds?: number, detail?: string): void;
}

/** An upgrade as Node.js hands it over. */
export interface RawUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** What the charger is told of a refusal. */
export type Refusals = (code: HttpErrorCode, options?: HttpOptions) => HttpRefusal;

/** What an arrival needs of its door. */
export interface ArrivalContext {
  readonly listener: string;
  readonly network: string | undefined;
  readonly securityProfile: SecurityProfile;
  readonly limits: SocketLimits;
  readonly certificates: ListenerCertificates | undefined;
  readonly emit: EventSink;
  readonly refusal: Refusals;
  readonly report: (code: HttpErrorCode, socket: Duplex, detail?: string) => void;
  readonly clock: Clock;
}

/** Makes an arrival of an upgrade that was read. */
export function arrivalFrom(
  upgrade: UpgradeRequest,
  { request, socket, head }: RawUpgrade,
  context: ArrivalContext,
): Arrival {
  const { certificates, clock, emit, listener, network, refusal, report } = context;
  const gone = new AbortController();
  const onGone = (): void => gone.abort();
  socket.on('close', onGone);
  // Who ends its side before the answer has gone, though Node would keep the other side open: it
  // would hold its identity until the CSMS has answered.
  const onHalfClosed = (): void => {
    socket.destroy();
  };
  socket.on('end', onHalfClosed);
  return {
    request: upgrade,
    listener,
    network,
    securityProfile: context.securityProfile,
    gone: gone.signal,
    clientTrust: () => certificates?.clientTrust(),
    accept: (version, pingSeconds) =>
      new Promise((resolve) => {
        if (gone.signal.aborted) {
          resolve(undefined);
          return;
        }
        socket.off('end', onHalfClosed);
        const onLost = (): void => resolve(undefined);
        socket.once('close', onLost);
        const limits = { ...context.limits };
        if (pingSeconds !== undefined) limits.pingSeconds = pingSeconds;
        // ws would read the charger's list again, in its own way.
        if (version !== undefined) request.headers['sec-websocket-protocol'] = version;
        const server = upgrader(limits.frameBytesMax, version);
        // What only ws checks: the extensions.
        server.once('wsClientError', () => {
          report('UPGRADE_MALFORMED', socket, 'extensions');
          answerHttp(socket, toHttp('UPGRADE_MALFORMED'));
        });
        const { clientCertificate } = upgrade;
        if (clientCertificate !== undefined) certificates?.remember(clientCertificate);
        server.handleUpgrade(request, socket, head, (webSocket) => {
          // What the request was would stay as long as the connection.
          socket.off('close', onGone);
          socket.off('close', onLost);
          const opened = { socket: webSocket, stream: socket, isClient: false };
          resolve(new PeerSocket(opened, limits, clock));
        });
      }),
    refuse: (code, retryAfterSeconds, detail) => {
      const { remoteAddress, unverifiedId: charger } = upgrade;
      emit({ name: 'UpgradeRefused', code, listener, remoteAddress, charger, detail });
      answerHttp(socket, refusal(code, { retryAfterSeconds }));
    },
  };
}

/** ws needs a server object for each set of options; it holds no connection and no state. */
function upgrader(frameBytesMax: number, version: OcppVersion | undefined): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: frameBytesMax,
    maxFragments: fragmentsMax,
    maxBufferedChunks: bufferedChunksMax,
    ...closing,
    perMessageDeflate: compression,
    skipUTF8Validation: false,
    autoPong: false,
    handleProtocols: () => version ?? false,
  });
}
