import type { JsonObject } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { basicAuthorization, type PasswordForm, passwordToSend } from '../protocol/password.ts';
import { numberOf, optionalText, textOf } from '../protocol/payload.ts';
import type { ChargerTls, Dialling } from './charger-link.ts';
import { type CertificateAndKey, OwnCertificate } from './own-certificate.ts';

/** An OCPP security profile: 0 none, 1 password, 2 password over TLS, 3 client certificate. */
export type SecurityProfile = 0 | 1 | 2 | 3;

/**
 * What a charger does when the CSMS gives it another password. The textbook, A01 of all versions,
 * is `reconnects`.
 *
 * - `reconnects`: accepts, and connects again at once with the new password.
 * - `waits`: accepts, and uses it whenever it connects the next time.
 * - `keeps-old`: accepts, connects again, but with the old password.
 * - `needs-reboot`: answers RebootRequired, and uses it after the next reset.
 * - `rejects`, `does-not-support`: says so, and keeps the old one.
 */
export type PasswordChange =
  | 'reconnects'
  | 'waits'
  | 'keeps-old'
  | 'needs-reboot'
  | 'rejects'
  | 'does-not-support';

/** What came of a new password. */
export type PasswordChangeResult = 'accepted' | 'reboot-required' | 'rejected' | 'not-supported';

/** How a charger identifies itself. */
export interface SecurityOptions {
  readonly version: OcppVersion;
  /** Of the CSMS at the start; the identity is appended. */
  readonly url: string;
  /** Where the CSMS is for a profile. Without an entry: at the URL in use, if its scheme fits. */
  readonly urls: Readonly<Partial<Record<SecurityProfile, string>>>;
  /** At the start. Undefined: what `url`, password and certificate amount to. */
  readonly profile: SecurityProfile | undefined;
  readonly password: Buffer | undefined;
  readonly passwordForm: PasswordForm | undefined;
  /** The user name of HTTP Basic. */
  readonly user: string;
  readonly passwordChange: PasswordChange;
  readonly tls: ChargerTls;
  /** Is told of the profile in use when it changes. */
  readonly onProfile: (profile: SecurityProfile) => void;
}

/** A way to the CSMS. */
interface Route {
  readonly profile: SecurityProfile;
  readonly url: string;
  /** The network configuration slot that it comes from (2.x); 0 is the one of the start. */
  readonly slot: number;
  /** A slot may bring its own password (2.1). */
  readonly password?: Buffer | undefined;
}

/** Network configuration slots have one digit here. */
const slotMax = 9;
/** Longest URL of the CSMS (OCPP 2.1, SetNetworkProfile). */
const urlLengthMax = 2000;
/** Passwords: OCPP 2.1 has the longest; 1.6 writes 20 bytes as 40 digits. */
const passwordLengthMin = 16;
const passwordLengthMax: Readonly<Record<OcppVersion, number>> = {
  'ocpp1.6': 40,
  'ocpp2.0.1': 40,
  'ocpp2.1': 64,
};

/**
 * How a charger reaches the CSMS: its security profile, its password and its certificate, and what
 * becomes of them when the CSMS changes them.
 *
 * A new profile is tried once. If the charger cannot connect with it, it goes on with the one that
 * worked (A05.FR.08). A new password is never taken back.
 */
export class ChargerSecurity {
  readonly certificate: OwnCertificate;
  readonly #options: SecurityOptions;
  /** The roots that the CSMS has installed, PEM. */
  readonly #installedRoots = new Map<string, string>();
  readonly #slots = new Map<number, Route>();
  #current: Route;
  /** Ways that are tried before the current one, in this order. */
  #trials: readonly Route[] = [];
  #priority: readonly number[] = [0];
  #password: Buffer | undefined;
  #passwordAfterReset: Buffer | undefined;

  constructor(options: SecurityOptions) {
    this.#options = options;
    this.certificate = new OwnCertificate(certificateOf(options.tls));
    this.#password = options.password;
    this.#current = { profile: options.profile ?? profileOf(options), url: options.url, slot: 0 };
  }

  /** The profile of the last connection that worked; at the start the one to begin with. */
  profile(): SecurityProfile {
    return this.#current.profile;
  }

