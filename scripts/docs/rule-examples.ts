import type { OcppVersion, Peer } from '../../src/ocpp/version.ts';
import type { PolicyContext } from '../../src/policy/context.ts';
import type { Correlation } from '../../src/rules/rule.ts';
import type { SignatureProblem } from '../../src/signing/problem.ts';

/** A message, to show what the rules make of it. */
export interface RuleExample {
  readonly what: string;
  readonly from: Peer;
  readonly version: OcppVersion;
  readonly text: string;
  /** What the conversation says; worked out from the message when absent. */
  readonly correlation?: Correlation;
  /** What is known of the charger; without it, that the CSMS has accepted it. */
  readonly context?: Partial<PolicyContext>;
  /** What is wrong with its signature, where the CSMS must sign. */
  readonly signature?: SignatureProblem;
}

const stopTransaction = (idTag: string): string =>
  `[2,"5","StopTransaction",{"transactionId":7,"meterStop":1000,` +
  `"timestamp":"2026-01-01T00:00:00Z","idTag":"${idTag}"}]`;
const meterValues = (transactionId: string): string =>
  `[2,"6","MeterValues",{"connectorId":1,"transactionId":${transactionId},"meterValue":` +
  `[{"timestamp":"2026-01-01T00:00:00","sampledValue":[{"value":"1"}]}]}]`;

const transactionEnded =
  '[2,"18","TransactionEvent",{"eventType":"Ended","timestamp":"2026-01-01T00:00:00Z",' +
  '"triggerReason":"RemoteStop","seqNo":2,"transactionInfo":{"transactionId":"2f7d-0c11-88aa-91b3"}}]';

const deleteCertificate =
  '[2,"23","DeleteCertificate",{"certificateHashData":{"hashAlgorithm":"SHA256",' +
  '"issuerNameHash":"00","issuerKeyHash":"00","serialNumber":"1"}}]';

