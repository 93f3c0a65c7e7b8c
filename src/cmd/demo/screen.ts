import { stripVTControlCharacters, styleText } from 'node:util';
import { type FeederMeter, feederName } from './feeder-meter.ts';
import type { DemoAttempt, DemoCharger, DemoLine, DemoState } from './state.ts';

/** What the screen shows beside the state. */
export interface ScreenFacts {
  readonly gateway: string;
  readonly csms: string;
  readonly admin: string;
  readonly chargers: readonly DemoCharger[];
  readonly sessions: number;
  readonly meter: FeederMeter;
}

/** Size of the terminal. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const outcomes: Readonly<Record<DemoAttempt['outcome'], string>> = {
  waiting: styleText('dim', '·'),
  running: styleText('yellow', '…'),
  stopped: styleText('green', '✓ stopped'),
  // As wide as "stopped".
  paced: styleText('green', '✓ paced  '),
  'got-through': styleText(['bold', 'red'], '✗ GOT THROUGH'),
};

/** Rows below which reasons are left out, so that there is room for the chargers. */
const reasonRowsMin = 36;
/** Rows that the feed gets at least. */
const feedRowsMin = 5;
/** Readings of the feeder that are shown at most: a quarter of a minute. */
const chartReadingsMax = 30;

/** The whole screen as lines, each at most as wide as the terminal. */
export function drawScreen(state: DemoState, facts: ScreenFacts, size: ScreenSize): string[] {
  const attempts = attemptRows(state, size.rows >= reasonRowsMin);
  // Two rows of title, one of the feeder, and six blank or heading rows.
  const chargerRoom = size.rows - 1 - 2 - 1 - 6 - attempts.length - feedRowsMin;
  const head = [
    ...titleRows(state, facts),
    '',
    styleText('bold', ' CHARGER    OCPP   STATUS           kW   CHARGE'),
    ...chargerRows(facts.chargers, Math.max(1, chargerRoom)),
    feederRow(facts.meter, size.columns),
    '',
    styleText('bold', ' WHAT ROGUES TRY'),
    ...attempts,
    '',
    styleText('bold', ' WHAT HAPPENS'),
  ];
  const room = Math.max(1, size.rows - 1 - head.length);
  const feed = state.lines.slice(-room).map(lineText);
  return [...head, ...feed].slice(0, size.rows - 1).map((line) => cut(line, size.columns));
}

function titleRows({ counts }: DemoState, facts: ScreenFacts): string[] {
  const { passed, flagged, held, refused } = counts;
  return [
    styleText('bold', ' gatewatt demo') +
      styleText('dim', '   Ctrl-C ends it   chargers → ') +
      `gateway ${facts.gateway}` +
      styleText('dim', ' → ') +
      `CSMS ${facts.csms}`,
    ` ${styleText('green', `passed ${passed}`)}   ${styleText('yellow', `flagged ${flagged}`)}   ` +
      `${styleText('yellow', `held ${held}`)}   ${styleText('red', `refused ${refused}`)}   sessions ${facts.sessions}   ` +
      styleText('dim', `metrics http://${facts.admin}/metrics`),
  ];
}

function chargerRows(chargers: readonly DemoCharger[], room: number): string[] {
  if (chargers.length <= room) return chargers.map(chargerLine);
  const shown = chargers.slice(0, room - 1).map(chargerLine);
  return [...shown, styleText('dim', ` and ${chargers.length - shown.length} more`)];
}

/** The sum of the chargers, over time. */
function feederRow(meter: FeederMeter, columns: number): string {
  const sum = ` feeder ${feederName}`.padEnd(32) + meter.loadKw.toFixed(1).padStart(6);
  const { budgetText } = meter;
  const room = columns - sum.length - budgetText.length - 6;
  const chart = meter.latestChart(Math.max(1, Math.min(chartReadingsMax, room)));
  return `${styleText('bold', sum)}   ${styleText('green', chart)}   ${styleText('dim', budgetText)}`;
}

function attemptRows({ attempts }: DemoState, hasReasons: boolean): string[] {
  if (attempts.length === 0) {
    return [styleText('dim', ' in a moment: a hijacked charger and a stolen CSMS account')];
  }
  return attempts.flatMap((attempt, index) => {
    const lines = attemptLines(attempt, index);
    return hasReasons ? lines : lines.slice(0, 1);
  });
}

/** One line of the feed. */
export function lineText({ atMs, kind, text }: DemoLine): string {
  const time = styleText('dim', new Date(atMs).toISOString().slice(11, 19));
  switch (kind) {
    case 'passed':
      return ` ${time} ${text}`;
    case 'flagged':
    case 'held':
      return ` ${time} ${styleText('yellow', text)}`;
    case 'refused':
      return ` ${time} ${styleText('red', text)}`;
    case 'notice':
      return ` ${time} ${styleText('cyan', text)}`;
  }
}

function chargerLine({ identity, version, status, powerKw, socPercent }: DemoCharger): string {
  const power = powerKw > 0 ? powerKw.toFixed(1) : '·';
  const charge = socPercent === undefined ? '' : `${Math.round(socPercent)} %`.padStart(5);
  const name = identity.padEnd(10);
  const state = status === 'Charging' ? styleText('green', status.padEnd(13)) : status.padEnd(13);
  return ` ${name} ${version.slice(4).padEnd(6)} ${state} ${power.padStart(5)}   ${charge}`;
}

function attemptLines({ title, outcome, because, chart }: DemoAttempt, index: number): string[] {
  const line = ` ${index + 1} ${outcomes[outcome]}  ${title}`;
  const reasons = [because, chart ?? ''].filter((text) => text !== '');
  return [line, ...reasons.map((text) => styleText('dim', `     ${text}`))];
}

/** Cuts a line at `columns` visible characters; colours do not count and are closed. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  if (plain.length <= columns) return line;
  return `${plain.slice(0, columns - 1)}…`;
}
