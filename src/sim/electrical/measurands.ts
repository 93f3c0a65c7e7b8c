import type { Reading } from '../charger/station-types.ts';
import { rounded } from '../protocol/payload.ts';

/** One measured value, before it is spelled for a version. */
export interface Measured {
  readonly measurand: string;
  readonly value: number;
  readonly unit: string;
  readonly phase?: string;
}

const lineNames = ['L1', 'L2', 'L3'] as const;

/** The values of `reading` that its measurands ask for; the register when they ask for none. */
export function measuredValues(reading: Reading): readonly Measured[] {
  const lines = reading.supply === 'AC' ? lineNames.slice(0, reading.phasesUsed) : [undefined];
  const all: readonly Measured[] = [
    {
      measurand: 'Energy.Active.Import.Register',
      value: rounded(reading.registerWh, 0),
      unit: 'Wh',
    },
    { measurand: 'Power.Active.Import', value: rounded(reading.powerW, 1), unit: 'W' },
    ...lines.map((line) => ({
      measurand: 'Current.Import',
      value: rounded(reading.currentA, 2),
      unit: 'A',
      ...(line !== undefined && { phase: line }),
    })),
    ...lines.map((line) => ({
      measurand: 'Voltage',
      value: rounded(reading.voltageV, 1),
      unit: 'V',
      ...(line !== undefined && { phase: `${line}-N` }),
    })),
    { measurand: 'SoC', value: rounded(reading.socPercent, 1), unit: 'Percent' },
  ];
  const asked = all.filter(({ measurand }) => reading.measurands.includes(measurand));
  // The schemas want at least one value.
  return asked.length > 0 ? asked : all.slice(0, 1);
}
