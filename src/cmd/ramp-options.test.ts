import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../chargers/charger-id.ts';
import { configSchema } from '../config/schema/config.ts';
import type { RampOptions } from '../ramp-limit/ramp-options.ts';
import { rampOptions } from './ramp-options.ts';

// Goal: the ramp limiter is told what the configuration says, in its own units, and what `auto`
// means is decided here.
// Method: configurations beside the options that they become.

function optionsOf(rampLimit: object, others: object = {}): RampOptions {
  const listeners = [{ name: 'f', address: 'a:1', securityProfile: 1 }];
  const csms = { url: 'ws://c/' };
  return rampOptions(configSchema.parse({ listeners, csms, rampLimit, ...others }));
}

const callTimeoutSeconds = (seconds: number): object => ({
  csms: { url: 'ws://c/', callTimeoutSeconds: seconds },
});

describe('the options of the ramp limiter', () => {
  test('without a word of the operator', () => {
    const { feeders, ...options } = optionsOf({});
    assert.deepEqual(options, {
      mode: 'enforce',
      reply: 'auto',
      onLongWait: { starts: 'answer', stops: 'answer', limits: 'refuse', others: 'refuse' },
      openMs: 24_000,
      holdMs: 900_000,
      heldMax: 1000,
      heldPerChargerMax: 8,
      dwellMs: 60_000,
      jitterMs: 3000,
      oscillation: { windowMs: 300_000, reversalsMax: 4 },
      load: {
        assumedRatedW: 150_000,
        measuredMsMax: 300_000,
        lineVolts: 230,
        discharge: 'refuse',
        derControls: 'refuse',
      },
      futureSteps: 'shift',
      shiftMsMax: 900_000,
      oversized: 'alone',
    });
    assert.deepEqual(feeders.all, [
      {
        name: 'unassigned',
        parent: undefined,
        intervalMs: 10_000,
        budget: { commandsMilli: 10_000, upW: undefined, downW: undefined },
        ceiling: { commandsMilli: undefined, upW: undefined, downW: undefined },
        reserve: { commandsMilli: 1000, upW: 0, downW: 0 },
        chargerRatedW: undefined,
      },
    ]);
  });

  test('the mode follows the preset only when nobody says another', () => {
    const modes = ['auto', 'enforce', 'monitor', 'off'] as const;
    const modesWith = (preset: string) =>
      modes.map((mode) => optionsOf({ mode }, { rules: { preset } }).mode);
    assert.deepEqual(modesWith('monitor'), ['monitor', 'enforce', 'monitor', 'off']);
    for (const preset of ['standard', 'strict']) {
      assert.deepEqual(modesWith(preset), ['enforce', 'enforce', 'monitor', 'off']);
    }
  });

  test('a call is kept open for four fifths of what the CSMS waits, or as the operator says', () => {
    assert.equal(optionsOf({}, callTimeoutSeconds(600)).openMs, 480_000);
    assert.equal(optionsOf({}, callTimeoutSeconds(1)).openMs, 800);
    assert.equal(optionsOf({ openSecondsMax: 7 }).openMs, 7000);
  });

  test('what `reply` rules out is not left open', () => {
    const onLongWait = { starts: 'refuse', stops: 'refuse', limits: 'answer', others: 'answer' };
    const waits = (reply: string) => optionsOf({ reply, onLongWait }).onLongWait;
    assert.deepEqual(waits('auto'), onLongWait);
    assert.deepEqual(waits('immediate'), { ...onLongWait, starts: 'answer', stops: 'answer' });
    assert.deepEqual(new Set(Object.values(waits('defer'))), new Set(['refuse']));
  });

  test('PNNL-35706: with `immediate` there is no chance in it', () => {
    const jitter = (reply: string) => optionsOf({ reply, jitterSeconds: 600 }).jitterMs;
    assert.deepEqual(['auto', 'defer', 'immediate'].map(jitter), [600_000, 600_000, 0]);
  });
});

describe('the budgets', () => {
  const commandsOf = (fields: object, reply = 'auto'): readonly (number | undefined)[] => {
    const feeders = [{ name: 'f', ...fields }];
    const { all } = optionsOf({ reply, feeders, unassigned: fields }).feeders;
    return all.map(({ budget }) => budget.commandsMilli);
  };

  test('PNNL-35706: two commands in ten seconds, when nobody gives another number', () => {
    assert.deepEqual(commandsOf({}), [2000, 10_000]);
    assert.deepEqual(commandsOf({}, 'immediate'), [2000, 2000]);
    assert.deepEqual(commandsOf({}, 'defer'), [2000, 10_000]);
    assert.deepEqual(commandsOf({ commandsPerInterval: 7 }, 'immediate'), [7000, 7000]);
  });

  test('kW take the place of the number in both directions, or not at all', () => {
    const up = { maxUpKwPerInterval: 100 };
    const down = { maxDownKwPerInterval: 100 };
    assert.deepEqual(commandsOf({ ...up, ...down }), [undefined, undefined]);
    // Otherwise every charger could be stopped at once.
    assert.deepEqual(commandsOf(up), [2000, 10_000]);
    assert.deepEqual(commandsOf(down), [2000, 10_000]);
    assert.deepEqual(commandsOf({ ...up, ...down, commandsPerInterval: 3 }), [3000, 3000]);
  });

  test('all of them, of a feeder that is a part of another one', () => {
    const site = {
      name: 'site',
      within: 'street',
      chargers: ['DEPOT-*'],
      commandsPerInterval: 4,
      intervalSeconds: 30,
      maxUpKwPerInterval: 100,
      maxDownKwPerInterval: 200,
      ceilingUpKwPerInterval: 300,
      ceilingDownKwPerInterval: 400,
      ceilingCommandsPerInterval: 5,
      emergencyKwPerInterval: 50,
      emergencyCommandsPerInterval: 0,
    };
    const { feeders } = optionsOf({ feeders: [site, { name: 'street', chargerRatedKw: 22 }] });
    const street = feeders.find('street');
    assert.deepEqual(feeders.chainOf('depot-1' as ChargerId, undefined), [
      {
        name: 'site',
        parent: street,
        intervalMs: 30_000,
        budget: { commandsMilli: 4000, upW: 100_000, downW: 200_000 },
        ceiling: { commandsMilli: 5000, upW: 300_000, downW: 400_000 },
        reserve: { commandsMilli: 0, upW: 50_000, downW: 50_000 },
        chargerRatedW: 22_000,
      },
      street,
    ]);
  });
});
