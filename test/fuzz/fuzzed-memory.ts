import { ChargerMemory } from '../../src/chargers/memory/charger-memory.ts';
import type { Random } from '../../src/lib/random.ts';
import type { OcppVersion, Peer } from '../../src/ocpp/version.ts';
import type { LookUp, PolicyContext } from '../../src/policy/context.ts';
import type { Admitted, Frame } from '../../src/rules/frame.ts';
import { pick } from './mutate.ts';

/** More than a memory may take when it is saved. */
const documentCharsMax = 400_000;
const variablesCharsMax = 101_000;
/** Messages between two times of saving, on average. */
const savedEvery = 8;

/** The actions of either side that a charger with a poor credential needs. */
const mayPassRestricted =
  /^(?:BootNotification|Heartbeat|SecurityEventNotification|SignCertificate|CertificateSigned|InstallCertificate|GetInstalledCertificateIds|(?:Extended)?TriggerMessage|Re(?:mote|quest)StopTransaction|Reset)$/;

/** How the charger has connected. Most connect without a restriction, or few messages would pass. */
function connectionOf(random: Random) {
  const securityProfile = pick(random, [0, 1, 2, 3]);
  const restrictions = ['default-password', 'expired-certificate'] as const;
  return {
    securityProfile,
    usedProfile: Math.max(securityProfile, pick(random, [0, 0, 2, 3])),
    credentialChanges: pick(random, ['refuse', 'track']),
    restriction: random.integer(0, 9) === 0 ? pick(random, restrictions) : undefined,
    isOwnCertificate: () => random.integer(0, 1) === 0,
    commonNames: pick(random, [[], ['CP-1']]),
    mayRequestCertificate: random.integer(0, 1) === 0,
    lastSigningRequest: undefined,
    nowMs: () => 0,
  } satisfies Partial<PolicyContext>;
}

/** What a message was judged by. */
interface Situation {
  readonly bootStatus: PolicyContext['bootStatus'];
  readonly asked: readonly string[];
}

/**
 * A real memory that learns from what passes, and is now and then saved and read again, as when the
 * charger connects to another gateway. What the store would know is made up.
 *
 * Its methods return a property that does not hold, or nothing.
 */
export class FuzzedMemory {
  readonly context: PolicyContext;
  readonly #version: OcppVersion;
  readonly #random: Random;
  readonly #otherOwners = new Map<string, number | 'unknown'>();
  readonly #foreignNames = new Map<string, boolean | 'unknown'>();
  #memory = new ChargerMemory();
  #before: Situation = { bootStatus: 'unknown', asked: [] };

  constructor(version: OcppVersion, random: Random) {
    this.#version = version;
    this.#random = random;
    const memory = (): ChargerMemory => this.#memory;
    this.context = {
      version,
      get bootStatus() {
        return memory().boot.status;
      },
      wasTriggered: (action) => memory().wasTriggered(action),
      ownsTransaction: (transactionId) => memory().ownsTransaction(transactionId),
      otherOwnersOf: (transactionId) => this.#otherOwners.get(transactionId),
      ...connectionOf(random),
      isForeignName: (name) => this.#foreignNames.get(name),
    };
    this.#boot(pick(random, ['Accepted', 'Accepted', 'Accepted', 'Pending', 'Rejected', '']));
  }

  /** A message is about to be judged. */
  begin(): void {
    const { asked, boot } = this.#memory.view();
    this.#before = { bootStatus: boot.status, asked };
  }

