/** A limit, of so many phases, as watts. */
export type Convert = (value: number, unit: 'A' | 'W', numberPhases: number | undefined) => number;

/**
 * What is taken under a limit, in W. Nobody tells the gateway how a charger is wired, on how many
 * phases a car charges, or at which voltage its battery is; so there are several conversions, and
 * the one that moves most counts. Before and after a change it is the same.
 */
export interface Conversion {
  /** For the limits of one place: what its car takes. */
  readonly ofPlace: Convert;
  /** For those of the whole charger, which may have more phases than the car. */
  readonly ofStation: Convert;
}

/** A car on AC draws no less on a phase; below it, it pauses (IEC 61851-1 annex A). */
const phaseAmperesMin = 6;
/** A supply of AC has no more on a phase (IEC 62196-2, type 2); beyond it, a charger has DC. */
const phaseAmperesMax = 63;
/** Between these are the batteries of cars on DC: of the 400 V class, and the highest of CCS. */
const batteryVolts = [400, 1000];

/** The conversions that a charger may have, each place of which has this rating. */
export function conversionsFor(ratingW: number, lineVolts: number): readonly Conversion[] {
  const ofCars = [1, 2, 3]
    // A place that cannot serve as many phases has fewer.
    .filter((phases) => phases === 1 || ratingW >= phaseAmperesMin * lineVolts * phases)
    .map((phases) => onPhases(phases, lineVolts, phaseAmperesMin));
  // ISO 15118 lets a car take less than that.
  const onThree = onPhases(3, lineVolts, 0);
  const onOne = onPhases(1, lineVolts, 0);
  const alternating = [...ofCars, onThree].flatMap((ofPlace) => [
    { ofPlace, ofStation: onOne },
    { ofPlace, ofStation: onThree },
  ]);
  const hasDirect = ratingW > phaseAmperesMax * lineVolts * 3;
  const direct = (hasDirect ? batteryVolts : []).map(onDirect).flatMap((ofPlace) => [
    { ofPlace, ofStation: onThree },
    { ofPlace, ofStation: ofPlace },
  ]);
  return [...alternating, ...direct];
}

function onPhases(phasesMax: number, lineVolts: number, amperesMin: number): Convert {
  return (value, unit, numberPhases) => {
    const phases = Math.min(numberPhases ?? 3, phasesMax);
    const watts = unit === 'W' ? value : value * lineVolts * phases;
    // Set 6 A and then 5.9 A, and the car drops all that it took.
    const wattsMin = amperesMin * lineVolts * phases - tolerance;
    return watts > 0 && watts < wattsMin ? 0 : watts;
  };
}

function onDirect(volts: number): Convert {
  return (value, unit) => (unit === 'W' ? value : value * volts);
}

/** Half a watt: fractions of an ampere are not exact in binary. */
const tolerance = 0.5;
