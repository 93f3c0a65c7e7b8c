import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OcppVersion } from '../../ocpp/version.ts';
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

    test('24 periods are kept, and 32 profiles', () => {
      const talk = new Conversation(version);
      for (let id = 1; id <= 33; id += 1)
        set(talk, { id, stackLevel: id, periods: id === 33 ? 25 : 24 });
      assert.deepEqual([ids(talk).length, ids(talk)[0]], [32, 2]);
      const cut = limits(talk)
        .profiles.slice(-2)
        .map(({ chargingSchedule: [one] }) => [one?.chargingSchedulePeriod.length, one?.isCut]);
      assert.deepEqual(cut, [
        [24, false],
        [24, true],
      ]);
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
