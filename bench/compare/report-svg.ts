import type { ContestantName } from './contestants/contestant.ts';
import { cpuAt } from './figures.ts';
import type { Machine } from './machine.ts';
import type { Summary } from './summary.ts';
import { type Transport, transports } from './transport.ts';

const bars: readonly ContestantName[] = [
  'nginx',
  'haproxy',
  'pass-through',
  'gatewatt',
  'ocpp-rpc',
];
const titles = { plain: 'plain', tls: 'TLS towards the chargers' } as const;

const width = 760;
const left = 120;
const right = 150;
const barHeight = 22;
const barDistance = 30;
const groupDistance = 44;
const top = 84;

const style =
  '.page{fill:#ffffff}text{fill:#1f2328}.small{fill:#59636e;font-size:12px}.bar{fill:#8c959f}' +
  '.own{fill:#1f7a4d}.noisy{fill-opacity:.45}.axis{stroke:#8c959f;stroke-width:1}' +
  '@media (prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#e6edf3}.small{fill:#9198a1}' +
  '.bar{fill:#6e7681}.own{fill:#3fb27f}.axis{stroke:#6e7681}}';

/** Bars of the CPU time of a round trip with 100 chargers, as an SVG document. */
export function cpuChart(
  summaries: readonly Summary[],
  { cores, date, node, processor }: Machine,
): string {
  const shown = summaries.filter((it) => it.figure === cpuAt(100) && bars.includes(it.contestant));
  const groups = transports
    .map((transport) => ({ transport, own: ofTransport(shown, transport) }))
    .filter(({ own }) => own.length > 0);
  const scale = (width - left - right) / Math.max(1, ...shown.map(({ median }) => median));
  const parts: string[] = [];
  let y = top;
  for (const { own, transport } of groups) {
    parts.push(text(left, y, titles[transport], 'font-weight="bold"'));
    y += 14;
    const height = own.length * barDistance;
    parts.push(
      `<line class="axis" x1="${left}" y1="${y - 4}" x2="${left}" y2="${y + height - 4}"/>`,
    );
    for (const summary of own) {
      parts.push(bar(summary, y, scale));
      y += barDistance;
    }
    y += groupDistance - 14;
  }
  const height = y + 4;
  const where = `${processor}, ${cores} cores, Node ${node}, ${date.slice(0, 10)}. × the pass-through.`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="14" role="img" aria-labelledby="title">`,
    '<title id="title">CPU time of the proxy for one OCPP round trip, with 100 chargers</title>',
    `<style>${style}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    text(
      20,
      30,
      'CPU time for one OCPP round trip, 100 chargers, in µs',
      'font-size="17" font-weight="bold"',
    ),
    text(20, 50, where, 'class="small"'),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function ofTransport(summaries: readonly Summary[], transport: Transport): readonly Summary[] {
  return summaries
    .filter((it) => it.transport === transport)
    .sort((a, b) => bars.indexOf(a.contestant) - bars.indexOf(b.contestant));
}

function bar({ contestant, isNoisy, median, ratio }: Summary, y: number, scale: number): string {
  const length = Math.max(1, Math.round(median * scale));
  const kind = `${contestant === 'gatewatt' ? 'bar own' : 'bar'}${isNoisy ? ' noisy' : ''}`;
  const factor = ratio === undefined ? '' : ` (× ${ratio.median.toFixed(2)})`;
  const noise = isNoisy ? ', noisy' : '';
  return [
    text(left - 8, y + 16, contestant, 'text-anchor="end"'),
    `<rect class="${kind}" x="${left}" y="${y}" width="${length}" height="${barHeight}"/>`,
    text(left + length + 8, y + 16, `${median.toFixed(1)}${factor}${noise}`),
  ].join('\n');
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
