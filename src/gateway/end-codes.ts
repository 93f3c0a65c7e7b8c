import type { SocketEnd } from '../connection/peer-socket.ts';
import type { CloseErrorCode } from '../errors/catalogue.ts';
import type { Peer } from '../ocpp/version.ts';

/** What the end of one connection means. */
interface EndCodes {
  /** For the log. */
  readonly code: CloseErrorCode;
  /** For the peer that is still there. */
  readonly toOther: CloseErrorCode;
}

/** What is said when a connection ends by itself, by the side that it was to. */
export const endCodes: Readonly<Record<Peer, Readonly<Record<SocketEnd['why'], EndCodes>>>> = {
  charger: {
    closed: { code: 'CHARGER_GONE', toOther: 'CHARGER_GONE' },
    failed: { code: 'CHARGER_GONE', toOther: 'CHARGER_GONE' },
    silent: { code: 'PEER_SILENT', toOther: 'CHARGER_GONE' },
    stalled: { code: 'PEER_STALLED', toOther: 'CHARGER_GONE' },
    misframed: { code: 'CHARGER_MISBEHAVED', toOther: 'CHARGER_MISBEHAVED' },
  },
  csms: {
    closed: { code: 'CSMS_GONE', toOther: 'CSMS_GONE' },
    failed: { code: 'CSMS_GONE', toOther: 'CSMS_GONE' },
    silent: { code: 'PEER_SILENT', toOther: 'CSMS_GONE' },
    stalled: { code: 'PEER_STALLED', toOther: 'CSMS_GONE' },
    misframed: { code: 'CSMS_MISBEHAVED', toOther: 'CSMS_MISBEHAVED' },
  },
};
