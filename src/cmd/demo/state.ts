import type { GatewayEvent } from '../../events/catalogue.ts';
import type { OcppVersion } from '../../ocpp/version.ts';

/** One line of what happens, for people. */
export interface DemoLine {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly kind: 'passed' | 'flagged' | 'held' | 'refused' | 'notice';
  readonly text: string;
}

/** One charger, as the demo shows it. */
export interface DemoCharger {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly status: string;
  readonly powerKw: number;
  readonly socPercent: number | undefined;
}

/** What became of an attempt. */
export interface AttemptResult {
  /** `paced`: it was done, but no faster than the feeder can bear. */
  readonly outcome: 'stopped' | 'paced' | 'got-through';
  /** What stopped it, or what went wrong. */
  readonly because: string;
  /** The load of the feeder meanwhile, where the attempt is about that. */
  readonly chart?: string;
}

/** One thing that a rogue tries. */
export interface DemoAttempt extends Omit<AttemptResult, 'outcome'> {
  readonly title: string;
  readonly outcome: AttemptResult['outcome'] | 'waiting' | 'running';
}

/** Lines that are kept for the screen. */
const linesMax = 200;

/** How many messages had which fate. */
export interface DemoCounts {
  passed: number;
  flagged: number;
  /** Commands that had to wait, which pass as well. */
  held: number;
  refused: number;
}

/** The same for people. */
export function countsText({ flagged, held, passed, refused }: Readonly<DemoCounts>): string {
  return `passed ${passed}, flagged ${flagged}, held ${held}, refused ${refused}`;
}

/** Everything that the demo shows. */
export class DemoState {
  readonly lines: DemoLine[] = [];
  readonly counts: DemoCounts = { passed: 0, flagged: 0, held: 0, refused: 0 };
  attempts: readonly DemoAttempt[] = [];
  /** Is told of every line. */
  onLine: (line: DemoLine) => void = () => {};

  /** Adds a line. */
  add(line: DemoLine): void {
    this.lines.push(line);
    if (this.lines.length > linesMax) this.lines.shift();
    this.onLine(line);
  }

  /** Takes note of what the gateway reports of itself. */
  observe(event: GatewayEvent, atMs: number): void {
    switch (event.name) {
      case 'FrameAdmitted': {
        this.counts.passed += 1;
        const what = event.action ?? (event.frameKind === 'call-error' ? 'error' : 'answer');
        const text = `${event.charger} ${event.from === 'charger' ? '→' : '←'} CSMS  ${what}`;
        this.add({ atMs, kind: 'passed', text });
        return;
      }
      case 'FrameFlagged':
      case 'FrameRefused': {
        const isRefused = event.name === 'FrameRefused';
        this.counts[isRefused ? 'refused' : 'flagged'] += 1;
        const arrow = event.from === 'charger' ? '→' : '←';
        const stop = isRefused ? '✗' : '!';
        const text = `${event.charger} ${arrow}${stop} CSMS  ${event.action ?? 'message'}: ${event.code}`;
        this.add({ atMs, kind: isRefused ? 'refused' : 'flagged', text });
        return;
      }
      case 'UpgradeRefused':
        this.counts.refused += 1;
        this.add({
          atMs,
          kind: 'refused',
          text: `${event.charger ?? event.remoteAddress} ✗ connection: ${event.code}`,
        });
        return;
      case 'LoadCommandHeld': {
        this.counts.held += 1;
        const text = `${event.charger} ←… CSMS  ${event.action}: must wait`;
        this.add({ atMs, kind: 'held', text });
        return;
      }
      case 'LoadCommandReleased': {
        const { action, charger, waitedSeconds } = event;
        const text = `${charger} ← CSMS  ${action}: has waited ${waitedSeconds.toFixed(1)} s`;
        this.add({ atMs, kind: 'held', text });
        return;
      }
      case 'LoadPacingWouldHold': {
        const text = `${event.charger} ←! CSMS  ${event.action}: would have had to wait`;
        this.add({ atMs, kind: 'flagged', text });
        return;
      }
      case 'SessionOpened':
        this.add({ atMs, kind: 'notice', text: `${event.charger} connected (${event.version})` });
        return;
      case 'SessionClosed':
        this.add({ atMs, kind: 'notice', text: `${event.charger} disconnected: ${event.code}` });
        return;
      default:
        return;
    }
  }
}
