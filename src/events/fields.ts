import type { ErrorCode } from '../errors/catalogue.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';

/**
 * Everything that the gateway reports of itself. Logs and metrics are made from events and from
 * nothing else, so that what is counted is what is written.
 *
 * `charger` is the identity as the charger wrote it: bounded and printable by construction.
 * `remoteAddress` is the address of the peer, and behind an @ the isolated network that it came
 * through, if any: `192.168.1.5@bay-1`. `detail` never holds what a peer sent.
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
  readonly CsmsDialsWaiting: { readonly dialsPerSecond: number };
  readonly CsmsDialsCaughtUp: { readonly longestWaitSeconds: number };
  readonly DuplicateIdentity: {
    readonly charger: string;
    readonly remoteAddress: string;
    readonly outcome: 'newcomer-refused' | 'older-replaced';
  };
  readonly IdentityOutOfPlace: {
    readonly charger: string;
    readonly remoteAddress: string;
    /** The isolated network that it has come from; undefined for the one of the gateway. */
    readonly network: string | undefined;
  };
  readonly IsolatedNetworkServed: { readonly network: string; readonly interface: string };
  readonly IsolatedNetworkFailed: { readonly network: string; readonly detail: string };
  readonly IsolatedInterfaceReturned: { readonly network: string; readonly interface: string };
  readonly OpenFilesFew: { readonly openFilesMax: number; readonly connectionsMax: number };
  readonly NetworksNotIsolated: { readonly listeners: readonly string[] };
  readonly SessionOpened: {
    readonly charger: string;
    readonly version: OcppVersion;
    readonly listener: string;
    readonly remoteAddress: string;
    readonly securityProfile: number;
    /** What the charger has authenticated itself with. */
    readonly credential:
      | 'none'
      | 'password'
      | 'default password'
      | 'first password'
      | 'certificate';
    /** Why only a few messages are passed on; undefined when all are. */
    readonly restriction?: 'default-password' | 'expired-certificate' | undefined;
  };
  readonly TlsHandshakeFailed: {
    readonly listener: string;
    readonly remoteAddress: string;
    /** As OCPP names such security events, where it does. */
    readonly finding:
      | 'InvalidTLSVersion'
      | 'InvalidTLSCipherSuite'
      | 'NotTls'
      | 'TimedOut'
      | 'Other';
    /** The code of the TLS library. */
    readonly detail: string;
  };
  readonly TlsCertificatesLoaded: {
    readonly listener: string;
    /** Type of key and end of validity of each. */
    readonly certificates: readonly string[];
  };
  readonly TlsReloadFailed: { readonly listener: string; readonly detail: string };
  readonly TlsCertificateExpiring: { readonly listener: string; readonly notAfter: string };
  readonly RevocationListStale: { readonly listener: string; readonly nextUpdate: string };
  readonly CsmsVerificationOff: { readonly csms: string };
  readonly SecurityProfileRaised: {
    readonly charger: string;
    readonly from: number;
    readonly to: number;
  };
  readonly SecurityProfileFallback: {
    readonly charger: string;
    readonly remoteAddress: string;
    readonly profile: number;
    /** What it is to use. */
    readonly candidate: number;
    /** How often it has fallen back since it was told. */
    readonly count: number;
  };
  readonly DefaultPasswordUsed: {
    readonly charger: string;
    readonly remoteAddress: string;
    readonly batch: string;
  };
  readonly CredentialLearned: {
    readonly charger: string;
    readonly remoteAddress: string;
    readonly credential: 'password' | 'certificate';
  };
  readonly PasswordChangeSent: { readonly charger: string; readonly by: 'gateway' | 'csms' };
  readonly PasswordChangeAccepted: { readonly charger: string; readonly by: 'gateway' | 'csms' };
  readonly PasswordChangeFailed: {
    readonly charger: string;
    readonly by: 'gateway' | 'csms';
    readonly outcome: string;
  };
  readonly PasswordChangeConfirmed: { readonly charger: string; readonly remoteAddress: string };
  readonly PasswordOldUsed: { readonly charger: string; readonly remoteAddress: string };
  readonly ChargerSecurityEvent: {
    readonly charger: string;
    readonly version: OcppVersion;
    /** The name, if OCPP has it, and `unknown` otherwise. */
    readonly type: string;
    readonly isCritical: boolean;
    /** What the charger says of it: name and `techInfo`, without secrets. */
    readonly report: string;
  };
  readonly SigningKeysLoaded: {
    /** The kind of each key and the beginning of its hash. */
    readonly keys: readonly string[];
  };
  readonly SigningKeysReloadFailed: { readonly detail: string };
  readonly SignatureDemandsRelaxed: { readonly notDemanded: readonly string[] };
  readonly SignerStarted: {
    readonly listener: string;
    readonly csms: string;
    readonly format: string;
    readonly algorithm: string;
  };
  readonly SignerStopped: { readonly sessionsCut: number };
  readonly SignerSessionOpened: {
    readonly charger: string;
    readonly version: OcppVersion;
    readonly remoteAddress: string;
  };
  readonly SignerSessionClosed: {
    readonly charger: string;
    readonly code: ErrorCode;
    readonly endedBy: Peer | 'gateway';
    readonly signed: number;
    readonly peerCloseCode?: number | undefined;
  };
  readonly FrameNotSigned: { readonly charger: string; readonly reason: string };
  readonly PasswordSet: AdministrativeAct & { readonly origin: string };
  readonly CsmsPasswordSet: AdministrativeAct;
  readonly CertificateBound: AdministrativeAct & { readonly binding: string };
  readonly CertificateUnbound: AdministrativeAct & { readonly binding: string };
  readonly DefaultPasswordAllowed: AdministrativeAct;
  readonly RotationRequested: AdministrativeAct;
  readonly ProfileRaiseRequested: AdministrativeAct & { readonly to: number };
  readonly ChargersImported: {
    readonly by: string;
    readonly count: number;
    /** SHA-256 of the file, hexadecimal. */
    readonly fileSha256: string;
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
  readonly FrameRecorded: {
    readonly charger: string;
    readonly from: Peer;
    readonly version: OcppVersion;
    /** The message as text, without its secrets. */
    readonly frame: string;
  };
  readonly StoreUnavailable: { readonly detail: string };
  readonly StoreRestored: Readonly<Record<never, never>>;
  readonly ClaimLost: { readonly charger: string };
  readonly IdentityQuarantined: {
    readonly charger: string;
    readonly reason: string;
    /** RFC 3339. */
    readonly until: string;
    readonly by: string;
  };
  readonly IdentityReleased: { readonly charger: string; readonly by: string };
  readonly ChargerEnrolled: { readonly charger: string; readonly remoteAddress: string };
  readonly ChargerAdded: AdministrativeAct & { readonly settings: unknown };
  readonly ChargerChanged: AdministrativeAct & { readonly settings: unknown };
  readonly ChargerRemoved: AdministrativeAct;
  readonly QuarantinedFrameReleased: AdministrativeAct & { readonly frameId: string };
  readonly KnowledgeLost: { readonly count: number };
  readonly HousekeepingFailed: { readonly error: unknown };
  readonly AuditFailed: { readonly detail: string };
  readonly AuditGap: { readonly count: number };
  readonly AuditPruned: {
    readonly count: number;
    /** Number and hash of the last record that was pruned. */
    readonly throughSequence: number;
    readonly hash: string;
  };
  readonly ChargerMessageSigned: {
    readonly charger: string;
    readonly version: OcppVersion;
    readonly verdict: 'verified' | 'unknown-key' | 'wrong' | 'unverifiable';
  };
  readonly LoadCommandHeld: LoadCommand & {
    /** Why it waits: a budget, the dwell time, an earlier command, and so on. */
    readonly reason: string;
    /** As far as is known by now; undefined when nobody can tell. */
    readonly waitSeconds: number | undefined;
    /** Has the gateway answered the CSMS for the charger? */
    readonly answered: boolean;
  };
  readonly LoadCommandReleased: LoadCommand & {
    readonly waitedSeconds: number;
    /** What it was counted as. */
    readonly upKw: number;
    readonly downKw: number;
    readonly lane: LoadLane;
  };
  readonly LoadCommandRefused: LoadCommand & { readonly code: ErrorCode };
  readonly LoadCommandExpired: LoadCommand & { readonly wasAnswered: boolean };
  readonly LoadCommandReconciled: {
    readonly charger: string;
    readonly action: string;
    readonly waitedSeconds: number;
  };
  readonly LoadCommandMismatch: {
    readonly charger: string;
    readonly action: string;
    /** The status that the gateway has answered with. */
    readonly told: string;
    /** What became of the command: a status that OCPP knows, or a word of the gateway. */
    readonly outcome: string;
  };
  readonly LoadCommandsCancelledOut: {
    readonly charger: string;
    /** In their order. */
    readonly actions: readonly string[];
  };
  readonly LoadCommandSuperseded: { readonly charger: string; readonly action: string };
  readonly LoadCommandUnclear: { readonly charger: string; readonly action: string };
  readonly LoadStepShifted: LoadCommand & { readonly shiftSeconds: number };
  readonly LoadCommandOversized: LoadCommand & { readonly kw: number; readonly budgetKw: number };
  readonly LoadPacingWouldHold: LoadCommand & {
    readonly waitSeconds: number | undefined;
    /** Why it would have been refused; undefined when it would have waited. */
    readonly code?: ErrorCode | undefined;
  };
  readonly EmergencyLaneUsed: LoadCommand & { readonly reason: string };
  readonly FeederOscillating: {
    readonly feeder: string;
    readonly reversals: number;
    readonly windowSeconds: number;
  };
  readonly FeederCalm: { readonly feeder: string };
  readonly RampFeedersMissing: {
    /** What all chargers have together; undefined when only kW count. */
    readonly commandsPerInterval: number | undefined;
    readonly intervalSeconds: number;
  };
  readonly RampLimiterOff: Readonly<Record<never, never>>;
  readonly LoadCommandCancelled: AdministrativeAct & {
    readonly commandId: string;
    readonly reason: string;
  };
  readonly LoadCommandReleaseRequested: AdministrativeAct & {
    readonly commandId: string;
    readonly lane?: LoadLane | undefined;
    readonly reason: string;
  };
  readonly FeederLifted: FeederAct & {
    /** RFC 3339. */
    readonly until: string;
    /** For each interval of the feeder; undefined for no limit but the ceiling. */
    readonly upKw: number | undefined;
    readonly downKw: number | undefined;
    readonly commands: number | undefined;
    readonly reason?: string | undefined;
  };
  readonly FeederLiftEnded: FeederAct;
}

/** A command of the CSMS that changes load. */
export interface LoadCommand {
  readonly charger: string;
  readonly action: string;
  /** The one whose budget decided; else the one that the charger hangs on. */
  readonly feeder: string;
}

/** `released`: in front of the others, within the budgets. `emergency`: with the reserve as well. */
export type LoadLane = 'ordinary' | 'released' | 'emergency';

/** What somebody did with a feeder. */
export interface FeederAct {
  readonly feeder: string;
  /** The account of the operating system; `gateway` for what ends by itself. */
  readonly by: string;
}

/** What somebody did with the command line. */
export interface AdministrativeAct {
  readonly charger: string;
  /** The account of the operating system. */
  readonly by: string;
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