/** The examples of docs/message-rules.md. The table there is made by running the rules on them. */
export const ruleExamples: readonly RuleExample[] = [
  {
    what: 'a Heartbeat as it should be',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[2,"1","Heartbeat",{}]',
  },
  {
    what: 'broken JSON: a value is missing',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[2,"2","MeterValues",{"transactionId":,"connectorId":1}]',
  },
  {
    what: 'broken JSON',
    from: 'csms',
    version: 'ocpp2.0.1',
    text: '[2,"2","Reset",{"type":"Immediate"]',
  },
  {
    what: 'one key twice',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"3","Reset",{"type":"Soft","type":"Hard"}]',
  },
  {
    what: 'message type 1',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[1,"4","Heartbeat",{}]',
  },
  {
    what: 'message type 1',
    from: 'charger',
    version: 'ocpp2.0.1',
    text: '[1,"4","Heartbeat",{}]',
  },
  {
    what: 'a command that is not signed, where the CSMS must sign',
    from: 'csms',
    version: 'ocpp2.0.1',
    text: '[2,"8","ClearCache",{}]',
    signature: { is: 'missing', detail: 'the action does not end with -Signed' },
  },
  {
    what: 'an answer that is signed for another charger',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[3,"8",{"currentTime":"2026-01-01T00:00:00Z"}]',
    signature: { is: 'other-charger', detail: 'aud is missing or is not this charger' },
    correlation: { is: 'answer', action: 'Heartbeat' },
  },
  { what: 'an empty text', from: 'charger', version: 'ocpp1.6', text: '' },
  {
    what: 'null for an empty payload',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[2,"1","Heartbeat",null]',
  },
  {
    what: 'a message id of 40 characters',
    from: 'charger',
    version: 'ocpp1.6',
    text: `[2,"${'1'.repeat(40)}","Heartbeat",{}]`,
  },
  {
    what: 'a message id of 40 characters',
    from: 'charger',
    version: 'ocpp2.0.1',
    text: `[2,"${'1'.repeat(40)}","Heartbeat",{}]`,
  },
  {
    what: 'UpdateFirmware sent by a charger',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[2,"7","UpdateFirmware",{"location":"https://example.org","retrieveDate":"2026-01-01T00:00:00Z"}]',
  },
  {
    what: 'an action that no version has',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"7","Explode",{}]',
  },
  {
    what: 'a reply to nothing',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[3,"99",{}]',
    correlation: { is: 'unsolicited' },
  },
  {
    what: 'a reply after the deadline',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[3,"98",{"status":"Accepted"}]',
    correlation: { is: 'late' },
  },
  {
    what: 'the id of an open call, other bytes',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"8","ClearCache",{}]',
    correlation: { is: 'conflict', open: true, isUnanswered: true },
  },
  {
    what: 'StopTransaction without a meter value',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[2,"9","StopTransaction",{"transactionId":7,"timestamp":"2026-01-01T00:00:00Z"}]',
  },
  {
    what: 'StopTransaction with an idTag of 22 characters',
    from: 'charger',
    version: 'ocpp1.6',
    text: stopTransaction('A'.repeat(22)),
  },
  {
    what: 'a timestamp without a time zone',
    from: 'charger',
    version: 'ocpp1.6',
    text: meterValues('7'),
  },
  {
    what: 'the transaction id 2^63-1, and the same timestamp',
    from: 'charger',
    version: 'ocpp1.6',
    text: meterValues('9223372036854775807'),
  },
  {
    what: 'a configuration key of 51 characters',
    from: 'csms',
    version: 'ocpp1.6',
    text: `[2,"10","GetConfiguration",{"key":["${'k'.repeat(51)}"]}]`,
  },
  {
    what: 'a reply with an unknown status',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[3,"11",{"status":"Perhaps"}]',
    correlation: { is: 'answer', action: 'Reset' },
  },
  {
    what: 'a reply without its status',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[3,"11",{}]',
    correlation: { is: 'answer', action: 'Reset' },
  },
  {
    what: 'DataTransfer with an object for its data',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[2,"12","DataTransfer",{"vendorId":"example","data":{"a":1}}]',
  },
  {
    what: 'UpdateFirmware of OCPP 1.6, which is never signed',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"13","UpdateFirmware",{"location":"https://example.org","retrieveDate":"2026-01-01T00:00:00Z"}]',
  },
  {
    what: 'UpdateFirmware without a signature',
    from: 'csms',
    version: 'ocpp2.0.1',
    text: '[2,"14","UpdateFirmware",{"requestId":1,"firmware":{"location":"https://example.org","retrieveDateTime":"2026-01-01T00:00:00Z"}}]',
  },
  {
    what: 'a reply from before the charger connected again',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[3,"97",{"status":"Accepted"}]',
    correlation: { is: 'stale' },
  },
  {
    what: 'a Heartbeat while the registration is pending',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[2,"15","Heartbeat",{}]',
    context: { bootStatus: 'Pending' },
  },
  {
    what: 'a Heartbeat while it is pending, which the CSMS has asked for',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[2,"15","Heartbeat",{}]',
    context: { bootStatus: 'Pending', wasTriggered: () => true },
  },
  {
    what: 'a Heartbeat of a charger that was never seen to boot',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[2,"15","Heartbeat",{}]',
    context: { bootStatus: 'unknown' },
  },
  {
    what: 'a remote start while the registration is pending',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"16","RemoteStartTransaction",{"idTag":"A"}]',
    context: { bootStatus: 'Pending' },
  },
  {
    what: 'StopTransaction for a transaction of another charger',
    from: 'charger',
    version: 'ocpp1.6',
    text: stopTransaction('A'),
    context: { otherOwnersOf: () => 1 },
  },
  {
    what: 'StopTransaction for one that two other chargers have',
    from: 'charger',
    version: 'ocpp1.6',
    text: stopTransaction('A'),
    context: { otherOwnersOf: () => 2 },
  },
  {
    what: 'StopTransaction for one that nobody knows while the database is away',
    from: 'charger',
    version: 'ocpp1.6',
    text: stopTransaction('A'),
    context: { otherOwnersOf: () => 'unknown' },
  },
  {
    what: 'MeterValues of a charger that has connected with a default password',
    from: 'charger',
    version: 'ocpp2.0.1',
    text: '[2,"17","MeterValues",{"evseId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":1}]}]}]',
    context: { restriction: 'default-password' },
  },
  {
    what: 'TransactionEvent Ended, from a charger with an expired certificate',
    from: 'charger',
    version: 'ocpp2.0.1',
    text: transactionEnded,
    context: { restriction: 'expired-certificate', securityProfile: 3, usedProfile: 3 },
  },
  {
    what: 'an unlock of a charger with an expired certificate',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"18","UnlockConnector",{"connectorId":1}]',
    context: { restriction: 'expired-certificate', securityProfile: 3, usedProfile: 3 },
  },
  {
    what: 'a new AuthorizationKey, where the gateway gives the passwords',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"19","ChangeConfiguration",{"key":"AuthorizationKey","value":"00112233445566778899aabbccddeeff"}]',
  },
  {
    what: 'the same, where the CSMS gives them',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"19","ChangeConfiguration",{"key":"AuthorizationKey","value":"00112233445566778899aabbccddeeff"}]',
    context: { credentialChanges: 'track' },
  },
  {
    what: 'SecurityProfile 1 for a charger that has used 2',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"20","ChangeConfiguration",{"key":"SecurityProfile","value":"1"}]',
  },
  {
    what: 'SecurityProfile 3 for a charger that has used 2',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"20","ChangeConfiguration",{"key":"SecurityProfile","value":"3"}]',
  },
  {
    what: 'GetInstalledCertificateIds, where there is no TLS',
    from: 'csms',
    version: 'ocpp1.6',
    text: '[2,"21","GetInstalledCertificateIds",{"certificateType":"CentralSystemRootCertificate"}]',
    context: { securityProfile: 1, usedProfile: 1 },
  },
  {
    what: 'SignCertificate with a request that cannot be read',
    from: 'charger',
    version: 'ocpp1.6',
    text: '[2,"22","SignCertificate",{"csr":"please"}]',
  },
  {
    what: 'DeleteCertificate for the one that the charger is connected with',
    from: 'csms',
    version: 'ocpp2.0.1',
    text: deleteCertificate,
    context: { isOwnCertificate: () => true },
  },
  {
    what: 'DeleteCertificate for another one',
    from: 'csms',
    version: 'ocpp2.0.1',
    text: deleteCertificate,
  },
];
