/**
 * What the gateway's knowledge of its chargers takes in memory and in the store.
 *
 *   npm run bench:memory [-- --chargers 10000]
 */
import { parseArgs } from 'node:util';
import { ChargerMemory } from '../src/chargers/memory/charger-memory.ts';
import type { Peer } from '../src/ocpp/version.ts';

const { values } = parseArgs({ options: { chargers: { type: 'string', default: '10000' } } });
const count = Number(values.chargers);

/** Two connectors, one transaction, ten measurands, sixty configuration keys, two profiles. */
function typicalCharger(index: number): ChargerMemory {
  const memory = new ChargerMemory();
  let id = 0;
  const exchange = (from: Peer, action: string, payload: unknown, reply: unknown): void => {
    id += 1;
    const callId = `${index}-${id}`;
    const atMs = 1_800_000_000_000 + id;
    memory.onCall({ from, version: 'ocpp1.6', id: callId, action, payload, atMs });
    const replier = from === 'charger' ? 'csms' : 'charger';
    memory.onReply({ from: replier, callId, result: { payload: reply }, atMs });
  };
  exchange(
    'charger',
    'BootNotification',
    {
      chargePointVendor: 'Some vendor',
      chargePointModel: `Model ${index % 7}`,
      chargePointSerialNumber: `SN-${index}`,
      firmwareVersion: '1.2.3',
    },
    { status: 'Accepted', currentTime: '2026-01-01T00:00:00Z', interval: 300 },
  );
  for (const connectorId of [0, 1, 2]) {
    const status = { connectorId, status: 'Available', errorCode: 'NoError' };
    exchange('charger', 'StatusNotification', status, {});
  }
  const start = { connectorId: 1, idTag: `TAG-${index}`, meterStart: 0, timestamp: timestamp(0) };
  const started = { transactionId: index + 1, idTagInfo: { status: 'Accepted' } };
  exchange('charger', 'StartTransaction', start, started);
  const sampledValue = measurands.map((measurand, at) => ({
    value: String(index + at),
    measurand,
    unit: 'W',
  }));
  const meterValue = [{ timestamp: timestamp(1), sampledValue }];
  exchange('charger', 'MeterValues', { connectorId: 1, transactionId: 1, meterValue }, {});
  const configurationKey = Array.from({ length: 60 }, (_, at) => ({
    key: `SomeConfigurationKey${at}`,
    readonly: at % 2 === 0,
    value: `value ${at}`,
  }));
  exchange('csms', 'GetConfiguration', {}, { configurationKey });
  for (const stackLevel of [0, 1]) {
    exchange('csms', 'SetChargingProfile', profile(stackLevel), { status: 'Accepted' });
  }
  return memory;
}

const measurands = [
  'Energy.Active.Import.Register',
  'Power.Active.Import',
  'Power.Offered',
  'Current.Import',
  'Current.Offered',
  'Voltage',
  'Frequency',
  'SoC',
  'Temperature',
  'Power.Factor',
];

function profile(stackLevel: number): unknown {
  const chargingSchedulePeriod = [0, 3600, 7200].map((startPeriod) => ({ startPeriod, limit: 16 }));
  return {
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: stackLevel + 1,
      stackLevel,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Absolute',
      chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod },
    },
  };
}

function timestamp(minute: number): string {
  return `2026-01-01T00:0${minute}:00Z`;
}

function heapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const before = heapBytes();
const memories = Array.from({ length: count }, (_, index) => typicalCharger(index));
const bytes = heapBytes() - before;
const saved = memories.reduce((sum, memory) => {
  const { document, variables } = memory.save();
  return sum + document.length + variables.length;
}, 0);
process.stdout.write(
  `${count} chargers, each with 2 connectors, a transaction, 10 measurands, 60 configuration keys ` +
    `and 2 charging profiles:\n  heap ${(bytes / 1e6).toFixed(1)} MB ` +
    `(${Math.round(bytes / count)} bytes each)\n  in the store ${(saved / 1e6).toFixed(1)} MB ` +
    `(${Math.round(saved / count)} characters each)\n`,
);
