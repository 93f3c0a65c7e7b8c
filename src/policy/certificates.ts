import type { ErrorCode } from '../errors/catalogue.ts';
import { ownProperty } from '../ocpp/message.ts';
import type { Peer } from '../ocpp/version.ts';
import {
  type CertificateFields,
  readCertificates,
  readFields,
  spkiSha256,
  strengthProblem,
  subjectOf,
} from '../pki/certificate.ts';
import { readRequest } from '../pki/certificate-request.ts';
import type { Frame } from '../rules/frame.ts';
import type { Rule, Severity, Violation } from '../rules/rule.ts';
import type { PolicyContext, PolicyInput } from './context.ts';

/** What handles certificates of the charger, and so needs TLS. */
const certificateActions: ReadonlySet<string> = new Set([
  'CertificateSigned',
  'DeleteCertificate',
  'GetInstalledCertificateIds',
  'InstallCertificate',
  'SignCertificate',
]);

/** Certificates with which the charger talks to vehicles: their CN is not that of the charger. */
const vehicleTypes: readonly unknown[] = ['V2GCertificate', 'V2G20Certificate'];

/** A request for anything that the charger may ask a certificate for. */
const isSignTrigger = /^Sign.*Certificate$/;

/**
 * A charger gets certificates that it has asked for, for itself, and keeps the one that it needs.
 *
 * Without this, a charger could ask for the certificate of another one, and somebody between the
 * gateway and the CSMS could lock chargers out, or prepare to stand between them later.
 *
 * Source: OCPP 2.0.1 part 2, A02, A03 and M04.FR.06; OCPP 2.1 part 2, A02 (no certificates that are
 * valid in the future only, and `requestId`); "Improved security for OCPP 1.6-J" edition 3, A02 and
 * M04.
 */
export const certificates: Rule<PolicyInput> = {
  id: 11,
  name: 'certificates',
  factor: 'System state',
  demand:
    'Certificates are handled over TLS; a charger asks for its own, gets what it asked for, and ' +
    'keeps what it is connected with.',
  source: 'PNNL-35706 section 4.0; OCPP 2.0.1 part 2, A02 and M04',
  onFail: { call: 'call-error', reply: 'drop' },
  concerns: { kinds: ['call'] },

  check({ context, correlation, frame, from }: PolicyInput): Violation | undefined {
    if (frame.kind !== 'call') return undefined;
    const { action, payload } = frame;
    if (context.securityProfile < 2 && isAboutCertificates(action, payload)) {
      return violation('CERTIFICATE_OPERATION_INSECURE', 'the connection has no TLS');
    }
    if (from === 'charger') {
      if (action !== 'SignCertificate') return undefined;
      // A copy of a call that is open waits for the same answer.
      const isNew = !(correlation.is === 'retry' && correlation.open);
      return isNew && !context.mayRequestCertificate
        ? violation('CERTIFICATE_REQUEST_TOO_OFTEN', 'too many within an hour')
        : requestViolation(payload, context);
    }
    switch (action) {
      case 'CertificateSigned':
        return certificateViolation(payload, context);
      case 'DeleteCertificate':
        return isOwn(payload, context)
          ? violation('CERTIFICATE_IN_USE', 'the charger is connected with it')
          : undefined;
      default:
        return undefined;
    }
  },
};

function isAboutCertificates(action: string, payload: unknown): boolean {
  if (action !== 'TriggerMessage' && action !== 'ExtendedTriggerMessage') {
    return certificateActions.has(action);
  }
  const requested = ownProperty(payload, 'requestedMessage');
  return typeof requested === 'string' && isSignTrigger.test(requested);
}

function isOwn(payload: unknown, context: PolicyContext): boolean {
  const data = ownProperty(payload, 'certificateHashData');
  return context.isOwnCertificate({
    hashAlgorithm: ownProperty(data, 'hashAlgorithm'),
    issuerNameHash: ownProperty(data, 'issuerNameHash'),
    issuerKeyHash: ownProperty(data, 'issuerKeyHash'),
    serialNumber: ownProperty(data, 'serialNumber'),
  });
}

/** Whether the certificate is for vehicles. What is neither known nor absent is the charger's. */
function isForVehicles(payload: unknown, { version }: PolicyContext): boolean {
  // OCPP 1.6 knows no types: what says one there is read as if it did not.
  return version !== 'ocpp1.6' && vehicleTypes.includes(ownProperty(payload, 'certificateType'));
}

function requestViolation(payload: unknown, context: PolicyContext): Violation | undefined {
  const refuse = (detail: string) => violation('CERTIFICATE_REQUEST_UNACCEPTABLE', detail);
  const request = readRequest(textAt(payload, 'csr'));
  if (!request.ok) return refuse(request.error);
  const { asksForCa, commonNames, strengthProblem: weakness } = request.value;
  if (weakness !== undefined) return refuse(weakness);
  if (asksForCa) return refuse('it asks for the certificate of an authority');
  if (isForVehicles(payload, context)) return undefined;
  const problem = nameProblem(commonNames, context);
  return problem === undefined ? undefined : refuse(problem);
}

