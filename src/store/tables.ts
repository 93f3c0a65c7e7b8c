import type { Selectable } from 'kysely';

/**
 * The tables that gateways share, for both databases.
 *
 * Times are Unix milliseconds, identities are in the spelling that `identityKey` gives them, and
 * documents are JSON in a text column: neither database looks into them.
 */
export interface Tables {
  readonly charger: ChargerTable;
  readonly charger_certificate: ChargerCertificateTable;
  readonly charger_change: ChargerChangeTable;
  readonly charger_credential: ChargerCredentialTable;
  readonly charger_memory: ChargerMemoryTable;
  readonly charger_transaction: ChargerTransactionTable;
  readonly claim: ClaimTable;
  readonly claim_notice: ClaimNoticeTable;
  readonly counter: CounterTable;
  readonly gateway_lease: GatewayLeaseTable;
  readonly audit_chain: AuditChainTable;
  readonly audit_record: AuditRecordTable;
  readonly quarantined_frame: QuarantinedFrameTable;
  readonly ramp_command: RampCommandTable;
  readonly ramp_entry: RampEntryTable;
  readonly ramp_fall: RampFallTable;
  readonly ramp_feeder: RampFeederTable;
  readonly signature_nonce: SignatureNonceTable;
}

/** What the operator and the charger itself have said about a charger. */
export interface ChargerTable {
  readonly identity_key: string;
  /** As the operator or the charger spells it. */
  readonly identity: string;
  /** Who put it here: `operator`, `enrolled` (chargers.unknown: enroll) or `configured`. */
  readonly origin: string;
  /** The operator's settings, as a JSON document; see `chargers/charger-entry.ts`. */
  readonly settings: string;
  readonly reported_vendor: string | null;
  readonly reported_model: string | null;
  readonly reported_serial: string | null;
  readonly reported_firmware: string | null;
  readonly created_ms: number;
  readonly first_seen_ms: number | null;
  readonly last_seen_ms: number | null;
}

/** What a charger authenticates itself with. It has no row until there is something to say. */
export interface ChargerCredentialTable {
  readonly identity_key: string;
  /** The highest OCPP security profile with which it has connected: a lower one is refused. */
  readonly used_profile: number;
  /** The profile that it was told to use, until it has done so. */
  readonly candidate_profile: number | null;
  readonly candidate_since_ms: number | null;
  /** How often it has come with a lower one since. */
  readonly fallbacks: number;
  /** See `identity/password-hash.ts`. */
  readonly password_hash: string | null;
  /** Who made it: see `chargers/charger-credential.ts`. */
  readonly password_origin: string | null;
  readonly password_set_ms: number | null;
  /** `raw` or `hex`: how the charger sent it last. */
  readonly password_form: string | null;
  /** A new password that the charger has not come with yet. The old one holds as well. */
  readonly next_hash: string | null;
  readonly next_origin: string | null;
  /** `sent` or `accepted`. */
  readonly next_state: string | null;
  readonly next_since_ms: number | null;
  /** Since then the default password of the batch does not hold for this charger. */
  readonly default_retired_ms: number | null;
  /** When an operator asked for a new password; null when nobody does. */
  readonly rotation_requested_ms: number | null;
  readonly rotation_outcome: string | null;
  readonly rotation_outcome_ms: number | null;
  /** The password towards the CSMS, encrypted; see `identity/sealed-text.ts`. */
  readonly csms_password: string | null;
  /** Where it last authenticated itself from. */
  readonly last_address: string | null;
}

/** Which certificates belong to which charger. */
export interface ChargerCertificateTable {
  /** `common-name`, `serial-number` or `fingerprint`. */
  readonly kind: string;
  readonly value: string;
  readonly identity_key: string;
  readonly bound_ms: number;
}

/** Which charger was changed by an operator, so that running gateways take notice. */
export interface ChargerChangeTable {
  readonly revision: number;
  readonly identity_key: string;
  readonly at_ms: number;
}

/** What a gateway has learned about a charger from its messages. */
export interface ChargerMemoryTable {
  readonly identity_key: string;
  /** Of the claim under which it was learned: an older one never overwrites a newer one. */
  readonly epoch: number;
  readonly document: string;
  readonly variables: string;
  readonly updated_ms: number;
}

/** A charging transaction, and whose it is. */
export interface ChargerTransactionTable {
  readonly identity_key: string;
  readonly transaction_id: string;
  /** `open` or `ended`. */
  readonly status: string;
  readonly started_ms: number;
  readonly ended_ms: number | null;
  /** The rest of it, as a JSON document. */
  readonly document: string;
}

/** The right to be the one live connection of an identity. */
export interface ClaimTable {
  readonly identity_key: string;
  /** Rises with each claim of the identity. */
  readonly epoch: number;
  /** The running gateway that holds it; null when nobody does. */
  readonly incarnation: string | null;
  readonly claimed_ms: number;
  /** When the holder last showed that the charger is alive, because another gateway asked. */
  readonly alive_ms: number | null;
  /** Take-overs since `takeovers_since_ms`. */
  readonly takeovers: number;
  readonly takeovers_since_ms: number;
  /** Until then nobody may claim the identity. */
  readonly quarantined_until_ms: number | null;
  readonly quarantine_reason: string | null;
}

