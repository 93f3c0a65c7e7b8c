import type { EventEntry } from './event-entry.ts';
import type { EventFields } from './fields.ts';

/** What is reported of credentials, certificates and security profiles. */
export const credentialEvents = {
  TlsHandshakeFailed: {
    level: 'warn',
    isAudited: true,
    meaning: 'A TLS handshake was refused or never finished; `finding` says why.',
    remedy:
      'A charger that knows only older versions or suites needs a firmware update. Others knock ' +
      'at every open port.',
  },
  TlsCertificatesLoaded: {
    level: 'info',
    isAudited: true,
    meaning: 'A listener uses these certificates for new connections.',
    remedy: 'Nothing.',
  },
  TlsReloadFailed: {
    level: 'error',
    isAudited: true,
    meaning:
      'The files of a listener or of the CSMS connection have changed, but cannot be used. What ' +
      'was read before stays in force.',
    remedy: 'The detail says what is wrong with them.',
  },
  TlsCertificateExpiring: {
    level: 'error',
    isAudited: true,
    meaning: 'A certificate of a listener has expired, or will before a tenth of its life is over.',
    remedy: 'Replace its file; it is read again within seconds.',
  },
  RevocationListStale: {
    level: 'error',
    isAudited: true,
    meaning:
      'A revocation list should have been replaced by now. After `crlGraceHours` certificates ' +
      'of its issuer are refused.',
    remedy: 'Fetch a new list from the authority; it is read again within seconds.',
  },
  CsmsVerificationOff: {
    level: 'error',
    isAudited: true,
    meaning:
      'The certificate of the CSMS is not verified: whoever stands between the gateway and the ' +
      'CSMS can read and change everything.',
    remedy: 'Remove `csms.tls.dangerouslyAcceptAnyCertificate`, and set `csms.tls.caFile`.',
  },
  SecurityProfileRaised: {
    level: 'info',
    isAudited: true,
    meaning: 'A charger has connected with a higher security profile; a lower one is refused now.',
    remedy: 'Nothing.',
  },
  SecurityProfileFallback: {
    level: 'warn',
    isAudited: true,
    meaning:
      'A charger that is to use a higher security profile has come with the old one. OCPP allows ' +
      'that until it has succeeded once, and so does somebody who keeps it from succeeding.',
    remedy:
      'See why it cannot connect with the new profile. Then end the window: `gatewatt charger set ' +
      'ID --security-profile`.',
  },
  DefaultPasswordUsed: {
    level: 'warn',
    isAudited: true,
    meaning: 'A charger came with the default password of its batch, and gets one of its own.',
    remedy: 'Nothing, if it is new or was set back.',
  },
  CredentialLearned: {
    level: 'warn',
    isAudited: true,
    meaning:
      'The first credential that came with this identity was believed and stored, as the ' +
      'configuration says.',
    remedy: 'Set `credentials.firstUse: refuse` once all chargers have connected.',
  },
  PasswordChangeSent: {
    level: 'info',
    isAudited: true,
    meaning: 'A new password is on its way to a charger. The old one holds as well.',
    remedy: 'Nothing.',
  },
  PasswordChangeAccepted: {
    level: 'info',
    isAudited: true,
    meaning: 'The charger has accepted a new password, and has not come with it yet.',
    remedy: 'Nothing; if it does not connect again, the old password still holds.',
  },
  PasswordChangeFailed: {
    level: 'warn',
    isAudited: true,
    meaning: 'A charger has not taken a new password; `outcome` says why. The old one holds.',
    remedy:
      'A charger that cannot change its password needs one by hand: `gatewatt charger set ID ' +
      '--password-file FILE`. `pending`: it has accepted one and not come with it yet; let it boot.',
  },
  PasswordChangeConfirmed: {
    level: 'info',
    isAudited: true,
    meaning: 'A charger has come with its new password. The old one holds no more.',
    remedy: 'Nothing.',
  },
  PasswordOldUsed: {
    level: 'warn',
    isAudited: true,
    meaning: 'A charger that has accepted a new password came with the old one.',
    remedy: 'Some chargers need a reboot. If it goes on, rotate again.',
  },
  ChargerSecurityEvent: {
    level: 'warn',
    isAudited: true,
    meaning: 'A charger reports a security event. It is what the charger says, in its words.',
    remedy: 'See what OCPP says of the type; critical ones want somebody to look.',
  },
  PasswordSet: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator set the password of a charger.',
    remedy: 'Nothing.',
  },
  CsmsPasswordSet: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator set the password with which the gateway connects to the CSMS.',
    remedy: 'Nothing.',
  },
  CertificateBound: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator said which certificate belongs to a charger.',
    remedy: 'Nothing.',
  },
  CertificateUnbound: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator took a certificate away from a charger.',
    remedy: 'Nothing.',
  },
  DefaultPasswordAllowed: {
    level: 'warn',
    isAudited: true,
    meaning: 'An operator allowed a charger to come with the default password of its batch again.',
    remedy: 'Nothing.',
  },
  RotationRequested: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator wants a charger to get a new password.',
    remedy: 'Nothing.',
  },
  ProfileRaiseRequested: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator wants a charger to use a higher security profile.',
    remedy: 'Nothing.',
  },
  ChargersImported: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator imported chargers and their credentials from a file.',
    remedy: 'Nothing.',
  },
} as const satisfies Partial<Record<keyof EventFields, EventEntry>>;
