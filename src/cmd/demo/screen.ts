import { stripVTControlCharacters, styleText } from 'node:util';
import type { DemoAttempt, DemoCharger, DemoLine, DemoState } from './state.ts';

/** What the screen shows beside the state. */
export interface ScreenFacts {
  readonly gateway: string;
  readonly csms: string;
  readonly admin: string;
  readonly chargers: readonly DemoCharger[];
  readonly sessions: number;
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
  'got-through': styleText(['bold', 'red'], '✗ GOT THROUGH'),
};

/** Rows below which reasons are left out, so that there is room for the chargers. */
const reasonRowsMin = 36;
/** Rows that the feed gets at least. */
const feedRowsMin = 5;

/** The whole screen as lines, each at most as wide as the terminal. */
export function drawScreen(state: DemoState, facts: ScreenFacts, size: ScreenSize): string[] {
  const attempts = attemptRows(state, size.rows >= reasonRowsMin);
  // Two rows of title, and four blank or heading rows.
  const chargerRoom = size.rows - 1 - 2 - 6 - attempts.length - feedRowsMin;
  const head = [
    ...titleRows(state, facts),
    '',
    styleText('bold', ' CHARGER    OCPP   STATUS           kW   CHARGE'),
    ...chargerRows(facts.chargers, Math.max(1, chargerRoom)),
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
  const { passed, flagged, refused } = counts;
  return [
    styleText('bold', ' gatewatt demo') +
      styleText('dim', '   Ctrl-C ends it   chargers → ') +
      `gateway ${facts.gateway}` +
      styleText('dim', ' → ') +
      `CSMS ${facts.csms}`,
    ` ${styleText('green', `passed ${passed}`)}   ${styleText('yellow', `flagged ${flagged}`)}   ` +
      `${styleText('red', `refused ${refused}`)}   sessions ${facts.sessions}   ` +
      styleText('dim', `metrics http://${facts.admin}/metrics`),
  ];
}

function chargerRows(chargers: readonly DemoCharger[], room: number): string[] {
  if (chargers.length <= room) return chargers.map(chargerLine);
  const shown = chargers.slice(0, room - 1).map(chargerLine);
  return [...shown, styleText('dim', ` and ${chargers.length - shown.length} more`)];
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

function attemptLines({ title, outcome, because }: DemoAttempt, index: number): string[] {
  const line = ` ${index + 1} ${outcomes[outcome]}  ${title}`;
  return because === '' ? [line] : [line, styleText('dim', `     ${because}`)];
}

/** Cuts a line at `columns` visible characters; colours do not count and are closed. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  if (plain.length <= columns) return line;
  return `${plain.slice(0, columns - 1)}…`;
}
