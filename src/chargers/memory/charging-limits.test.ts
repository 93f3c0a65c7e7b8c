import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OcppVersion } from '../../ocpp/version.ts';
import { LimitMemory } from './charging-limits.ts';
import { Conversation } from './conversation.test.ts';

// Goal: the memory knows what limits the charger: what it accepted, reported, and lost again.
// Method: the same steps in each version, told apart by the helpers below.

const accepted = { status: 'Accepted' };
const rejected = { status: 'Rejected' };

interface ProfileText {
  readonly id: number;
  readonly place?: number;
  readonly purpose?: string;
  readonly stackLevel?: number;
  readonly transactionId?: unknown;
  readonly periods?: number;
}

function profileText(version: OcppVersion, text: ProfileText) {
  const { id, purpose = 'TxDefaultProfile', stackLevel = 1, transactionId, periods = 1 } = text;
  const chargingSchedulePeriod = Array.from({ length: periods }, (_, index) => ({
    startPeriod: index,
    limit: 16,
  }));
  const schedule = { chargingRateUnit: 'A', chargingSchedulePeriod };
  const common = {
    stackLevel,
    chargingProfilePurpose: purpose,
    chargingProfileKind: 'Absolute',
    transactionId,
  };
  return version === 'ocpp1.6'
    ? { chargingProfileId: id, ...common, chargingSchedule: schedule }
    : { id, ...common, chargingSchedule: [schedule] };
}

function set(talk: Conversation, text: ProfileText, reply: object = accepted) {
  const { version } = talk;
  const profile = profileText(version, text);
  const payload =
    version === 'ocpp1.6'
      ? { connectorId: text.place ?? 1, csChargingProfiles: profile }
      : { evseId: text.place ?? 1, chargingProfile: profile };
  return talk.exchange('csms', 'SetChargingProfile', payload, reply);
}

function clear(talk: Conversation, text: Partial<ProfileText>, reply: object = accepted) {
  const { id, place, purpose, stackLevel } = text;
  const rest = { chargingProfilePurpose: purpose, stackLevel };
  const payload =
    talk.version === 'ocpp1.6'
      ? { id, connectorId: place, ...rest }
      : { chargingProfileId: id, chargingProfileCriteria: { evseId: place, ...rest } };
  return talk.exchange('csms', 'ClearChargingProfile', payload, reply);
}

const limits = (talk: Conversation) => talk.memory.view().limits;
const ids = (talk: Conversation) => limits(talk).profiles.map((one) => one.chargingProfileId);

