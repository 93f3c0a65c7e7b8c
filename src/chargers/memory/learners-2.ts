import { ownProperty } from '../../ocpp/message.ts';
import { identificationIn2 } from './boot.ts';
import { externalLimitOf, limitSourceAt, profileOf, purposeAt } from './charging-limits.ts';
import { scheduleOf, scheduleUpdateOf } from './charging-schedule.ts';
import { askingLearners, bootLearner, soonIf, stopLearner } from './common-learners.ts';
import { availabilityAt, placeOfEvse, statusAt, wholeCharger } from './connectors.ts';
import type { Learner, Learners } from './learner.ts';
import { integerAt, isAccepted, listAt, transactionIdAt } from './read-property.ts';
import { securityEventLearner } from './security-events.ts';
import { moreUrgent, type Urgency } from './seen.ts';
import { signCertificateLearner } from './signing-requests.ts';
import { transactionEvent } from './transaction-event.ts';
import { placeOf } from './transactions.ts';
import { isSameVariable, type Variable, variableOf } from './variables.ts';

const statusNotification: Learner = {
  from: 'charger',
  call: ({ connectors }, { payload, atMs }) => {
    const place = {
      evseId: integerAt(payload, 'evseId'),
      connectorId: integerAt(payload, 'connectorId'),
    };
    return connectors.statusIs(place, { status: statusAt(payload, 'connectorStatus') }, atMs);
  },
};

const changeAvailability: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const place = placeOfEvse(ownProperty(payload, 'evse'));
    const availability = availabilityAt(payload, 'operationalStatus');
    return ({ connectors }, result, atMs) => {
      const isScheduled = ownProperty(result, 'status') === 'Scheduled';
      if (!isScheduled && !isAccepted(result)) return 'none';
      return connectors.availabilityIs(place, { availability, isScheduled }, atMs);
    };
  },
};

/** Components whose AvailabilityState is the status of a connector, an EVSE, or the charger. */
const statusComponents: readonly unknown[] = ['Connector', 'EVSE', 'ChargingStation'];

const notifyEvent: Learner = {
  from: 'charger',
  call: ({ connectors, variables }, { payload, atMs }) => {
    const events = listAt(payload, 'eventData').slice(-itemsMax);
    let urgency: Urgency = 'none';
    for (const event of events) {
      const component = ownProperty(event, 'component');
      const name = ownProperty(component, 'name');
      const variable = ownProperty(ownProperty(event, 'variable'), 'name');
      if (variable !== 'AvailabilityState' || !statusComponents.includes(name)) continue;
      const evse = ownProperty(component, 'evse');
      const place = name === 'ChargingStation' ? wholeCharger : placeOfEvse(evse);
      const said = { status: statusAt(event, 'actualValue') };
      urgency = moreUrgent(urgency, connectors.statusIs(place, said, atMs));
    }
    const values = variablesIn(events, (event) => variableOf(event, 'actualValue'));
    return moreUrgent(urgency, variables.learn(values));
  },
};

const meterValues: Learner = {
  from: 'charger',
  call: ({ meters }, { payload, atMs }) =>
    meters.learn(integerAt(payload, 'evseId'), listAt(payload, 'meterValue'), atMs),
};

const requestStartTransaction: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const evseId = integerAt(payload, 'evseId');
    const remoteStartId = integerAt(payload, 'remoteStartId');
    const profile = profileOf(ownProperty(payload, 'chargingProfile'), evseId, 0);
    return ({ transactions, limits }, result, atMs) => {
      if (!isAccepted(result) || profile === undefined) return 'none';
      // Where the cable was plugged in first, the transaction has begun already.
      const begun =
        transactions.find(transactionIdAt(result, 'transactionId') ?? '') ??
        (remoteStartId === undefined ? undefined : transactions.withRemoteStartId(remoteStartId));
      const place = begun && placeOf(begun);
      const transactionId =
        transactionIdAt(result, 'transactionId') ?? begun?.transactionId ?? profile.transactionId;
      limits.profileAccepted(
        { ...profile, place: place ?? profile.place, transactionId, atMs },
        false,
      );
      return 'soon';
    };
  },
};

const setChargingProfile: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const place = integerAt(payload, 'evseId');
    const profile = profileOf(ownProperty(payload, 'chargingProfile'), place, 0);
    return ({ limits }, result, atMs) =>
      soonIf(isAccepted(result) && limits.profileAccepted(profile && { ...profile, atMs }, false));
  },
};

const clearChargingProfile: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const given = ownProperty(payload, 'chargingProfileCriteria');
    const criteria = {
      id: integerAt(payload, 'chargingProfileId'),
      place: integerAt(given, 'evseId'),
      purpose: purposeAt(given),
      stackLevel: integerAt(given, 'stackLevel'),
    };
    return ({ limits }, result, atMs) =>
      soonIf(isAccepted(result) && limits.cleared(criteria, atMs));
  },
};

