import type { Peer } from '../../ocpp/version.ts';
import { choiceAt, integerAt, keptText, textAt } from './read-property.ts';

/** A call that was sent and not answered yet, as the session knows it. */
export interface OutstandingCall {
  readonly from: Peer;
  readonly id: string;
  readonly action: string;
  /** Unix time in milliseconds. */
  readonly sentAtMs: number;
}

/** Normally each side has one. */
const outstandingMax = 8;
/** OCPP allows 36 characters, the gateway some more. */
const idCharsMax = 256;
const actionCharsMax = 64;

/** The calls as they may be kept. */
export function keptOutstanding(calls: readonly OutstandingCall[]): readonly OutstandingCall[] {
  return calls.slice(0, outstandingMax).map(({ from, id, action, sentAtMs }) => ({
    from,
    id: keptText(id, idCharsMax),
    action: keptText(action, actionCharsMax),
    sentAtMs,
  }));
}

/** The calls that were saved. */
export function savedOutstanding(saved: unknown): readonly OutstandingCall[] {
  if (!Array.isArray(saved)) return [];
  const calls = saved.map((item: unknown) => ({
    from: choiceAt(item, 'from', ['charger', 'csms']),
    id: textAt(item, 'id', idCharsMax),
    action: textAt(item, 'action', actionCharsMax),
    sentAtMs: integerAt(item, 'sentAtMs'),
  }));
  return calls.filter(isWhole).slice(0, outstandingMax);
}

function isWhole(
  call: {
    readonly [Key in keyof OutstandingCall]: OutstandingCall[Key] | undefined;
  },
): call is OutstandingCall {
  return Object.values(call).every((value) => value !== undefined);
}
