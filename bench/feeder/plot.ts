import type { LoadEvent } from './meter.ts';

/** What one panel of the plot shows. */
export interface Panel {
  readonly title: string;
  /** In W, when the attack begins. */
  readonly startW: number;
  readonly seconds: number;
  readonly without: readonly LoadEvent[];
  readonly protectedBy: readonly LoadEvent[];
}

const panelWidth = 360;
const panelHeight = 150;
const columns = 2;
const margin = { top: 76, left: 56, right: 14, between: 46, bottom: 30 };

/** The load of the feeder over time, one panel for each attack, as an SVG document. */
export function loadPlot(panels: readonly Panel[], loadWMax: number): string {
  const rows = Math.ceil(panels.length / columns);
  const width = columns * (margin.left + panelWidth + margin.right);
  const height = margin.top + rows * (panelHeight + margin.between) + margin.bottom;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img" aria-labelledby="title">`,
    '<title id="title">The load of a feeder under ten attacks, with and without Gatewatt</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(
      margin.left,
      26,
      'The load of a feeder with 200 chargers under ten attacks',
      'font-size="17" font-weight="bold"',
    ),
    line(margin.left, 46, margin.left + 30, 46, 'without'),
    text(margin.left + 38, 50, 'without a gateway'),
    line(margin.left + 170, 46, margin.left + 200, 46, 'with'),
    text(margin.left + 208, 50, 'with Gatewatt (150 kW up and down in any ten seconds)'),
    '<style>.without{stroke:#c0392b;stroke-width:1.6;fill:none}.with{stroke:#1f6f4a;stroke-width:2;fill:none}.axis{stroke:#999999;stroke-width:1}.grid{stroke:#e4e4e4;stroke-width:1}text{fill:#222222}.small{fill:#555555;font-size:11px}</style>',
    ...panels.map((panel, index) => panelOf(panel, index, loadWMax)),
    '</svg>',
    '',
  ].join('\n');
}

function panelOf(panel: Panel, index: number, loadWMax: number): string {
  const left = margin.left + (index % columns) * (margin.left + panelWidth + margin.right);
  const top = margin.top + Math.floor(index / columns) * (panelHeight + margin.between);
  const x = (seconds: number): number => round(left + (seconds / panel.seconds) * panelWidth);
  const y = (watts: number): number => round(top + panelHeight - (watts / loadWMax) * panelHeight);
  const lastMw = Math.floor(loadWMax / 1e6);
  const marks = Array.from({ length: lastMw + 1 }, (_, mw) => mw);
  return [
    text(left, top - 8, panel.title, 'font-weight="bold"'),
    ...marks.flatMap((mw) => [
      `<line class="grid" x1="${left}" y1="${y(mw * 1e6)}" x2="${left + panelWidth}" y2="${y(mw * 1e6)}"/>`,
      text(left - 8, y(mw * 1e6) + 4, `${mw} MW`, 'class="small" text-anchor="end"'),
    ]),
    `<line class="axis" x1="${left}" y1="${top + panelHeight}" x2="${left + panelWidth}" y2="${top + panelHeight}"/>`,
    text(left, top + panelHeight + 16, '0', 'class="small"'),
    text(
      left + panelWidth,
      top + panelHeight + 16,
      `${Math.round(panel.seconds / 60)} min`,
      'class="small" text-anchor="end"',
    ),
    `<path class="without" d="${pathOf(panel.without, panel, x, y)}"/>`,
    `<path class="with" d="${pathOf(panel.protectedBy, panel, x, y)}"/>`,
  ].join('\n');
}

/** Steps as what they are: the load holds until the next one. */
function pathOf(
  steps: readonly LoadEvent[],
  { seconds, startW }: Panel,
  x: (seconds: number) => number,
  y: (watts: number) => number,
): string {
  let loadW = startW;
  const parts = [`M${x(0)} ${y(loadW)}`];
  let lastX = x(0);
  for (const { atMs, deltaW } of steps) {
    loadW += deltaW;
    const at = x(atMs / 1000);
    if (at !== lastX) parts.push(`H${at}`);
    lastX = at;
    parts.push(`V${y(loadW)}`);
  }
  parts.push(`H${x(seconds)}`);
  return parts.join('');
}

function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${content}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