const reportChargingProfiles: Learner = {
  from: 'charger',
  call: ({ limits }, { payload, atMs }) => {
    const place = integerAt(payload, 'evseId');
    let urgency: Urgency = 'none';
    for (const item of listAt(payload, 'chargingProfile').slice(0, itemsMax)) {
      if (limits.profileReported(profileOf(item, place, atMs))) urgency = 'eventually';
    }
    return urgency;
  },
};

const notifyChargingLimit: Learner = {
  from: 'charger',
  call: ({ limits }, { payload, atMs }) =>
    soonIf(limits.externalLimitIs(externalLimitOf(payload, atMs))),
};

const clearedChargingLimit: Learner = {
  from: 'charger',
  call: ({ limits }, { payload }) =>
    soonIf(limits.externalLimitCleared(limitSourceAt(payload), integerAt(payload, 'evseId'))),
};

const getCompositeSchedule: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const place = integerAt(payload, 'evseId') ?? 0;
    return ({ limits }, result, atMs) => {
      if (!isAccepted(result)) return 'none';
      limits.compositeIs(place, scheduleOf(ownProperty(result, 'schedule')), atMs);
      return 'eventually';
    };
  },
};

const updateDynamicSchedule: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const id = integerAt(payload, 'chargingProfileId');
    // A copy, since the call must not be kept.
    const update = scheduleUpdateOf(ownProperty(payload, 'scheduleUpdate'));
    return ({ limits }, result, atMs) =>
      soonIf(isAccepted(result) && limits.profileUpdated(id, update, atMs));
  },
};

/** Here the charger asks, and the limits are in the reply of the CSMS. */
const pullDynamicScheduleUpdate: Learner = {
  from: 'charger',
  reply: ({ payload }) => {
    const id = integerAt(payload, 'chargingProfileId');
    return ({ limits }, result, atMs) => {
      const update = ownProperty(result, 'scheduleUpdate');
      return soonIf(isAccepted(result) && limits.profileUpdated(id, update, atMs));
    };
  },
};

const getVariables: Learner = {
  from: 'csms',
  reply:
    () =>
    ({ variables }, result) => {
      const items = listAt(result, 'getVariableResult').filter(
        (item) => ownProperty(item, 'attributeStatus') === 'Accepted',
      );
      return variables.learn(variablesIn(items, (item) => variableOf(item, 'attributeValue')));
    },
};

const setVariables: Learner = {
  from: 'csms',
  reply: ({ payload }) => {
    const items = listAt(payload, 'setVariableData').slice(0, itemsMax);
    const set = variablesIn(items, (item) => variableOf(item, 'attributeValue'));
    return ({ variables }, result) => {
      const taken: Variable[] = [];
      for (const item of listAt(result, 'setVariableResult').slice(0, itemsMax)) {
        const status = ownProperty(item, 'attributeStatus');
        const needsReboot = status === 'RebootRequired';
        const named = variableOf(item, 'attributeValue');
        const variable = named && set.find((other) => isSameVariable(other, named));
        if (variable !== undefined && (needsReboot || status === 'Accepted')) {
          taken.push({ ...variable, needsReboot });
        }
      }
      return soonIf(variables.learn(taken) !== 'none');
    };
  },
};

const notifyReport: Learner = {
  from: 'charger',
  call: ({ variables }, { payload }) => {
    const reported: Variable[] = [];
    for (const item of listAt(payload, 'reportData')) {
      const attributes = listAt(item, 'variableAttribute').slice(0, attributesMax);
      reported.push(...variablesIn(attributes, (one) => variableOf(item, 'value', one)));
    }
    return variables.learn(reported);
  },
};

/** What one message may teach of a kind; no charger of OCPP has more in one message. */
const itemsMax = 300;
/** Actual, Target, MinSet and MaxSet. */
const attributesMax = 4;

function variablesIn(
  items: readonly unknown[],
  read: (item: unknown) => Variable | undefined,
): readonly Variable[] {
  return items.map(read).filter((variable) => variable !== undefined);
}

/** What the actions of OCPP 2.0.1 and 2.1 teach. */
export const learners2: Learners = new Map<string, Learner>([
  ...askingLearners,
  ['BootNotification', bootLearner(identificationIn2)],
  ['ChangeAvailability', changeAvailability],
  ['ClearChargingProfile', clearChargingProfile],
  ['ClearedChargingLimit', clearedChargingLimit],
  ['GetCompositeSchedule', getCompositeSchedule],
  ['GetVariables', getVariables],
  ['MeterValues', meterValues],
  ['NotifyChargingLimit', notifyChargingLimit],
  ['NotifyEvent', notifyEvent],
  ['NotifyReport', notifyReport],
  ['PullDynamicScheduleUpdate', pullDynamicScheduleUpdate],
  ['ReportChargingProfiles', reportChargingProfiles],
  ['RequestStartTransaction', requestStartTransaction],
  ['RequestStopTransaction', stopLearner],
  ['SecurityEventNotification', securityEventLearner],
  ['SetChargingProfile', setChargingProfile],
  ['SetVariables', setVariables],
  ['SignCertificate', signCertificateLearner],
  ['StatusNotification', statusNotification],
  ['TransactionEvent', transactionEvent],
  ['UpdateDynamicSchedule', updateDynamicSchedule],
]);