/**
 * The CN of a request or certificate, when the store must be asked whose it is before the message
 * can be judged; undefined when nothing needs to be asked.
 */
export function commonNameToLookUp(
  frame: Frame,
  from: Peer,
  context: PolicyContext,
): string | undefined {
  if (frame.kind !== 'call' || context.securityProfile < 2) return undefined;
  const { action, payload } = frame;
  if (isForVehicles(payload, context)) return undefined;
  const names = namesIn(action, payload, from);
  const [name, ...others] = names;
  if (name === undefined || others.length > 0) return undefined;
  return context.isForeignName(name) === undefined ? name : undefined;
}

function namesIn(action: string, payload: unknown, from: Peer): readonly string[] {
  if (from === 'charger' && action === 'SignCertificate') {
    const request = readRequest(textAt(payload, 'csr'));
    return request.ok ? request.value.commonNames : [];
  }
  if (from === 'csms' && action === 'CertificateSigned') {
    const chain = readCertificates(textAt(payload, 'certificateChain'));
    const leaf = chain.ok ? chain.value[0] : undefined;
    return leaf === undefined ? [] : subjectOf(leaf).commonNames;
  }
  return [];
}

/** Why these names are not those of a certificate of this charger. */
function nameProblem(names: readonly string[], context: PolicyContext): string | undefined {
  if (!isNamedAs(names, context)) return 'its CN is not one of this charger';
  for (const name of names) {
    const isForeign = context.isForeignName(name);
    if (isForeign === true) return 'its CN is that of another charger';
    if (isForeign === 'unknown') return 'whose its CN is cannot be looked up at the moment';
  }
  return undefined;
}

/** Does it have exactly one CN, and one that is known, if any is? */
function isNamedAs(names: readonly string[], { commonNames }: PolicyContext): boolean {
  const [name, ...others] = names;
  if (commonNames.length === 0) return true;
  // What cannot be decoded (U+FFFD) is the same as nothing else.
  const isText = name !== undefined && !name.includes('\ufffd');
  return isText && others.length === 0 && commonNames.includes(name);
}

function certificateViolation(payload: unknown, context: PolicyContext): Violation | undefined {
  const refuse = (detail: string) => violation('CERTIFICATE_UNREQUESTED', detail);
  if (isForVehicles(payload, context)) return undefined;
  const chain = readCertificates(textAt(payload, 'certificateChain'));
  if (!chain.ok) return refuse(`the chain: ${chain.error}`);
  const [leaf] = chain.value;
  const fields = leaf && readFields(leaf);
  if (leaf === undefined || fields === undefined) return refuse('the chain is empty');
  const problem =
    strengthProblem(leaf) ??
    leafProblem(fields, context) ??
    requestProblem(payload, fields, context);
  if (problem !== undefined) return refuse(problem);
  return context.lastSigningRequest === undefined
    ? // The charger may have asked before the gateway was there.
      violation('CERTIFICATE_UNREQUESTED', 'no request of the charger was seen', 'soft')
    : undefined;
}

/** Why a charger cannot use this certificate, or should not. */
function leafProblem(fields: CertificateFields, context: PolicyContext): string | undefined {
  const { extensions, notAfterMs, notBeforeMs, subjectName } = fields;
  const nowMs = context.nowMs();
  if (extensions.isCa) return 'it is the certificate of an authority';
  if (nowMs < notBeforeMs) return 'it is valid in the future only';
  if (nowMs > notAfterMs) return 'it has expired';
  return nameProblem(subjectName.commonNames, context);
}

/** Why this certificate is not the one that the charger has asked for. */
function requestProblem(
  payload: unknown,
  { spki }: CertificateFields,
  { lastSigningRequest: request, version }: PolicyContext,
): string | undefined {
  if (request === undefined) return undefined;
  if (spkiSha256(spki) !== request.spkiSha256) return 'its key is not that of the last request';
  const requestId = ownProperty(payload, 'requestId');
  const isOther = requestId !== undefined && requestId !== request.requestId;
  return version === 'ocpp2.1' && isOther
    ? 'its requestId is not that of the last request'
    : undefined;
}

function textAt(payload: unknown, key: string): string {
  const value = ownProperty(payload, key);
  return typeof value === 'string' ? value : '';
}

function violation(
  code: Extract<ErrorCode, `CERTIFICATE_${string}`>,
  detail: string,
  severity: Severity = 'hard',
): Violation {
  return { rule: 'certificates', code, severity, detail };
}
