import type { HeldCommand } from '../../ramp-limit/command-rows.ts';
import type { Dimension } from '../../ramp-limit/ledger.ts';
import { timeOf } from '../charger/json-text.ts';
import type { CommandOutlook, Why } from './outlook.ts';

/** The words for what budgets are about. */
export const dimensionTexts: Readonly<Record<Dimension, string>> = {
  commandsMilli: 'commands',
  upW: 'kW up',
  downW: 'kW down',
};

/** The same as --json has them. */
export const dimensionKeys: Readonly<Record<Dimension, 'commands' | 'upKw' | 'downKw'>> = {
  commandsMilli: 'commands',
  upW: 'upKw',
  downW: 'downKw',
};

/** Why a command waits, for people. */
export function whyText(why: Why): string {
  switch (why.is) {
    case 'now':
      return 'now';
    case 'budget': {
      const of = `feeder ${why.feeder} in ${dimensionTexts[why.dimension]}`;
      return why.untilMs === Infinity ? `larger than ${of} allows` : `budget of ${of}`;
    }
    case 'dwell':
      return 'dwell time after a fall';
    case 'jitter':
      return 'jitter';
    case 'order':
      return 'behind an earlier command';
    case 'busy':
    case 'away':
      return `the charger is ${why.is}`;
    case 'arriving':
      return 'it has just come';
    case 'cancelled':
      return 'cancelled, its caller is being told';
    case 'sent':
      return 'sent, no answer yet';
  }
}

/** About when a command goes, for people. */
export function aboutText({ aboutMs, command }: CommandOutlook, nowMs: number): string {
  if (aboutMs === undefined) return '-';
  if (aboutMs <= nowMs) return 'now';
  return aboutMs >= givenUpAtMs(command) ? 'expires before' : secondText(aboutMs);
}

/** When a command is given up, unless it has been sent by then. */
export function givenUpAtMs({
  answerByMs,
  expiresAtMs,
  isAnswered,
  onLongWait,
}: HeldCommand): number {
  const isRefused = !isAnswered && onLongWait === 'refuse';
  return isRefused ? Math.min(answerByMs, expiresAtMs) : expiresAtMs;
}

/** A time, to the second. */
export function secondText(atMs: number): string {
  return timeOf(atMs)?.replace(/\.\d+Z$/, 'Z') ?? '-';
}

/** W or thousandths of a command as kW or commands. One decimal place, as nobody wants more. */
export function wholeUnits(thousandths: number): number {
  return Math.round(thousandths / 100) / 10;
}

/** A time that has passed, in seconds. */
export function secondsSince(atMs: number, nowMs: number): number {
  return Math.max(0, Math.round((nowMs - atMs) / 100) / 10);
}
