/**
 * Goal: the values of a charging session are plausible and belong together.
 * Method: sessions are advanced by hand; the integral is compared with what it must be.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acRating, ChargingSession, dcRating } from './electrical.ts';

const unlimited = (): number => Number.POSITIVE_INFINITY;
const hourMs = 3_600_000;

test('energy is the integral of power, and the state of charge follows it', () => {
  const session = new ChargingSession(acRating, 20, 0);
  session.advance(hourMs, unlimited);
  const sample = session.sample(Number.POSITIVE_INFINITY);
  assert.ok(Math.abs(sample.energyWh - 11_000) < 1);
  assert.ok(Math.abs(sample.socPercent - (20 + (11 / 60) * 100)) < 0.01);
});

for (const rating of [acRating, dcRating]) {
  test(`${rating.supply}: power is voltage times current times phases`, () => {
    const session = new ChargingSession(rating, 50, 0);
    for (const limitW of [Number.POSITIVE_INFINITY, 5000, 2000]) {
      const { powerW, voltageV, currentA, phasesUsed } = session.sample(limitW);
      assert.ok(powerW > 0 && powerW <= limitW);
      assert.ok(Math.abs(powerW - voltageV * currentA * phasesUsed) < 0.001);
    }
  });

  test(`${rating.supply}: the power tapers, the battery fills and never overflows`, () => {
    const session = new ChargingSession(rating, 79, 0);
    let lastW = session.sample(Number.POSITIVE_INFINITY).powerW;
    for (let hour = 1; hour <= 30; hour += 1) {
      session.advance(hour * hourMs, unlimited);
      const { powerW, socPercent } = session.sample(Number.POSITIVE_INFINITY);
      assert.ok(powerW <= lastW);
      assert.ok(socPercent <= 100);
      lastW = powerW;
    }
    assert.equal(session.isFull(), true);
    assert.equal(lastW, 0);
  });
}

test('a limit below six amperes pauses an AC car', () => {
  const session = new ChargingSession(acRating, 50, 0);
  assert.equal(session.sample(1379).powerW, 0);
  assert.equal(session.sample(1380).powerW, 1380);
});

test('the limit of each moment counts, and a clock that goes back changes nothing', () => {
  const session = new ChargingSession(acRating, 20, 0);
  session.advance(hourMs, (atMs) => (atMs < hourMs / 2 ? 10_000 : 0));
  const { energyWh } = session.sample(0);
  assert.ok(Math.abs(energyWh - 5000) < 1);
  session.advance(0, unlimited);
  assert.equal(session.sample(0).energyWh, energyWh);
});
