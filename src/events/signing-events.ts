import type { EventEntry } from './event-entry.ts';
import type { EventFields } from './fields.ts';

/** What is reported of the keys of signed messages, and by `gatewatt sign`. */
export const signingEvents = {
  SigningKeysLoaded: {
    level: 'info',
    isAudited: true,
    meaning: 'These are the keys that the CSMS may sign with.',
    remedy: 'Nothing. Keys are told by the beginning of the SHA-256 of the public key (SPKI).',
  },
  SigningKeysReloadFailed: {
    level: 'error',
    isAudited: true,
    meaning:
      'The files with the keys of the CSMS have changed, but cannot be used. What was read before ' +
      'stays in force.',
    remedy: 'The detail says what is wrong with them.',
  },
  SignatureDemandsRelaxed: {
    level: 'warn',
    isAudited: true,
    meaning:
      'Signatures of the CSMS need not say all that keeps a signed message from being used a ' +
      'second time, or for another charger.',
    remedy: 'Set `csms.signing.demand` back once the signer says it; `gatewatt sign` does.',
  },
  ChargerMessageSigned: {
    level: 'debug',
    isAudited: true,
    meaning:
      'A charger has signed a message, which was relayed with its signature. `verified`: by the ' +
      'certificate that it is connected with; `unknown-key`: by a key that the gateway does not ' +
      'have; `wrong`: in the name of that certificate, which has not made the signature, or has ' +
      'made it for another message; `unverifiable`: in a way that the gateway does not read.',
    remedy: 'Look into `wrong`: somebody has changed the message, or made it.',
  },
  SignerStarted: {
    level: 'info',
    isAudited: false,
    meaning: 'The signer (`gatewatt sign`) accepts connections of the gateway.',
    remedy: 'Nothing.',
  },
  SignerStopped: {
    level: 'info',
    isAudited: false,
    meaning: 'The signer has closed all its connections.',
    remedy: 'Nothing.',
  },
  SignerSessionOpened: {
    level: 'info',
    isAudited: false,
    meaning: 'The gateway is connected through the signer to the CSMS, for one charger.',
    remedy: 'Nothing.',
  },
  SignerSessionClosed: {
    level: 'info',
    isAudited: false,
    meaning: 'Both connections of a charger are closed. `signed` of its messages were signed.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  FrameNotSigned: {
    level: 'warn',
    isAudited: false,
    meaning:
      'The CSMS has sent what cannot be signed, because it is not an OCPP message or replies to a ' +
      'call that is not open. It was not passed on.',
    remedy: 'Look at the CSMS. The gateway would have refused the message.',
  },
} as const satisfies Partial<Readonly<Record<keyof EventFields, EventEntry>>>;