  /** What to dial now. */
  dialling(): Dialling {
    const route = this.#trials[0] ?? this.#current;
    const { user, version, passwordForm, tls } = this.#options;
    const password = route.password ?? this.#password;
    const isBasic = route.profile === 1 || route.profile === 2;
    const { certificate: _certificate, key: _key, ...trust } = tls;
    const own = route.profile === 3 ? this.certificate.current() : undefined;
    return {
      url: route.url,
      authorization:
        isBasic && password !== undefined
          ? basicAuthorization(user, passwordToSend(password, version, passwordForm))
          : undefined,
      tls: { ...trust, ...own, installedRoots: [...this.#installedRoots.values()] },
    };
  }

  /** The connection that `dialling` described stands. */
  succeeded(): void {
    const [reached] = this.#trials;
    if (reached === undefined) return;
    this.#trials = [];
    const { profile, url, slot } = reached;
    this.#current = { profile, url, slot };
    this.#password = reached.password ?? this.#password;
    // Profiles below the one in use are not used again (A05.FR.07 in 2.0.1).
    for (const [other, route] of this.#slots) {
      if (route.profile < profile) this.#slots.delete(other);
    }
    this.#options.onProfile(profile);
  }

  /** The connection that `dialling` described could not be made. */
  failed(): void {
    this.#trials = this.#trials.slice(1);
  }

  /** The charger restarts: what waited for that takes effect. */
  restarted(): void {
    this.#password = this.#passwordAfterReset ?? this.#password;
    this.#passwordAfterReset = undefined;
    const inUse = this.#priority.indexOf(this.#current.slot);
    const preferred = inUse < 0 ? this.#priority : this.#priority.slice(0, inUse);
    const routes = preferred.flatMap((slot) => this.#slots.get(slot) ?? []);
    if (routes.length > 0) this.#trials = routes;
  }

  /** AuthorizationKey (1.6) or BasicAuthPassword (2.x) becomes `text`. */
  changePassword(text: string): PasswordChangeResult {
    const { passwordChange, version } = this.#options;
    if (passwordChange === 'does-not-support') return 'not-supported';
    const isTooLong = text.length > passwordLengthMax[version];
    if (passwordChange === 'rejects' || text.length < passwordLengthMin || isTooLong) {
      return 'rejected';
    }
    const password = Buffer.from(text, 'utf8');
    if (passwordChange === 'needs-reboot') {
      this.#passwordAfterReset = password;
      return 'reboot-required';
    }
    if (passwordChange !== 'keeps-old') this.#password = password;
    return 'accepted';
  }

  /** Does a changed password lead to a new connection at once? */
  reconnectsForPassword(): boolean {
    const { passwordChange } = this.#options;
    const isUsed = this.#current.profile === 1 || this.#current.profile === 2;
    return isUsed && (passwordChange === 'reconnects' || passwordChange === 'keeps-old');
  }

  /** SecurityProfile (1.6) becomes `profile`. False: lower, or something for it is missing. */
  raise(profile: number): boolean {
    if (!isProfile(profile) || profile <= this.#current.profile) return false;
    const { url: urlInUse, slot } = this.#current;
    const url = this.#options.urls[profile] ?? urlInUse;
    const route: Route = { profile, url, slot };
    if (!isUrlOf(profile, url) || !this.#canUse(route)) return false;
    this.#trials = [route];
    return true;
  }

  /** SetNetworkProfile (2.x). False: rejected. */
  setSlot(slot: number, data: JsonObject): boolean {
    const profile = numberOf(data, 'securityProfile', -1);
    const url = textOf(data, 'ocppCsmsUrl');
    const isSlot = Number.isInteger(slot) && slot >= 0 && slot <= slotMax;
    // The slot in use is not overwritten (B09.FR.05), and no slot lowers the profile (B09.FR.04).
    if (!isSlot || slot === this.#current.slot) return false;
    if (!isProfile(profile) || profile < this.#current.profile) return false;
    if (!isUrlOf(profile, url)) return false;
    const password = optionalText(data, 'basicAuthPassword');
    this.#slots.set(slot, {
      profile,
      url,
      slot,
      ...(password !== undefined && { password: Buffer.from(password, 'utf8') }),
    });
    return true;
  }

  /** NetworkConfigurationPriority (2.x): slots by preference. False: one cannot be used. */
  prioritise(text: string): boolean {
    if (!/^\d(?:,\d){0,9}$/.test(text)) return false;
    const slots = text.split(',').map(Number);
    const isUsable = slots.every((slot) => {
      const route = this.#slots.get(slot);
      return slot === this.#current.slot || (route !== undefined && this.#canUse(route));
    });
    if (isUsable) this.#priority = slots;
    return isUsable;
  }

  /** The CSMS has installed or deleted a root for its own certificate. */
  trustRoot(id: string, certificate: string | undefined): void {
    if (certificate === undefined) this.#installedRoots.delete(id);
    else this.#installedRoots.set(id, certificate);
  }

  /** Is there a password for 1 and 2, and a certificate for 3 (A05.FR.02 and .04)? */
  #canUse({ profile, password }: Route): boolean {
    switch (profile) {
      case 0:
        return true;
      case 1:
      case 2:
        return (password ?? this.#passwordAfterReset ?? this.#password) !== undefined;
      case 3:
        return this.certificate.current() !== undefined;
    }
  }
}

function isProfile(value: number): value is SecurityProfile {
  return value === 0 || value === 1 || value === 2 || value === 3;
}

/** Can this URL be dialled with this profile? */
function isUrlOf(profile: SecurityProfile, url: string): boolean {
  if (url.length > urlLengthMax || !URL.canParse(url)) return false;
  const { protocol, hash } = new URL(url);
  return hash === '' && protocol === (profile >= 2 ? 'wss:' : 'ws:');
}

function profileOf({ url, tls, password }: SecurityOptions): SecurityProfile {
  if (!url.startsWith('wss:')) return password === undefined ? 0 : 1;
  return certificateOf(tls) === undefined ? 2 : 3;
}

function certificateOf({ certificate, key }: ChargerTls): CertificateAndKey | undefined {
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}
