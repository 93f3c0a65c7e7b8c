import { ownProperty } from '../ocpp/message.ts';
import type { Rule } from './rule.ts';

/**
 * Rule 5: a firmware update is signed.
 *
 * OCPP makes the certificate optional, so one forged call could put any image on a fleet. In
 * OCPP 1.6 the plain UpdateFirmware has no field for a certificate at all: it never passes, and
 * SignedUpdateFirmware, whose schema demands certificate and signature, is the only way. The table
 * names `signingCertificate` alone; a certificate without a signature protects nothing, so both
 * are asked for.
 *
 * Source: PNNL-35706 Table 1, row 5; "Improved security for OCPP 1.6-J" edition 3, L01.FR.20;
 * OCPP 2.0.1 part 2, L01 (secure) against L02 (non-secure).
 */
export const secureFirmware: Rule = {
  id: 5,
  name: 'secure-firmware',
  factor: 'Optional Field Enforcement',
  demand: 'A firmware update carries its signing certificate and its signature.',
  source: 'PNNL-35706 Table 1, row 5',
  onFail: { call: 'call-error', reply: 'drop' },
  concerns: { kinds: ['call'] },

  check({ frame, version }) {
    if (frame.kind !== 'call' || frame.action !== 'UpdateFirmware') return undefined;
    if (version === 'ocpp1.6') {
      return {
        rule: 'secure-firmware',
        code: 'FIRMWARE_UNSIGNED',
        severity: 'hard',
        detail: 'UpdateFirmware of OCPP 1.6 is never signed',
      };
    }
    const firmware = ownProperty(frame.payload, 'firmware');
    for (const field of ['signingCertificate', 'signature']) {
      const value = ownProperty(firmware, field);
      if (typeof value === 'string' && value !== '') continue;
      return {
        rule: 'secure-firmware',
        code: 'FIRMWARE_UNSIGNED',
        severity: 'hard',
        detail: `firmware.${field} is missing`,
      };
    }
    return undefined;
  },
};
