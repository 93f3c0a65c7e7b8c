import { credentialEvents } from './credential-events.ts';
import type { EventEntry } from './event-entry.ts';
import type { EventFields } from './fields.ts';
import { rampEvents } from './ramp-events.ts';
import { signingEvents } from './signing-events.ts';

/** The name of an event. */
export type EventName = keyof EventFields;

/** One event, with its name as tag. */
export type GatewayEvent = {
  readonly [Name in EventName]: { readonly name: Name } & EventFields[Name];
}[EventName];

/** The catalogue. `docs/events.md` is generated from it. */
export const events: Readonly<Record<EventName, EventEntry>> = {
  GatewayStarted: {
    level: 'info',
    isAudited: true,
    meaning: 'The gateway accepts chargers.',
    remedy: 'Nothing.',
  },
  GatewayStopping: {
    level: 'info',
    isAudited: true,
    meaning: 'The gateway refuses new chargers and lets open calls finish.',
    remedy: 'Nothing.',
  },
  GatewayStopped: {
    level: 'info',
    isAudited: true,
    meaning: 'All sessions are closed. `sessionsCut` of them had an open call.',
    remedy: 'Raise `gateway.drainSeconds` if sessions were cut.',
  },
  ListenerUnauthenticated: {
    level: 'warn',
    isAudited: true,
    meaning: 'This listener lets anybody in who knows the identity of a charger.',
    remedy: 'Use it in a laboratory or behind another protection only.',
  },
  UpgradeRefused: {
    level: 'warn',
    isAudited: true,
    meaning: 'A connection was refused before it became a WebSocket.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  IdentityOutOfPlace: {
    level: 'error',
    isAudited: true,
    meaning:
      'A charger has come from another network than the one that its identity is bound to, and was ' +
      'refused.',
    remedy:
      'Find out what is plugged in at that network: whoever has the identity of another charger, and ' +
      'perhaps its password, is no charger that works.',
  },
  IsolatedNetworkServed: {
    level: 'info',
    isAudited: false,
    meaning: 'The gateway listens in this network, in a namespace of its own.',
    remedy: 'Nothing.',
  },
  IsolatedNetworkFailed: {
    level: 'error',
    isAudited: false,
    meaning: 'Chargers of this network cannot connect; the gateway tries again each few seconds.',
    remedy: 'The detail says why. `gatewatt network status` shows how things stand.',
  },
  IsolatedInterfaceReturned: {
    level: 'warn',
    isAudited: false,
    meaning:
      'The interface of this network had gone, has come back in the network of the machine, and was ' +
      'moved into its namespace again.',
    remedy: 'If it comes and goes, look at its cable or at whatever makes it.',
  },
  OpenFilesFew: {
    level: 'info',
    isAudited: false,
    meaning:
      'The process may have too few open files for `limits.connectionsMax`: a charger takes two. No ' +
      'listener takes more than `connectionsMax` connections.',
    remedy:
      'Nothing, while there are fewer chargers. Otherwise raise the limit (LimitNOFILE, ulimit -n).',
  },
  NetworksNotIsolated: {
    level: 'info',
    isAudited: false,
    meaning:
      'Chargers of these listeners share a network with each other: the gateway cannot keep one from ' +
      'attacking another there.',
    remedy:
      'On a machine with the network of the chargers behind it, use `isolation`. In a cloud, whatever ' +
      'carries the chargers there has to keep them apart.',
  },
  CsmsDialFailed: {
    level: 'warn',
    isAudited: true,
    meaning: 'The CSMS did not take the connection of a charger.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  CsmsDialsWaiting: {
    level: 'warn',
    isAudited: true,
    meaning:
      'So many chargers came together that some wait longer than a second for their turn to be ' +
      'connected to the CSMS. Those that would wait for too long are refused.',
    remedy:
      'Nothing, after a restart or a failure of a network. If it is daily work, raise ' +
      '`csms.dialsPerSecond`, as far as the CSMS bears it.',
  },
  CsmsDialsCaughtUp: {
    level: 'info',
    isAudited: true,
    meaning: 'No charger waits any more for its turn to be connected to the CSMS.',
    remedy: 'Nothing.',
  },
  DuplicateIdentity: {
    level: 'warn',
    isAudited: true,
    meaning: 'A second connection claimed an identity that is connected.',
    remedy: 'If the newcomer was refused: two chargers with one identity, or an impostor.',
  },
  SessionOpened: {
    level: 'info',
    isAudited: true,
    meaning: 'A charger is connected through to the CSMS.',
    remedy: 'Nothing.',
  },
  SessionClosed: {
    level: 'info',
    isAudited: true,
    meaning: 'Both connections of a charger are closed.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  SessionFailed: {
    level: 'error',
    isAudited: true,
    meaning: 'A defect of the gateway ended one session; the others go on.',
    remedy: 'Report it, with this entry.',
  },
  ChargerDescribed: {
    level: 'info',
    isAudited: true,
    meaning: 'A BootNotification said what the charger is. Nobody has verified it.',
    remedy: 'Nothing. Rule overrides match on it.',
  },
  FrameAdmitted: {
    level: 'none',
    isAudited: false,
    meaning: 'A message passed all rules.',
    remedy: 'Nothing.',
  },
  FrameFlagged: {
    level: 'info',
    isAudited: false,
    meaning: 'A message broke a rule that only watches, and passed.',
    remedy: 'Decide whether the rule should be enforced, or turned off, for this model.',
  },
  FrameRefused: {
    level: 'warn',
    isAudited: true,
    meaning:
      'A message broke a rule and was not passed on. The quarantine has it whole, unless this ' +
      'charger has had more than its share of refusals.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  FrameRewritten: {
    level: 'info',
    isAudited: true,
    meaning: 'A handler changed a message on purpose.',
    remedy: 'Nothing.',
  },
  CallRetried: {
    level: 'debug',
    isAudited: false,
    meaning: 'A call came again while its first copy was open; one copy is enough.',
    remedy: 'Nothing, unless it happens often: then an answer takes too long.',
  },
  CallRefused: {
    level: 'warn',
    isAudited: true,
    meaning: 'A call kept all rules, but could not be passed on or got no answer in time.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  QuarantineFailed: {
    level: 'error',
    isAudited: true,
    meaning:
      'A refused message could not be written to the quarantine. It was refused all the same.',
    remedy: 'See why the database is away, or slow.',
  },
  EventsSuppressed: {
    level: 'warn',
    isAudited: true,
    meaning: 'So many events of one kind came that some were counted but not logged.',
    remedy: 'Look at who causes the ones that are logged. The metrics count every event.',
  },
  FrameRecorded: {
    level: 'none',
    isAudited: true,
    meaning: 'A message passed, and this charger was told to have its messages recorded.',
    remedy: 'Nothing. `gatewatt charger set ID --no-record-messages` ends it.',
  },
  StoreUnavailable: {
    level: 'error',
    isAudited: true,
    meaning:
      'The database does not answer or cannot write. Connected chargers go on; new connections ' +
      'are refused, and what there is to write waits in memory.',
    remedy: 'Free the disk, or bring the database server back. The gateway notices by itself.',
  },
  StoreRestored: {
    level: 'info',
    isAudited: true,
    meaning: 'The database works again.',
    remedy: 'Nothing.',
  },
  ClaimLost: {
    level: 'warn',
    isAudited: true,
    meaning:
      'Another gateway has this charger now, because this one did not renew its lease in time. ' +
      'The connection here is ended.',
    remedy: 'If it happens often, look at the connection to the database.',
  },
  IdentityQuarantined: {
    level: 'error',
    isAudited: true,
    meaning: 'Nobody may connect with this identity for some time.',
    remedy:
      'Find out who fights over the identity: two chargers with one name, or an impostor. Then ' +
      '`gatewatt charger release ID`.',
  },
  IdentityReleased: {
    level: 'info',
    isAudited: true,
    meaning: 'An identity that was quarantined may connect again.',
    remedy: 'Nothing.',
  },
  ChargerEnrolled: {
    level: 'warn',
    isAudited: true,
    meaning: 'An unknown charger was let in and recorded, as `chargers.unknown: enroll` says.',
    remedy: 'Set `chargers.unknown: reject` once all chargers have connected.',
  },
  ChargerAdded: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator added a charger.',
    remedy: 'Nothing.',
  },
  ChargerChanged: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator changed what is known of a charger.',
    remedy: 'Nothing.',
  },
  ChargerRemoved: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator removed a charger.',
    remedy: 'Nothing.',
  },
  QuarantinedFrameReleased: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator took a refused message out of the quarantine.',
    remedy: 'Nothing.',
  },
  KnowledgeLost: {
    level: 'error',
    isAudited: true,
    meaning:
      'The gateway has stopped while the database was away. What `count` chargers had done lately ' +
      'is not in it, and they may have to wait for the lease to run out.',
    remedy: 'Nothing: it is learned again from the next messages.',
  },
  HousekeepingFailed: {
    level: 'error',
    isAudited: false,
    meaning: 'A defect of the gateway kept it from a chore, such as noticing changes of operators.',
    remedy: 'Report it, with this entry.',
  },
  AuditFailed: {
    level: 'error',
    isAudited: true,
    meaning:
      'Audit records could not be written, although the database is there. They wait in memory ' +
      'and are tried again, unless the gateway has stopped.',
    remedy: 'Report it, with this entry.',
  },
  AuditGap: {
    level: 'error',
    isAudited: true,
    meaning:
      'So many records came while the database was away that the last of them were only counted.',
    remedy: 'The log of that time has them. See why the database was away.',
  },
  AuditPruned: {
    level: 'debug',
    isAudited: true,
    meaning: 'The oldest audit records were deleted, because they were too old or too many.',
    remedy: 'Export them before, if they must be kept: `gatewatt audit export`.',
  },
  ...credentialEvents,
  ...rampEvents,
  ...signingEvents,
};