for (const version of ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'] as const) {
  describe(`charging profiles of ${version}`, () => {
    test('a profile counts when the charger accepts it, and survives a restart', () => {
      const talk = new Conversation(version);
      assert.equal(set(talk, { id: 1 }, rejected), 'none');
      assert.deepEqual(ids(talk), []);
      assert.equal(set(talk, { id: 2, place: 3 }), 'soon');
      const [profile] = limits(new Conversation(version, talk.memory.save())).profiles;
      assert.deepEqual(profile, limits(talk).profiles[0]);
      assert.deepEqual([profile?.place, profile?.stackLevel, profile?.atMs], [3, 1, 1_000_000]);
      assert.equal(profile?.chargingSchedule[0]?.chargingRateUnit, 'A');
      assert.equal(profile?.chargingSchedule[0]?.chargingSchedulePeriod[0]?.limit, 16);
    });

    test('one with the same id replaces it', () => {
      const talk = new Conversation(version);
      set(talk, { id: 1, stackLevel: 1 });
      set(talk, { id: 1, stackLevel: 2, place: 2 });
      assert.deepEqual(
        limits(talk).profiles.map((one) => one.stackLevel),
        [2],
      );
    });

    test('one with the same purpose and stack level replaces it in OCPP 1.6 only', () => {
      const talk = new Conversation(version);
      set(talk, { id: 1 });
      set(talk, { id: 2 });
      set(talk, { id: 3, place: 2 });
      set(talk, { id: 4, stackLevel: 7 });
      set(talk, { id: 5, purpose: 'TxProfile' });
      assert.deepEqual(ids(talk), version === 'ocpp1.6' ? [2, 3, 4, 5] : [1, 2, 3, 4, 5]);
    });

    test('32 profiles are kept, and 300 periods of one', () => {
      const talk = new Conversation(version);
      for (let id = 1; id <= 31; id += 1) set(talk, { id, stackLevel: id });
      set(talk, { id: 32, stackLevel: 32, periods: 300 });
      assert.deepEqual([ids(talk).length, ids(talk)[0]], [32, 1]);
      set(talk, { id: 33, stackLevel: 33, periods: 1 });
      assert.deepEqual([ids(talk).length, ids(talk)[0]], [32, 2]);
      set(talk, { id: 33, stackLevel: 33, periods: 301 });
      const cut = limits(talk)
        .profiles.slice(-2)
        .map(({ chargingSchedule: [one] }) => [one?.chargingSchedulePeriod.length, one?.isCut]);
      assert.deepEqual(cut, [
        [300, false],
        [300, true],
      ]);
      assert.deepEqual(ids(talk), [32, 33], 'of 600 periods in all, the oldest profiles go first');
    });

    test('600 periods are kept in all, the oldest profile is forgotten first', () => {
      const talk = new Conversation(version);
      set(talk, { id: 1, stackLevel: 1, periods: 300 });
      set(talk, { id: 2, stackLevel: 2, periods: 299 });
      set(talk, { id: 3, stackLevel: 3, periods: 1 });
      assert.deepEqual(ids(talk), [1, 2, 3]);
      set(talk, { id: 4, stackLevel: 4, periods: 1 });
      assert.deepEqual(ids(talk), [2, 3, 4]);
      assert.deepEqual(limits(new Conversation(version, talk.memory.save())), limits(talk));
    });

    test('what would become of the limits can be tried out, and nothing changes', () => {
      const talk = new Conversation(version);
      set(talk, { id: 1 });
      set(talk, { id: 2, stackLevel: 2 });
      const before = talk.memory.loadView().limits;
      const trial = LimitMemory.from(before);
      assert.deepEqual(trial.saved(), before);
      trial.cleared({ id: 1, place: undefined, purpose: undefined, stackLevel: undefined }, 5);
      assert.equal(trial.saved().profiles.length, 1);
      assert.equal(trial.saved().profiles[0], before.profiles[1], 'what stays is the same object');
      assert.deepEqual(ids(talk), [1, 2]);
    });

    const cleared: readonly (readonly [Partial<ProfileText>, readonly number[]])[] = [
      [{ id: 2 }, [1, 3, 4]],
      [{ place: 1 }, [4]],
      [{ purpose: 'TxProfile' }, [1, 2, 4]],
      [{ stackLevel: 2 }, [1, 3, 4]],
      [{ place: 1, purpose: 'TxDefaultProfile', stackLevel: 1 }, [2, 3, 4]],
      [{ id: 1, place: 2 }, [1, 2, 3, 4]],
      [{}, []],
    ];
    for (const [criteria, left] of cleared) {
      test(`clearing by ${JSON.stringify(criteria)} leaves ${JSON.stringify(left)}`, () => {
        const talk = new Conversation(version);
        set(talk, { id: 1 });
        set(talk, { id: 2, stackLevel: 2 });
        set(talk, { id: 3, purpose: 'TxProfile' });
        set(talk, { id: 4, place: 2 });
        assert.equal(clear(talk, criteria, { status: 'Unknown' }), 'none');
        assert.deepEqual(ids(talk), [1, 2, 3, 4]);
        clear(talk, criteria);
        assert.deepEqual(ids(talk), left);
      });
    }

    for (const order of ['before', 'after'] as const) {
      test(`a profile in the request to start belongs to the transaction, answered ${order} it begins`, () => {
        const talk = new Conversation(version);
        const is16 = version === 'ocpp1.6';
        const profile = profileText(version, { id: 9, purpose: 'TxProfile' });
        const request = is16
          ? talk.open('csms', 'RemoteStartTransaction', { idTag: 'TAG', chargingProfile: profile })
          : talk.open('csms', 'RequestStartTransaction', {
              remoteStartId: 5,
              chargingProfile: profile,
            });
        const info = { transactionId: '7', remoteStartId: 5 };
        const event = { evse: { id: 2 }, transactionInfo: info };
        const begin = () =>
          is16
            ? talk.exchange(
                'charger',
                'StartTransaction',
                { connectorId: 2, idTag: 'TAG' },
                { transactionId: 7 },
              )
            : talk.open('charger', 'TransactionEvent', { eventType: 'Started', ...event });
        if (order === 'after') begin();
        talk.answer('csms', request, accepted);
        if (order === 'before') begin();
        const [bound] = limits(talk).profiles;
        assert.deepEqual([bound?.place, bound?.transactionId], [2, '7']);
        set(talk, { id: 1, place: 2 });
        set(talk, { id: 2, place: 2, purpose: 'TxProfile', stackLevel: 3 });
        set(talk, { id: 3, place: 1, purpose: 'TxProfile' });
        if (is16) talk.open('charger', 'StopTransaction', { transactionId: 7 });
        else talk.open('charger', 'TransactionEvent', { eventType: 'Ended', ...event });
        assert.deepEqual(
          ids(talk),
          [1, 3],
          'it goes with the transaction, as others at its place do',
        );
      });
    }

    test('the composite schedule is what the charger last answered', () => {
      const talk = new Conversation(version);
      const periods = {
        chargingRateUnit: 'W',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: 5 }],
      };
      const reply = {
        ...accepted,
        scheduleStart: 'S',
        chargingSchedule: periods,
        schedule: { ...periods, scheduleStart: 'S' },
      };
      const request = { connectorId: 2, evseId: 2, duration: 60 };
      talk.exchange('csms', 'GetCompositeSchedule', request, { ...reply, ...rejected });
      assert.equal(limits(talk).composite, undefined);
      assert.equal(talk.exchange('csms', 'GetCompositeSchedule', request, reply), 'eventually');
      const { composite } = limits(new Conversation(version, talk.memory.save()));
      assert.deepEqual(composite, limits(talk).composite);
      assert.deepEqual([composite?.place, composite?.schedule.startSchedule], [2, 'S']);
      assert.equal(composite?.schedule.chargingSchedulePeriod[0]?.limit, 5);
    });
  });
}