  /** Whether anybody else has the transaction or the name is chance. */
  lookUp(question: LookUp): void {
    if (question.about === 'certificate') {
      const isForeign = pick(this.#random, [false, false, true, 'unknown'] as const);
      this.#foreignNames.set(question.commonName, isForeign);
      return;
    }
    const owners = [0, 0, 0, 1, 2, 'unknown'] as const;
    this.#otherOwners.set(question.transactionId, pick(this.#random, owners));
  }

  /** Why strict may not let `from` send `action`, by a reading of the rules of its own. */
  whyForbidden(from: Peer, action: string, payload: unknown): string | undefined {
    const { asked, bootStatus } = this.#before;
    const isOpen = bootStatus === 'Accepted' || bootStatus === 'assumed';
    const { credentialChanges, restriction, securityProfile, usedProfile } = this.context;
    if (restriction !== undefined && !mayPassRestricted.test(action)) return 'it is restricted';
    if (
      securityProfile < 2 &&
      /^(?:CertificateSigned|(?:Delete|Install|Sign)Certificate)$/.test(action)
    ) {
      return 'certificates need TLS';
    }
    // What is sent here is no request.
    if (action === 'SignCertificate') return 'a request can be read';
    if (from === 'csms') {
      // The texts of the samples say none of this by chance.
      const text = JSON.stringify(payload);
      const isChange = /^(?:ChangeConfiguration|SetVariables|SetNetworkProfile)$/.test(action);
      const isPassword = /" *AuthorizationKey *"|" *BasicAuthPassword *"/i.test(text);
      const isTracked = credentialChanges === 'track' || securityProfile === 0;
      if (isChange && isPassword && !isTracked) return 'nobody else changes the password';
      const lowest = Math.max(securityProfile, usedProfile);
      const [, profile = '0'] =
        /"(?:value|attributeValue|securityProfile)":"?(\d+)/.exec(text) ?? [];
      const isProfile = /"SecurityProfile"/i.test(text);
      if (isChange && isProfile && !(Number(profile) >= lowest)) return 'no profile is lowered';
      const isStart = /^(?:Remote|Request)StartTransaction$/.test(action);
      const isClosed = bootStatus === 'Pending' || bootStatus === 'Rejected';
      return isStart && isClosed ? 'nobody starts to charge while it is not accepted' : undefined;
    }
    const isFree = /^(?:BootNotification|SecurityEventNotification)$/.test(action);
    if (!isOpen && !isFree && !asked.includes(action)) return 'it was not asked for';
    const isReport = action === 'StopTransaction' || action === 'TransactionEvent';
    const isDoubted = [...this.#otherOwners.values()].some((count) => count !== 0);
    return isReport && isDoubted ? 'the transaction may be of another charger' : undefined;
  }

  /** A message passes. */
  learn(from: Peer, frame: Admitted<Frame>, atMs: number): undefined {
    switch (frame.kind) {
      case 'call':
      case 'send': {
        const { action, id, payload } = frame;
        this.#memory.onCall({ from, version: this.#version, id, action, payload, atMs });
        return;
      }
      case 'call-result':
        this.#memory.onReply({ from, callId: frame.id, result: { payload: frame.payload }, atMs });
        return;
      case 'call-error': {
        const result = { errorCode: frame.code };
        this.#memory.onReply({ from, callId: frame.id, result, atMs });
        return;
      }
      case 'call-result-error':
        return;
    }
  }

  /** No reply to the call will pass. */
  callOver(from: Peer, id: string): undefined {
    this.#memory.onCallOver(from, id);
  }

  /** A message was refused. */
  refused(): undefined {
    this.#memory.countRefused();
  }

  /** The message is done with. */
  end(): string | undefined {
    // The store is asked anew for the next one.
    this.#otherOwners.clear();
    if (this.#random.integer(1, savedEvery) !== 1) return undefined;
    const taken = this.#memory.takeTransactions();
    if (taken.some(({ transactionId }) => !this.#memory.ownsTransaction(transactionId))) {
      return 'what is written is remembered';
    }
    if (this.#random.integer(0, 1) === 0) this.#memory.putBackTransactions(taken);
    const saved = this.#memory.save();
    if (saved.document.length > documentCharsMax) return 'what is saved is bounded';
    if (saved.variables.length > variablesCharsMax) return 'what is saved of variables is bounded';
    const restored = new ChargerMemory(saved);
    const again = restored.save();
    if (again.document !== saved.document) return 'what is read is what was saved';
    if (again.variables !== saved.variables) return 'the variables that are read were saved';
    this.#memory = restored;
    return undefined;
  }

  #boot(status: string): void {
    if (status === '') return;
    const call = { from: 'charger', id: 'boot', action: 'BootNotification', payload: {} } as const;
    this.#memory.onCall({ ...call, version: this.#version, atMs: 0 });
    const result = { payload: { status } };
    this.#memory.onReply({ from: 'csms', callId: 'boot', result, atMs: 0 });
  }
}
