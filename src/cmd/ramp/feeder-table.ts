import type { Dimension } from '../../ramp-limit/ledger.ts';
import { textTable } from '../text-table.ts';
import type { FeederOutlook } from './outlook.ts';
import { secondText, wholeUnits } from './wait-text.ts';

const headings = [
  'FEEDER',
  'WITHIN',
  'INTERVAL',
  'COMMANDS',
  'kW UP',
  'kW DOWN',
  'SLOWED UNTIL',
  'LIFTED UNTIL',
  'WAITING',
];

/** How full the budgets of feeders are, for people. */
export function feederTable(outlooks: readonly FeederOutlook[]): string {
  return textTable(outlooks.map(cellsOf), headings);
}

function cellsOf(outlook: FeederOutlook): readonly string[] {
  const { feeder, slowedUntilMs, liftedUntilMs, waiting } = outlook;
  return [
    feeder.name,
    feeder.parent?.name ?? '-',
    `${feeder.intervalMs / 1000} s`,
    fill(outlook, 'commandsMilli'),
    fill(outlook, 'upW'),
    fill(outlook, 'downW'),
    slowedUntilMs === undefined ? '-' : secondText(slowedUntilMs),
    liftedUntilMs === undefined ? '-' : secondText(liftedUntilMs),
    `${waiting}`,
  ];
}

/** What the present window has, of what it may have: `44 of 150`. */
function fill({ used, limits }: FeederOutlook, dimension: Dimension): string {
  const limit = limits[dimension];
  const taken = wholeUnits(used[dimension]);
  return limit === undefined ? `${taken}, no limit` : `${taken} of ${wholeUnits(limit)}`;
}
