import { askedBy } from './asked-actions.ts';
import type { Identification } from './boot.ts';
import type { Learner, Parts } from './learner.ts';
import { isAccepted, transactionIdAt } from './read-property.ts';
import type { Urgency } from './seen.ts';
import type { TransactionRecord } from './transaction-record.ts';
import { placeOf } from './transactions.ts';

/** `soon` for a change, `none` otherwise. */
export function soonIf(isChanged: boolean): Urgency {
  return isChanged ? 'soon' : 'none';
}

/** Learns that the CSMS asked for the end of a transaction; the same in each version. */
export const stopLearner: Learner = {
  from: 'csms',
  reply: ({ payload, atMs: sentAtMs }) => {
    const transactionId = transactionIdAt(payload, 'transactionId') ?? '';
    return ({ transactions }, result, atMs) =>
      soonIf(isAccepted(result) && transactions.stopAccepted(transactionId, sentAtMs, atMs));
  },
};

/** Learns what the CSMS asks the charger to send; the same in each version. */
export const askingLearners: readonly (readonly [string, Learner])[] = [
  ...Object.entries(askedBy).map(([action, asked]) => [action, askingLearner(asked)] as const),
  ['TriggerMessage', triggerLearner()],
  ['ExtendedTriggerMessage', triggerLearner()],
];

/** Learns from BootNotification, in which `identify` finds the charger's own words. */
export function bootLearner(identify: (payload: unknown) => Identification): Learner {
  return {
    from: 'charger',
    reply: ({ payload }) => {
      const identification = identify(payload);
      return ({ boot, asked }, result, atMs) => {
        const urgency = boot.bootAnswered(result, identification, atMs);
        if (urgency !== 'none' && boot.boot.status === 'Accepted') asked.clear();
        return urgency;
      };
    },
  };
}

/** A transaction has begun, at the request of the CSMS: profiles that came with it are its own. */
export function bindProfiles(parts: Parts, record: TransactionRecord): void {
  const place = placeOf(record);
  if (record.startedBy.by !== 'csms' || place === undefined) return;
  parts.limits.transactionBegan(record.transactionId, place);
}

function askingLearner(asked: string): Learner {
  return { from: 'csms', call: (parts) => eventuallyIf(parts.asked.add(asked)) };
}

function triggerLearner(): Learner {
  return {
    from: 'csms',
    call: ({ asked }, { payload }) => eventuallyIf(asked.addTriggered(payload)),
  };
}

function eventuallyIf(isChanged: boolean): Urgency {
  return isChanged ? 'eventually' : 'none';
}
