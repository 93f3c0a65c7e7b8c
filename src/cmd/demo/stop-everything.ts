import type { SimulatedCharger } from '../../sim/charger/charger.ts';
import { type FeederReading, intervalSeconds, worstFallKw } from './feeder-meter.ts';
import type { Stage } from './stage.ts';
import type { AttemptResult } from './state.ts';

/** Time for all chargers to connect and to begin, in milliseconds. */
const beginMs = 20_000;
/** Time for all of them to tell what they take. */
const tellMs = 5_000;
/** Time for the gateway to let all stops through. It needs some intervals. */
const stopMs = 60_000;
/** Between two looks at the chargers. */
const lookMs = 200;
/** Before the first stop and after the last, so that the chart shows what was and what is. */
const calmMs = intervalSeconds * 1000;

/**
 * A stolen account stops every car at once. What the feeder saw is measured at the chargers: the
 * gateway is not asked. Meanwhile no driver comes or goes, so that only commands change the load.
 */
export async function stopEverything(
  stage: Stage,
  tell: (because: string) => void,
): Promise<AttemptResult> {
  const { chargers, clock, drivers, meter } = stage;
  drivers.pause();
  tell('The drivers wait, and every car charges.');
  await everyCarCharges(stage);
  await everyChargerTells(stage);
  const calm = meter.read();
  await stage.pause(calmMs);
  const cars = chargers.filter(isCharging);
  const before = meter.read();
  const { budgetText } = meter;
  tell(`The feeder carries ${before.loadKw} kW (${budgetText}). Now ${cars.length} stops at once.`);
  const stops = cars.map((charger) => stopCar(stage, charger));
  await Promise.race([Promise.allSettled(stops), stage.pause(stopMs)]);
  await until(stage, () => !cars.some(takesPower), stopMs);
  const seconds = ((clock.elapsedMs() - before.atMs) / 1000).toFixed(1);
  await stage.pause(calmMs);
  const stopped = cars.filter((charger) => !takesPower(charger)).length;
  const readings = meter.since(before.atMs);
  drivers.resume();
  const chart = `${before.loadKw} kW ${meter.chart(meter.since(calm.atMs))} ${meter.loadKw} kW`;
  const fate = `${stopped} of ${cars.length} cars stopped in ${seconds} s`;
  return { ...judge(stage, readings), chart: `${chart}   ${budgetText}   ${fate}` };
}

/** What the feeder saw. */
function judge({ meter }: Stage, readings: readonly FeederReading[]): AttemptResult {
  const { budgetKw } = meter;
  const worstKw = worstFallKw(readings);
  const beforeKw = readings[0]?.loadKw ?? 0;
  if (beforeKw === 0) return { outcome: 'got-through', because: 'No car could be made to charge.' };
  const lost = `${worstKw} kW in ${intervalSeconds} s (budget ${budgetKw} kW)`;
  if (worstKw > budgetKw) return { outcome: 'got-through', because: `The feeder lost ${lost}.` };
  return { outcome: 'paced', because: `The feeder lost at most ${lost}; without: ${beforeKw} kW.` };
}

/** Whoever does not charge yet begins. */
async function everyCarCharges(stage: Stage): Promise<void> {
  await until(
    stage,
    () => {
      const idle = stage.chargers.filter((charger) => !isCharging(charger));
      for (const charger of idle) begin(charger);
      return idle.length === 0;
    },
    beginMs,
  );
}

function begin(charger: SimulatedCharger): void {
  const { connection, connectors } = charger.state();
  if (connection !== 'accepted') return;
  for (const { connectorId, status } of connectors) {
    if (status !== 'Available') continue;
    // One that fails is tried again at the next look.
    charger.startTransaction(connectorId).catch(() => undefined);
  }
}

function isCharging(charger: SimulatedCharger): boolean {
  const { connection, connectors } = charger.state();
  // In OCPP 1.6 a transaction has no id, and cannot be stopped, until the CSMS has answered.
  return (
    connection === 'accepted' &&
    connectors.every(({ powerKw, transactionId }) => powerKw > 0 && transactionId !== undefined)
  );
}

function takesPower(charger: SimulatedCharger): boolean {
  return charger.state().powerKw > 0;
}

/** The CSMS asks all chargers what they take, and the gateway hears it too. */
async function everyChargerTells(stage: Stage): Promise<void> {
  const { chargers, csms } = stage;
  const told = chargers.map(async ({ identity }) => {
    const values = csms.waitFor(identity, 'MeterValues');
    await csms.call(identity, 'TriggerMessage', { requestedMessage: 'MeterValues' });
    await values;
  });
  // Without its values a charger counts as what it is rated: no reason to end the scene.
  await Promise.race([Promise.allSettled(told), stage.pause(tellMs)]);
}

async function stopCar({ csms }: Stage, charger: SimulatedCharger): Promise<void> {
  const { identity, version } = charger;
  for (const { transactionId } of charger.state().connectors) {
    if (transactionId === undefined) continue;
    await (version === 'ocpp1.6'
      ? csms.call(identity, 'RemoteStopTransaction', { transactionId: Number(transactionId) })
      : csms.call(identity, 'RequestStopTransaction', { transactionId }));
  }
}

/** Looks again and again whether `isSo`, for `timeMs` at most. */
async function until(stage: Stage, isSo: () => boolean, timeMs: number): Promise<void> {
  const endMs = stage.clock.elapsedMs() + timeMs;
  while (!isSo() && stage.clock.elapsedMs() < endMs) await stage.pause(lookMs);
}
