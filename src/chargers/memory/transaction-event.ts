import { ownProperty } from '../../ocpp/message.ts';
import { bindProfiles } from './common-learners.ts';
import type { Learner } from './learner.ts';
import { registerWh } from './meter-values.ts';
import { choiceAt, integerAt, isTrueAt, listAt, transactionIdAt } from './read-property.ts';
import type { SeenCall } from './seen.ts';
import { idTokenAt, reasonAt, timestampAt } from './transaction-record.ts';
import { type Progress, placeOf } from './transactions.ts';

/** Learns from a TransactionEvent of OCPP 2.0.1 or 2.1. The charger gives the id. */
export const transactionEvent: Learner = {
  from: 'charger',
  call: (parts, call) => {
    const { payload, version, atMs } = call;
    const info = ownProperty(payload, 'transactionInfo');
    const transactionId = transactionIdAt(info, 'transactionId');
    const eventType = choiceAt(payload, 'eventType', ['Started', 'Updated', 'Ended']);
    if (transactionId === undefined || eventType === undefined) return 'none';

    const isNew = parts.transactions.find(transactionId) === undefined;
    const progress = progressOf(call, eventType === 'Started');
    const record = parts.transactions.goesOn(transactionId, version, progress, atMs);
    const place = placeOf(record);
    parts.meters.learn(place, listAt(payload, 'meterValue'), atMs);
    if (record.status === 'open') bindProfiles(parts, record);
    if (eventType !== 'Ended') return isNew ? 'soon' : 'eventually';

    const end = parts.transactions.ends(transactionId, {
      idToken: tokenOf(payload),
      reason: reasonAt(info, 'stoppedReason'),
      meterStop: registerWh(listAt(payload, 'meterValue'), 'Transaction.End'),
      chargerEndedAt: timestampAt(payload, 'timestamp'),
      atMs,
    });
    if (end === undefined) return 'eventually';
    parts.limits.transactionEnded(transactionId, place);
    return 'soon';
  },
};

function progressOf({ payload }: SeenCall, isStart: boolean): Progress {
  const info = ownProperty(payload, 'transactionInfo');
  const evse = ownProperty(payload, 'evse');
  const isEnd = ownProperty(payload, 'eventType') === 'Ended';
  return {
    evseId: integerAt(evse, 'id'),
    connectorId: integerAt(evse, 'connectorId'),
    // The token in the last event is the one that ended it.
    idToken: isEnd ? undefined : tokenOf(payload),
    remoteStartId: integerAt(info, 'remoteStartId'),
    sequenceNumber: integerAt(payload, 'seqNo'),
    chargingState: reasonAt(info, 'chargingState'),
    meterStart: registerWh(listAt(payload, 'meterValue'), 'Transaction.Begin'),
    chargerStartedAt: isStart ? timestampAt(payload, 'timestamp') : undefined,
    isOffline: isTrueAt(payload, 'offline'),
  };
}

function tokenOf(payload: unknown): string | undefined {
  return idTokenAt(ownProperty(payload, 'idToken'), 'idToken');
}
