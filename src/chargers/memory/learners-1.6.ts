import { ownProperty } from '../../ocpp/message.ts';
import { identificationIn16 } from './boot.ts';
import { profileOf, purposeAt } from './charging-limits.ts';
import { scheduleOf } from './charging-schedule.ts';
import {
  askingLearners,
  bindProfiles,
  bootLearner,
  soonIf,
  stopLearner,
} from './common-learners.ts';
import { availabilityAt, statusAt } from './connectors.ts';
import type { Learner, Learners } from './learner.ts';
import { registerWh } from './meter-values.ts';
import { integerAt, isAccepted, listAt, numberAt, transactionIdAt } from './read-property.ts';
import { securityEventLearner } from './security-events.ts';
import { signCertificateLearner } from './signing-requests.ts';
import { idTokenAt, reasonAt, timestampAt } from './transaction-record.ts';
import { isNoTransaction16, placeOf } from './transactions.ts';
import { configurationKeyOf } from './variables.ts';

const statusNotification: Learner = {
  from: 'charger',
  call: ({ connectors }, { payload, atMs }) => {
    const place = { evseId: undefined, connectorId: integerAt(payload, 'connectorId') };
    const status = statusAt(payload, 'status');
    return connectors.statusIs(place, { status, errorCode: statusAt(payload, 'errorCode') }, atMs);
  },
};

const changeAvailability: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const place = { evseId: undefined, connectorId: integerAt(payload, 'connectorId') };
    const availability = availabilityAt(payload, 'type');
    return ({ connectors }, result, atMs) => {
      const isScheduled = ownProperty(result, 'status') === 'Scheduled';
      if (!isScheduled && !isAccepted(result)) return 'none';
      return connectors.availabilityIs(place, { availability, isScheduled }, atMs);
    };
  },
};

const meterValues: Learner = {
  from: 'charger',
  call: ({ meters }, { payload, atMs }) =>
    meters.learn(integerAt(payload, 'connectorId'), listAt(payload, 'meterValue'), atMs),
};

/** The CSMS gives the id, in its reply. */
const startTransaction: Learner = {
  from: 'charger',
  reply: ({ payload, atMs: seenAtMs }) => {
    const start = {
      connectorId: integerAt(payload, 'connectorId'),
      idToken: idTokenAt(payload, 'idTag'),
      meterStart: numberAt(payload, 'meterStart'),
      chargerStartedAt: timestampAt(payload, 'timestamp'),
      atMs: seenAtMs,
    };
    return (parts, result) => {
      const transactionId = transactionIdAt(result, 'transactionId');
      // Also when the idTag was refused: the charger then stops it under its id.
      if (transactionId === undefined || isNoTransaction16(transactionId)) return 'none';
      bindProfiles(parts, parts.transactions.started16(transactionId, start));
      return 'soon';
    };
  },
};

const stopTransaction: Learner = {
  from: 'charger',
  call: (parts, { payload, atMs }) => {
    const transactionId = transactionIdAt(payload, 'transactionId') ?? '';
    // Unknown ones are not learned from it: it is the CSMS that says which transactions there are.
    const known = parts.transactions.find(transactionId);
    if (known === undefined) return 'none';
    const data = listAt(payload, 'transactionData');
    const place = placeOf(known);
    const metered = parts.meters.learn(place, data, atMs);
    const ended = parts.transactions.ends(transactionId, {
      idToken: idTokenAt(payload, 'idTag'),
      reason: reasonAt(payload, 'reason'),
      meterStop: numberAt(payload, 'meterStop') ?? registerWh(data, 'Transaction.End'),
      chargerEndedAt: timestampAt(payload, 'timestamp'),
      atMs,
    });
    if (ended === undefined) return metered;
    parts.limits.transactionEnded(transactionId, place);
    return 'soon';
  },
};

const remoteStartTransaction: Learner = {
  from: 'csms',
  reply: ({ payload, atMs: sentAtMs }) => {
    const idToken = idTokenAt(payload, 'idTag');
    const connectorId = integerAt(payload, 'connectorId');
    const profile = profileOf(ownProperty(payload, 'chargingProfile'), connectorId, sentAtMs);
    return ({ transactions, limits }, result, atMs) => {
      if (!isAccepted(result)) return 'none';
      limits.profileAccepted(profile && { ...profile, atMs }, true);
      const begun = transactions.startAccepted({ idToken, connectorId, atMs }, sentAtMs);
      const place = begun && placeOf(begun);
      if (begun !== undefined && place !== undefined) {
        limits.transactionBegan(begun.transactionId, place);
      }
      return 'soon';
    };
  },
};

const setChargingProfile: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const place = integerAt(payload, 'connectorId');
    const profile = profileOf(ownProperty(payload, 'csChargingProfiles'), place, 0);
    return ({ limits }, result, atMs) =>
      soonIf(isAccepted(result) && limits.profileAccepted(profile && { ...profile, atMs }, true));
  },
};

const clearChargingProfile: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const criteria = {
      id: integerAt(payload, 'id'),
      place: integerAt(payload, 'connectorId'),
      purpose: purposeAt(payload),
      stackLevel: integerAt(payload, 'stackLevel'),
    };
    return ({ limits }, result, atMs) =>
      soonIf(isAccepted(result) && limits.cleared(criteria, atMs));
  },
};

const getCompositeSchedule: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const place = integerAt(payload, 'connectorId') ?? 0;
    return ({ limits }, result, atMs) => {
      if (!isAccepted(result)) return 'none';
      const schedule = scheduleOf(ownProperty(result, 'chargingSchedule'));
      const startSchedule = schedule.startSchedule ?? timestampAt(result, 'scheduleStart');
      limits.compositeIs(place, { ...schedule, startSchedule }, atMs);
      return 'eventually';
    };
  },
};

const getConfiguration: Learner = {
  from: 'csms',
  reply:
    () =>
    ({ variables }, result) =>
      variables.learn(
        listAt(result, 'configurationKey')
          .map(configurationKeyOf)
          .filter((variable) => variable !== undefined),
      ),
};

const changeConfiguration: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const variable = configurationKeyOf(payload);
    return ({ variables }, result) => {
      const needsReboot = ownProperty(result, 'status') === 'RebootRequired';
      if (variable === undefined || (!needsReboot && !isAccepted(result))) return 'none';
      return soonIf(variables.learn([{ ...variable, needsReboot }]) !== 'none');
    };
  },
};

/** What the actions of OCPP 1.6 teach. */
export const learners16: Learners = new Map<string, Learner>([
  ...askingLearners,
  ['BootNotification', bootLearner(identificationIn16)],
  ['ChangeAvailability', changeAvailability],
  ['ChangeConfiguration', changeConfiguration],
  ['ClearChargingProfile', clearChargingProfile],
  ['GetCompositeSchedule', getCompositeSchedule],
  ['GetConfiguration', getConfiguration],
  ['MeterValues', meterValues],
  ['RemoteStartTransaction', remoteStartTransaction],
  ['RemoteStopTransaction', stopLearner],
  ['SecurityEventNotification', securityEventLearner],
  ['SetChargingProfile', setChargingProfile],
  ['SignCertificate', signCertificateLearner],
  ['StartTransaction', startTransaction],
  ['StatusNotification', statusNotification],
  ['StopTransaction', stopTransaction],
]);
