import type { Random } from '../../lib/random.ts';
import type { JsonObject } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { listOf, optionalNumber, optionalText, textOf } from '../protocol/payload.ts';
import type { IncomingCall, RpcPeer } from '../protocol/rpc-peer.ts';
import type { CertificateAuthority } from './certificate-authority.ts';

/** Sends one call to the charger in question, and resolves with its answer. */
export type CallCharger = (action: string, payload: JsonObject) => Promise<JsonObject>;

/** Where a charger finds the CSMS with another security profile. */
export interface ProfileRaise {
  /** 1 to 3. */
  readonly to: number;
  /** 2.x only: without the identity. */
  readonly url: string;
}

/** Digits of a password that the CSMS makes: 20 bytes, the longest that 1.6 has. */
const keyDigits = 40;

/** A password of 40 hexadecimal digits, which every version takes. As secret as `random` is. */
export function newPassword(random: Random): string {
  return `${random.uuid()}${random.uuid()}`.replaceAll('-', '').slice(0, keyDigits);
}

/** Gives the charger this password (A01). Resolves with the status that it answers. */
export async function changePassword(
  version: OcppVersion,
  call: CallCharger,
  password: string,
): Promise<string> {
  if (version === 'ocpp1.6') {
    const payload = { key: 'AuthorizationKey', value: password };
    return textOf(await call('ChangeConfiguration', payload), 'status');
  }
  return setVariable(call, 'SecurityCtrlr', 'BasicAuthPassword', password);
}

/** Asks the charger to renew its certificate (A02). Resolves with the status that it answers. */
export async function askForRenewal(version: OcppVersion, call: CallCharger): Promise<string> {
  const [action, requestedMessage] =
    version === 'ocpp1.6'
      ? ['ExtendedTriggerMessage', 'SignChargePointCertificate']
      : ['TriggerMessage', 'SignChargingStationCertificate'];
  return textOf(await call(action, { requestedMessage }), 'status');
}

/**
 * Tells the charger to use a higher security profile (A05). In 2.x it writes network configuration
 * slot number `to`, prefers it, and resets the charger. Resolves with the first status that is no Accepted, or
 * with the last.
 */
export async function raiseProfile(
  version: OcppVersion,
  call: CallCharger,
  { to, url }: ProfileRaise,
): Promise<string> {
  if (version === 'ocpp1.6') {
    const payload = { key: 'SecurityProfile', value: String(to) };
    return textOf(await call('ChangeConfiguration', payload), 'status');
  }
  const connectionData = {
    ...(version === 'ocpp2.0.1' && { ocppVersion: 'OCPP20' }),
    ocppTransport: 'JSON',
    ocppCsmsUrl: url,
    messageTimeout: 30,
    securityProfile: to,
    ocppInterface: 'Wired0',
  };
  const slot = { configurationSlot: to, connectionData };
  const kept = textOf(await call('SetNetworkProfile', slot), 'status');
  if (kept !== 'Accepted') return kept;
  const priority = String(to);
  const preferred = await setVariable(
    call,
    'OCPPCommCtrlr',
    'NetworkConfigurationPriority',
    priority,
  );
  if (preferred !== 'Accepted' && preferred !== 'RebootRequired') return preferred;
  return textOf(await call('Reset', { type: 'OnIdle' }), 'status');
}

/**
 * Answers SignCertificate: accepts the request, and sends the certificate afterwards (A02). `note` is
 * told what went wrong, as the rest of a sentence about the charger.
 */
export async function answerSignCertificate(
  issuer: CertificateAuthority,
  peer: RpcPeer,
  { payload, afterReply }: IncomingCall,
  note: (problem: string) => void,
): Promise<JsonObject> {
  const issued = await issuer.issue(textOf(payload, 'csr'));
  if (!issued.ok) {
    note(`got no certificate: ${issued.error}`);
    return { status: 'Rejected' };
  }
  const certificateType = optionalText(payload, 'certificateType');
  const requestId = optionalNumber(payload, 'requestId');
  const signed = {
    certificateChain: issued.value,
    ...(certificateType !== undefined && { certificateType }),
    ...(requestId !== undefined && { requestId }),
  };
  afterReply(() => {
    peer.call('CertificateSigned', signed).then(
      (reply) => {
        if (textOf(reply, 'status') !== 'Accepted') note('did not accept its certificate');
      },
      (error: Error) => note(`did not get its certificate: ${error.message}`),
    );
  });
  return { status: 'Accepted' };
}

async function setVariable(
  call: CallCharger,
  component: string,
  variable: string,
  attributeValue: string,
): Promise<string> {
  const data = { component: { name: component }, variable: { name: variable }, attributeValue };
  const reply = await call('SetVariables', { setVariableData: [data] });
  return textOf(listOf(reply, 'setVariableResult')[0], 'attributeStatus');
}
