import { stripVTControlCharacters } from 'node:util';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { FeederMeter } from './feeder-meter.ts';
import { drawScreen, lineText, type ScreenFacts } from './screen.ts';
import { countsText, type DemoState } from './state.ts';

/** Shows the demo to people. */
export interface DemoView {
  /** Ends the view; the terminal is as it was before. */
  close(): void;
}

/** Where a view writes. */
export interface DemoOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const redrawMs = 250;
const summaryMs = 5_000;
/** What the meter reads from one summary to the next, and a little more. */
const chartReadings = 12;

/** A screen that is drawn again and again, for a terminal. */
export function openScreen(
  output: DemoOutput,
  state: DemoState,
  facts: () => ScreenFacts,
  clock: Clock,
): DemoView {
  let timer: Timer | undefined;
  const draw = (): void => {
    const size = { columns: output.columns ?? 80, rows: output.rows ?? 24 };
    const lines = drawScreen(state, facts(), size);
    // Home, each line cleared to its end, then the rest of the screen: no flicker.
    output.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
    timer = clock.after(redrawMs, draw);
  };
  // The alternate screen, without a cursor.
  output.write('\u001b[?1049h\u001b[?25l');
  draw();
  return {
    close: () => {
      timer?.cancel();
      output.write('\u001b[?25h\u001b[?1049l');
    },
  };
}

/** Plain lines: everything but what passes, and a summary of that now and then. */
export function openPlainView(
  output: DemoOutput,
  state: DemoState,
  meter: FeederMeter,
  clock: Clock,
): DemoView {
  state.onLine = (line) => {
    if (line.kind === 'passed') return;
    output.write(`${stripVTControlCharacters(lineText(line)).trimStart()}\n`);
  };
  let timer: Timer | undefined;
  const summarise = (): void => {
    const { budgetText, loadKw } = meter;
    const feeder = `feeder ${meter.latestChart(chartReadings)} ${loadKw} kW (${budgetText})`;
    const text = `${countsText(state.counts)}; ${feeder}`;
    state.add({ atMs: clock.nowMs(), kind: 'notice', text });
    timer = clock.after(summaryMs, summarise);
  };
  timer = clock.after(summaryMs, summarise);
  return {
    close: () => {
      timer?.cancel();
      state.onLine = () => {};
    },
  };
}
