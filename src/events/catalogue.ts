import type { ErrorCode } from '../errors/catalogue.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';

/**
 * Everything that the gateway reports of itself. Logs and metrics are made from events and from
 * nothing else, so that what is counted is what is written.
 *
 * `charger` is the identity as the charger wrote it: bounded and printable by construction.
 * `detail` never holds what a peer sent.
 */
export interface EventFields {
  readonly GatewayStarted: { readonly listeners: readonly string[]; readonly csms: string };
  readonly GatewayStopping: { readonly sessions: number };
  readonly GatewayStopped: { readonly sessionsCut: number };
  readonly ListenerUnauthenticated: { readonly listener: string; readonly address: string };
  readonly UpgradeRefused: {
    readonly code: ErrorCode;
    readonly listener: string;
    readonly remoteAddress: string;
    readonly charger?: string | undefined;
    readonly detail?: string | undefined;
  };
  readonly CsmsDialFailed: {
    readonly charger: string;
    readonly code: ErrorCode;
    readonly detail: string;
  };
  readonly DuplicateIdentity: {
    readonly charger: string;
    readonly remoteAddress: string;
    readonly outcome: 'newcomer-refused' | 'older-replaced';
  };
  readonly SessionOpened: {
    readonly charger: string;
    readonly version: OcppVersion;
    readonly listener: string;
    readonly remoteAddress: string;
  };
  readonly SessionClosed: {
    readonly charger: string;
    readonly code: ErrorCode;
    readonly endedBy: Peer | 'gateway';
    readonly durationSeconds: number;
    readonly peerCloseCode?: number | undefined;
  };
  readonly SessionFailed: { readonly charger: string; readonly error: unknown };
  readonly ChargerDescribed: {
    readonly charger: string;
    readonly vendor: string | undefined;
    readonly model: string | undefined;
    readonly firmware: string | undefined;
  };
  readonly FrameAdmitted: {
    readonly charger: string;
    readonly from: Peer;
    readonly version: OcppVersion;
    readonly frameKind: string;
    readonly action: string | undefined;
  };
  readonly FrameFlagged: FrameFinding;
  readonly FrameRefused: FrameFinding & { readonly penalty: string };
  readonly FrameRewritten: {
    readonly charger: string;
    readonly from: Peer;
    readonly action: string;
    readonly handler: string;
  };
  readonly CallRetried: { readonly charger: string; readonly from: Peer };
  readonly CallRefused: {
    readonly charger: string;
    readonly from: Peer;
    readonly code: ErrorCode;
    readonly action: string | undefined;
  };
  readonly QuarantineFailed: { readonly detail: string };
  readonly EventsSuppressed: { readonly suppressed: string; readonly count: number };
}

/** One message that broke a rule. */
export interface FrameFinding {
  readonly charger: string;
  readonly from: Peer;
  readonly version: OcppVersion;
  readonly rule: string;
  readonly code: ErrorCode;
  readonly severity: string;
  readonly action: string | undefined;
  readonly detail: string;
}

/** The name of an event. */
export type EventName = keyof EventFields;

/** One event, with its name as tag. */
export type GatewayEvent = {
  readonly [Name in EventName]: { readonly name: Name } & EventFields[Name];
}[EventName];

/** How loud an event is. `none` is counted but not logged. */
export type EventLevel = 'none' | 'debug' | 'info' | 'warn' | 'error';

/** What an event means and what to do about it. */
export interface EventEntry {
  readonly level: EventLevel;
  readonly meaning: string;
  readonly remedy: string;
}

/** The catalogue. `docs/events.md` is generated from it. */
export const events: Readonly<Record<EventName, EventEntry>> = {
  GatewayStarted: {
    level: 'info',
    meaning: 'The gateway accepts chargers.',
    remedy: 'Nothing.',
  },
  GatewayStopping: {
    level: 'info',
    meaning: 'The gateway refuses new chargers and lets open calls finish.',
    remedy: 'Nothing.',
  },
  GatewayStopped: {
    level: 'info',
    meaning: 'All sessions are closed. `sessionsCut` of them had an open call.',
    remedy: 'Raise `gateway.drainSeconds` if sessions were cut.',
  },
  ListenerUnauthenticated: {
    level: 'warn',
    meaning: 'This listener lets anybody in who knows the identity of a charger.',
    remedy: 'Use it in a laboratory or behind another protection only.',
  },
  UpgradeRefused: {
    level: 'warn',
    meaning: 'A connection was refused before it became a WebSocket.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  CsmsDialFailed: {
    level: 'warn',
    meaning: 'The CSMS did not take the connection of a charger.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  DuplicateIdentity: {
    level: 'warn',
    meaning: 'A second connection claimed an identity that is connected.',
    remedy: 'If the newcomer was refused: two chargers with one identity, or an impostor.',
  },
  SessionOpened: {
    level: 'info',
    meaning: 'A charger is connected through to the CSMS.',
    remedy: 'Nothing.',
  },
  SessionClosed: {
    level: 'info',
    meaning: 'Both connections of a charger are closed.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  SessionFailed: {
    level: 'error',
    meaning: 'A defect of the gateway ended one session; the others go on.',
    remedy: 'Report it, with this entry.',
  },
  ChargerDescribed: {
    level: 'info',
    meaning: 'A BootNotification said what the charger is. Nobody has verified it.',
    remedy: 'Nothing. Rule overrides match on it.',
  },
  FrameAdmitted: {
    level: 'none',
    meaning: 'A message passed all rules.',
    remedy: 'Nothing.',
  },
  FrameFlagged: {
    level: 'info',
    meaning: 'A message broke a rule that only watches, and passed.',
    remedy: 'Decide whether the rule should be enforced, or turned off, for this model.',
  },
  FrameRefused: {
    level: 'warn',
    meaning:
      'A message broke a rule and was not passed on. The quarantine has it whole, unless this ' +
      'charger has had more than its share of refusals.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  FrameRewritten: {
    level: 'info',
    meaning: 'A handler changed a message on purpose.',
    remedy: 'Nothing.',
  },
  CallRetried: {
    level: 'debug',
    meaning: 'A call came again while its first copy was open; one copy is enough.',
    remedy: 'Nothing, unless it happens often: then an answer takes too long.',
  },
  CallRefused: {
    level: 'warn',
    meaning: 'A call kept all rules, but could not be passed on or got no answer in time.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  QuarantineFailed: {
    level: 'error',
    meaning:
      'A refused message could not be written to the quarantine. It was refused all the same.',
    remedy: 'Check the disk and the rights of `gateway.dataDir`.',
  },
  EventsSuppressed: {
    level: 'warn',
    meaning: 'So many events of one kind came that some were counted but not logged.',
    remedy: 'Look at who causes the ones that are logged. The metrics count every event.',
  },
};