for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
  describe(`limits of others, and reports, in ${version}`, () => {
    test('a limit is known by source and EVSE, until it is cleared', () => {
      const talk = new Conversation(version);
      const say = (chargingLimitSource: string, evseId?: number) =>
        talk.call('charger', 'NotifyChargingLimit', {
          evseId,
          chargingLimit: { chargingLimitSource, isGridCritical: true },
        }).urgency;
      assert.equal(say('EMS', 1), 'soon');
      say('EMS', 1);
      say('EMS', 2);
      say('SO');
      const sources = () => limits(talk).external.map(({ source, evseId }) => [source, evseId]);
      assert.deepEqual(sources(), [
        ['EMS', 1],
        ['EMS', 2],
        ['SO', undefined],
      ]);
      assert.equal(limits(talk).external[0]?.isGridCritical, true);
      const restored = new Conversation(version, talk.memory.save());
      assert.deepEqual(limits(restored).external, limits(talk).external);
      talk.open('charger', 'ClearedChargingLimit', { chargingLimitSource: 'EMS', evseId: 2 });
      assert.deepEqual(sources(), [
        ['EMS', 1],
        ['SO', undefined],
      ]);
      talk.open('charger', 'ClearedChargingLimit', { chargingLimitSource: 'EMS' });
      assert.deepEqual(sources(), [['SO', undefined]]);
    });

    test('a report adds profiles; what others have set, the CSMS cannot clear', () => {
      const talk = new Conversation(version);
      const purpose = 'ChargingStationExternalConstraints';
      const chargingProfile = [
        profileText(version, { id: 1, purpose }),
        profileText(version, { id: 2 }),
      ];
      assert.equal(
        talk.call('charger', 'ReportChargingProfiles', { evseId: 1, chargingProfile }).urgency,
        'eventually',
      );
      assert.deepEqual(ids(talk), [1, 2]);
      clear(talk, {});
      assert.deepEqual(ids(talk), [1]);
    });
  });
}