/** Something that one gateway asks of another about a claim. */
export interface ClaimNoticeTable {
  readonly id: string;
  readonly incarnation: string;
  readonly identity_key: string;
  readonly epoch: number;
  /** `probe`: is the charger alive? `replaced`: the claim is somebody else's now. */
  readonly kind: string;
  readonly at_ms: number;
}

/** Numbers that rise, and totals. A row is changed in the transaction that uses the number. */
export interface CounterTable {
  readonly name: string;
  readonly value: number;
}

/** A running gateway. Its claims hold as long as its lease does. */
export interface GatewayLeaseTable {
  readonly incarnation: string;
  readonly gateway_id: string;
  readonly started_ms: number;
  readonly expires_ms: number;
}

/** The two ends of an audit log. */
export interface AuditChainTable {
  /** The id of the gateway whose log it is. */
  readonly chain: string;
  /** The last record that was pruned; the first one that is left comes after it. */
  readonly base_sequence: number;
  readonly base_hash: string;
  readonly head_sequence: number;
  readonly head_hash: string;
}

/** One record of an audit log. */
export interface AuditRecordTable {
  readonly chain: string;
  readonly sequence: number;
  readonly at_ms: number;
  readonly event: string;
  readonly charger: string | null;
  /** Everything else of the event, as a JSON document. */
  readonly document: string;
  /** Over this record and the hash of the one before; see `audit/audit-hash.ts`. */
  readonly hash: string;
}

/** A refused message. */
export interface QuarantinedFrameTable {
  readonly id: string;
  readonly at_ms: number;
  readonly gateway_id: string;
  readonly identity_key: string;
  readonly charger: string;
  /** The rule, code, severity, action and penalty, as a JSON document. */
  readonly finding: string;
  /** The message as text, without its secrets, as a JSON string: PostgreSQL keeps no U+0000. */
  readonly frame: string;
  /** Of `frame` as it stands here. */
  readonly frame_bytes: number;
}

/** A load-changing command of the CSMS that waits, or whose outcome is not known yet. */
export interface RampCommandTable {
  readonly id: string;
  /** Rises with each arrival, over all gateways. */
  readonly sequence: number;
  /** 0 for emergencies, 1 for what an operator has released, 2 for the others. */
  readonly lane_rank: number;
  readonly identity_key: string;
  /** As the charger spells it. */
  readonly charger: string;
  /** The nearest feeder of the charger. */
  readonly feeder: string;
  readonly version: string;
  readonly action: string;
  readonly load_class: string;
  /** As a JSON document. */
  readonly payload: string;
  /** Of the message in which it came. */
  readonly message_id: string;
  /** 1 when it is the reply to a call of the charger. */
  readonly is_reply: number;
  /** The running gateway that took it; when it is sent, the one that has sent it. */
  readonly incarnation: string;
  /** `waiting`, or `sent` when the charger has not answered yet. */
  readonly state: string;
  /** 1 when the gateway has answered for the charger. */
  readonly is_answered: number;
  /** `answer` or `refuse`: what happens at `answer_by_ms`. */
  readonly on_long_wait: string;
  readonly arrived_ms: number;
  readonly not_before_ms: number;
  readonly answer_by_ms: number;
  readonly expires_ms: number;
  readonly sent_ms: number | null;
  /** The EVSE or connector; null for the whole charger. */
  readonly place: number | null;
  readonly swing: string;
  readonly basis: string;
  readonly commands_milli: number;
  readonly up_w: number;
  readonly down_w: number;
  /** What a newer command must share to replace it, as a JSON list. */
  readonly coalesce_keys: string;
  /** Why it is in another lane than the others. */
  readonly reason: string | null;
}

/** A change of the load of a feeder: one that was released, or one that a schedule will make. */
export interface RampEntryTable {
  readonly id: string;
  readonly feeder: string;
  readonly at_ms: number;
  /** `release`, `debt`, `schedule` or `restart`; see `ramp-limit/entry-rows.ts`. */
  readonly kind: string;
  readonly identity_key: string;
  readonly command_id: string;
  readonly commands_milli: number;
  readonly up_w: number;
  readonly down_w: number;
}

/** When commands last turned a place of a charger down, and up. */
export interface RampFallTable {
  readonly identity_key: string;
  /** -1 for the whole charger. */
  readonly place: number;
  /** The last fall; 0 for none. */
  readonly at_ms: number;
  /** The last rise; 0 for none. */
  readonly rose_ms: number;
}

/** What changes about a feeder while gateways run, as a JSON document. */
export interface RampFeederTable {
  readonly name: string;
  readonly state: string;
}

/** The nonce of a signed command that has come. */
export interface SignatureNonceTable {
  readonly identity_key: string;
  readonly nonce: string;
  /** When it was signed, by the clock of the signer. */
  readonly issued_ms: number;
}

/** A row as it is read. */
export type RowOf<Name extends keyof Tables> = Selectable<Tables[Name]>;
