import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invariants } from './observers/broken-invariant.ts';
import { replayCommand, SimulationFailure, simulate } from './simulate.ts';
import { tamperings } from './tamperings.ts';

// Goal: each invariant of the simulation can fail, and the one that fails is the one that is broken.
// Method: a gateway that is spoilt from outside: between it and its connections, or in its database.

test('every invariant has somebody who breaks it', () => {
  const broken = new Set(tamperings.map(({ breaks }) => breaks));
  assert.deepEqual([...broken].sort(), Object.keys(invariants).sort());
});

for (const { breaks, make, options, what } of tamperings) {
  test(`${breaks} is broken when ${what}`, async () => {
    const failure = await simulate(options, make()).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(failure instanceof SimulationFailure, 'nobody has noticed');
    assert.equal(failure.invariant, breaks, failure.message);
    // Whoever reads it can run it again.
    assert.ok(failure.message.includes(replayCommand(options)));
  });
}