describe('what OCPP 2.1 says besides the limits that are kept', () => {
  const rough: readonly (readonly [string, object, object])[] = [
    ['a limit of another phase', { limit_L2: 0 }, {}],
    ['a set point of another phase', { setpoint_L3: 5 }, {}],
    ['a curve', { v2xFreqWattCurve: [{ frequency: 50, power: 0 }] }, {}],
    ['a baseline', { v2xBaseline: 0 }, {}],
    ['a mode in which others choose', { operationMode: 'LocalFrequency' }, {}],
    ['sleep', { evseSleep: true }, {}],
    ['a limit that depends on the battery', {}, { limitAtSoC: { soc: 80, limit: 0 } }],
    ['a time that depends on the place', {}, { useLocalTime: true }],
  ];
  const plain: readonly (readonly [string, object, object])[] = [
    ['nothing', {}, {}],
    ['that the car charges', { operationMode: 'ChargingOnly', evseSleep: false }, {}],
    ['a set point of the CSMS', { operationMode: 'CentralSetpoint', setpoint: 5 }, {}],
    ['the time of the world', {}, { useLocalTime: false }],
  ];
  const isRough = (period: object, schedule: object) => {
    const talk = new Conversation('ocpp2.1');
    const profile = profileText('ocpp2.1', { id: 1 });
    const chargingSchedulePeriod = [{ startPeriod: 0, limit: 16, ...period }];
    const chargingSchedule = [{ chargingRateUnit: 'A', chargingSchedulePeriod, ...schedule }];
    const payload = { evseId: 1, chargingProfile: { ...profile, chargingSchedule } };
    talk.exchange('csms', 'SetChargingProfile', payload, accepted);
    const [kept] = limits(new Conversation('ocpp2.1', talk.memory.save())).profiles;
    assert.deepEqual(kept, limits(talk).profiles[0]);
    return kept?.chargingSchedule[0]?.isRough;
  };
  for (const [what, period, schedule] of rough) {
    test(`${what} makes a schedule rough`, () => assert.equal(isRough(period, schedule), true));
  }
  for (const [what, period, schedule] of plain) {
    test(`${what} does not`, () => assert.equal(isRough(period, schedule), false));
  }

  test('an update with values of other phases makes a schedule rough, sent or pulled', () => {
    for (const isPulled of [false, true]) {
      const talk = new Conversation('ocpp2.1');
      set(talk, { id: 1 });
      const scheduleUpdate = { limit: 5, limit_L2: 0 };
      const ask = { chargingProfileId: 1 };
      if (isPulled) {
        talk.exchange('charger', 'PullDynamicScheduleUpdate', ask, { ...accepted, scheduleUpdate });
      } else {
        talk.exchange('csms', 'UpdateDynamicSchedule', { ...ask, scheduleUpdate }, accepted);
      }
      assert.equal(limits(talk).profiles[0]?.chargingSchedule[0]?.isRough, true);
    }
  });
});

describe('dynamic schedules of ocpp2.1', () => {
  test('an update counts when it is accepted, whether it was sent or pulled', () => {
    const talk = new Conversation('ocpp2.1');
    set(talk, { id: 1 });
    set(talk, { id: 2 });
    const update = { chargingProfileId: 1, scheduleUpdate: { limit: 5.12345, setpoint: -1e12 } };
    assert.equal(talk.exchange('csms', 'UpdateDynamicSchedule', update, rejected), 'none');
    assert.equal(talk.exchange('csms', 'UpdateDynamicSchedule', update, accepted), 'soon');
    const reply = { ...accepted, scheduleUpdate: { limit: 8 } };
    const pull = { chargingProfileId: 2 };
    assert.equal(talk.exchange('charger', 'PullDynamicScheduleUpdate', pull, reply), 'soon');
    const periods = limits(talk).profiles.map(
      ({ chargingSchedule: [one] }) => one?.chargingSchedulePeriod[0],
    );
    assert.deepEqual(
      periods.map((one) => [one?.limit, one?.setpoint]),
      [
        [5.123, -1_000_000_000],
        [8, undefined],
      ],
    );
  });
});
