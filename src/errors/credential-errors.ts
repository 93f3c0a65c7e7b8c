import type { ErrorEntry } from './error-entry.ts';
import { checkThePeer, fixThePeer } from './remedies.ts';

/** Why a peer is not who it says it is. One answer for all of them: a stranger learns nothing. */
export const credentialErrors = {
  CREDENTIAL_MISSING: {
    meaning: 'The charger sent no password to a listener with security profile 1 or 2.',
    remedy:
      'Set the password (AuthorizationKey, BasicAuthPassword) in the charger, and its security ' +
      'profile.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CREDENTIAL_MALFORMED: {
    meaning: 'The Authorization header is not HTTP Basic, or cannot be decoded.',
    remedy: fixThePeer,
    sentence: 'Not authorized.',
    http: 401,
  },
  CREDENTIAL_USER: {
    meaning: 'The user name is not the identity in the URL.',
    remedy:
      'Set the user name in the charger, or tell the gateway: `gatewatt charger set ID ' +
      '--basic-user NAME`.',
    sentence: 'Not authorized.',
    http: 401,
  },
  PASSWORD_WRONG: {
    meaning: 'The password is not the one of this charger.',
    remedy:
      'Compare the password in the charger with the one that was set. If they are the same, somebody ' +
      'guesses.',
    sentence: 'Not authorized.',
    http: 401,
  },
  PASSWORD_NOT_SET: {
    meaning: 'The charger is known, but no password was set for it, and none of its batch matches.',
    remedy:
      'Set one with `gatewatt charger set ID --password-file FILE`, or name its batch in ' +
      '`credentials.batches`.',
    sentence: 'Not authorized.',
    http: 401,
  },
  DEFAULT_PASSWORD_RETIRED: {
    meaning: 'The charger used the default password of its batch, but it has one of its own.',
    remedy:
      'If the charger was set back to factory settings: `gatewatt charger set ID --allow-default`. ' +
      'Otherwise somebody who knows the default password claims to be this charger.',
    sentence: 'Not authorized.',
    http: 401,
  },
  DEFAULT_PASSWORD_INSECURE: {
    meaning:
      'The charger used the default password of its batch on a listener without TLS, where it ' +
      'cannot be given a better one.',
    remedy: 'Let it connect to a listener with security profile 2, or set its password by hand.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_MISSING: {
    meaning: 'The charger sent no certificate to a listener with security profile 3.',
    remedy: 'Install a client certificate in the charger, or let it use security profile 2.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_UNREADABLE: {
    meaning: 'The certificate of the charger cannot be read.',
    remedy: fixThePeer,
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_UNTRUSTED: {
    meaning:
      'The certificate was not issued by an authority of this listener, or its chain is broken.',
    remedy: 'Compare its issuer with `listeners[].tls.clientCertificates.caFile`.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_EXPIRED: {
    meaning: 'The certificate of the charger has expired.',
    remedy:
      'Renew it. `listeners[].tls.clientCertificates.expired: restrict` lets such chargers in for that ' +
      'alone.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_NOT_YET_VALID: {
    meaning: 'The certificate of the charger is valid in the future only.',
    remedy: 'Compare the clocks of the gateway and the authority.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_WEAK: {
    meaning: 'The key or signature of the certificate has a strength of less than 112 bits.',
    remedy: 'Use RSA with 2048 bits, a curve with 224 bits or more, and SHA-256.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_IS_CA: {
    meaning: 'The charger authenticates itself with the certificate of an authority.',
    remedy: checkThePeer,
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_ORGANIZATION: {
    meaning: 'The organisation in the certificate is not one of this listener.',
    remedy: 'Compare with `listeners[].tls.clientCertificates.organizations`.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_REVOKED: {
    meaning: 'The certificate was revoked by its issuer.',
    remedy: 'If the charger is yours, give it a new certificate.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_REVOCATION_UNKNOWN: {
    meaning: 'The revocation list of the issuer is missing, or too old.',
    remedy: 'Put a current list into `listeners[].tls.clientCertificates.crlFile`.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_UNBOUND: {
    meaning: 'The certificate is good, but nobody has said that it belongs to this charger.',
    remedy: 'If it does, say so: `gatewatt charger set ID --certificate-name NAME`.',
    sentence: 'Not authorized.',
    http: 401,
  },
  CERTIFICATE_FOREIGN: {
    meaning: 'The certificate is good, but it belongs to another charger.',
    remedy: checkThePeer,
    sentence: 'Not authorized.',
    http: 401,
  },
  CREDENTIAL_SUPERSEDED: {
    meaning:
      'The first credential of a charger was to be believed, but meanwhile an operator has said ' +
      'what the right one is.',
    remedy: 'Nothing: the charger comes again, and is judged by that.',
    sentence: 'Not authorized.',
    http: 401,
  },
  ATTEMPTS_EXHAUSTED: {
    meaning:
      'Too many wrong passwords from this address, for this identity, or in all. A charger whose ' +
      'password is known to be right still gets in.',
    remedy: 'Find out who guesses: the log has the addresses.',
    sentence: 'Too many attempts.',
    http: 429,
  },
  AUTHENTICATION_BUSY: {
    meaning: 'So many passwords wait to be checked that this one has to come again.',
    remedy: 'Nothing after a restart; otherwise see who sends so many.',
    sentence: 'The service is busy.',
    http: 503,
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
