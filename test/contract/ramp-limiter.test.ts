import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  limit,
  moving,
  RampBench,
  rampOptions,
  reset,
  start,
  stop,
  type TestCharger,
} from '../support/ramp-bench.ts';
import { feederOptions } from '../support/ramp-line.ts';
import { overfullWindows } from '../support/ramp-windows.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: a command that changes load passes at once where the budgets bear it; otherwise its CSMS
// hears what was agreed, and it is sent in its turn, or given up in time.
// Method: a limiter over a real store, with real claims, chargers that do what they are told, and a
// clock that stands still unless it is moved. Each command is called by its message id; what is told
// of it stands with the second in which it happens.

describeEachStore('a ramp limiter', (open) => {
  /** Asks for several commands, each of a charger of its own, one after the other. */
  const askAll = async (
    chargers: readonly TestCharger[],
    request: typeof start,
    count = chargers.length,
  ): Promise<readonly string[]> => {
    const verdicts: string[] = [];
    for (const [index, charger] of chargers.slice(0, count).entries()) {
      verdicts.push(await charger.does(request(`${index + 1}`)));
    }
    return verdicts;
  };

  describe('in a quiet system', () => {
    test('a single command passes at once, whatever is said of replies', async () => {
      await using opened = await open();
      for (const reply of ['auto', 'defer'] as const) {
        const bench = new RampBench(opened, rampOptions({ reply }));
        const gateway = await bench.start();
        const charger = await gateway.connect(reply);
        assert.equal(await charger.does(start('a')), 'pass');
        assert.deepEqual(await bench.commands(), []);
        assert.deepEqual(gateway.events, []);
        await gateway.kill();
        bench.clock.advance(60_000);
      }
    });

    test('what changes no load is not even asked about', async () => {
      await using opened = await open();
      const bench = new RampBench(opened);
      const gateway = await bench.start();
      const charger = await gateway.connect('CP-1');
      const before = gateway.transactions;
      assert.equal(await charger.does(moving(start('a'), {})), 'pass');
      assert.equal(gateway.transactions, before);
      assert.deepEqual(await bench.entries(), []);
    });

    for (const mode of ['enforce', 'monitor'] as const) {
      test(`what counts no more is deleted in time (mode: ${mode})`, async () => {
        await using opened = await open();
        const bench = new RampBench(opened, rampOptions({ mode, dwellMs: 30_000 }));
        const gateway = await bench.start();
        const charger = await gateway.connect('CP-1');
        for (let round = 0; round < 10; round += 1) {
          assert.equal(await charger.does(start(`${round}`)), 'pass');
          await bench.pass(20_000);
        }
        const entries = await bench.entries();
        assert.ok(entries.length <= 5, `${entries.length} entries are left`);
      });
    }

    test('a gateway that is stopped sends nothing more', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ reply: 'immediate' }));
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(3);
      await askAll(chargers, start);
      await gateway.limiter.stop();
      assert.ok(gateway.limiter.isIdle);
      await bench.pass(60_000);
      assert.deepEqual(bench.sent, ['1', '2']);
      assert.equal((await bench.commands()).length, 1);
    });

    test('a gateway that has nothing to do asks the store for nothing', async () => {
      await using opened = await open();
      const bench = new RampBench(opened);
      const gateway = await bench.start();
      const charger = await gateway.connect('CP-1');
      await charger.does(start('a'));
      await bench.pass(30_000);
      const before = gateway.transactions;
      await bench.pass(3_600_000);
      assert.equal(gateway.transactions, before);
    });
  });

  describe('with reply: auto', () => {
    test('who has to wait a little is kept waiting, and hears the charger itself', async () => {
      await using opened = await open();
      const bench = new RampBench(opened);
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(6);
      assert.deepEqual(await askAll(chargers, start), [
        ...['pass', 'pass'],
        ...['open', 'open', 'open', 'open'],
      ]);
      await bench.pass(60_000);
      assert.deepEqual(bench.log(), [
        ...['pass 1 0', 'pass 2 0'],
        ...['release 3 10', 'release 4 10'],
        ...['release 5 20', 'release 6 20'],
      ]);
      assert.deepEqual(await bench.commands(), []);
      const held = gateway.eventsOf('LoadCommandHeld');
      assert.deepEqual(
        held.map(({ answered, charger, reason, waitSeconds }) => {
          return [charger, reason, waitSeconds, answered];
        }),
        [
          ['CP-3', 'budget', 10, false],
          ['CP-4', 'order', 10, false],
          ['CP-5', 'order', 20, false],
          ['CP-6', 'order', 20, false],
        ],
      );
      const released = gateway.eventsOf('LoadCommandReleased');
      assert.deepEqual(
        released.map(({ charger, waitedSeconds }) => [charger, waitedSeconds]),
        [
          ['CP-3', 10],
          ['CP-4', 10],
          ['CP-5', 20],
          ['CP-6', 20],
        ],
      );
    });

    test('who would have to wait for long is answered, if the command is a start or a stop', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ openMs: 9_000 }));
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(5);
      await askAll(chargers, start, 2);
      const [, , third, fourth, fifth] = chargers;
      assert.equal(await third?.does(start('3')), 'answered');
      assert.equal(await fourth?.does(stop('4')), 'answered');
      assert.equal(await fifth?.does(reset('5')), 'refused RAMP_BUSY');
      assert.equal(await fifth?.does(limit('6')), 'refused RAMP_BUSY');
      const unlock = { action: 'UnlockConnector', loadClass: 'unlock' } as const;
      assert.equal(await fifth?.does(start('7', unlock)), 'refused RAMP_BUSY');
      await bench.pass(30_000);
      assert.deepEqual(bench.log('release'), ['release 3 10', 'release 4 10']);
      assert.deepEqual(await bench.commands(), []);
      assert.deepEqual(
        gateway.eventsOf('LoadCommandReconciled').map(({ action, charger }) => [charger, action]),
        [
          ['CP-3', 'RemoteStartTransaction'],
          ['CP-4', 'RemoteStopTransaction'],
        ],
      );
    });

    for (const [kind, request] of [
      ['starts', start],
      ['stops', stop],
      ['limits', limit],
      ['others', reset],
    ] as const) {
      test(`onLongWait.${kind} decides about its class, and about no other`, async () => {
        await using opened = await open();
        const refuseAll = { starts: 'refuse', stops: 'refuse', limits: 'refuse', others: 'refuse' };
        const answerAll = { starts: 'answer', stops: 'answer', limits: 'answer', others: 'answer' };
        for (const [policy, others, expected] of [
          ['answer', refuseAll, 'answered'],
          ['refuse', answerAll, 'refused RAMP_BUSY'],
        ] as const) {
          const onLongWait = { ...others, [kind]: policy } as ReturnType<
            typeof rampOptions
          >['onLongWait'];
          const bench = new RampBench(opened, rampOptions({ openMs: 5_000, onLongWait }));
          const gateway = await bench.start();
          const chargers = await gateway.connectMany(3);
          await askAll(chargers, start, 2);
          assert.equal(await chargers[2]?.does(request('3')), expected);
          await bench.pass(60_000);
          await gateway.kill();
        }
      });
    }

    test('who waits for longer than was thought is answered then, and released all the same', async () => {
      await using opened = await open();
      const bench = new RampBench(opened);
      const gateway = await bench.start();
      const [first, second, third] = await gateway.connectMany(3);
      await first?.does(start('1'));
      await second?.does(start('2'));
      assert.equal(await third?.does(start('3')), 'open');
      // It is busy when its turn comes.
      third?.setReady(false);
      await bench.pass(30_000);
      assert.deepEqual(bench.log('answer', 'release'), ['answer 3 24']);
      third?.setReady(true);
      await bench.pass(1000);
      assert.deepEqual(bench.log('answer', 'release'), ['answer 3 24', 'release 3 30']);
      assert.deepEqual(await bench.commands(), []);
    });

    test('nobody who waits is both answered and heard by the charger', async () => {
      await using opened = await open();
      // Its turn comes in the same moment in which its caller has waited for long enough.
      const bench = new RampBench(opened, rampOptions({ openMs: 10_000 }));
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(3);
      assert.deepEqual(await askAll(chargers, start), ['pass', 'pass', 'open']);
      await bench.pass(60_000);
      const told = bench.told.filter(({ name }) => name === '3');
      assert.deepEqual(
        told.map(({ command, is }) => [is, command?.isAnswered]),
        [['release', false]],
      );
      assert.deepEqual(
        gateway.eventsOf('LoadCommandHeld').map(({ answered }) => answered),
        [false],
      );
    });

    test('who may not be answered for is refused when its time is up', async () => {
      await using opened = await open();
      const bench = new RampBench(opened);
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(3);
      await askAll(chargers, start, 2);
      assert.equal(await chargers[2]?.does(limit('3')), 'open');
      chargers[2]?.setReady(false);
      await bench.pass(60_000);
      assert.deepEqual(bench.log('refuse', 'answer', 'release'), ['refuse 3 RAMP_EXPIRED 24']);
      assert.deepEqual(await bench.commands(), []);
    });
  });

  describe('with reply: immediate', () => {
    const options = rampOptions({ reply: 'immediate' });

    test('PNNL-35706: starts and stops are stored, answered at once, and released two every ten seconds in order of arrival over all chargers', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, options);
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(7);
      const verdicts: string[] = [];
      for (const [index, charger] of chargers.entries()) {
        const request = index % 3 === 2 ? stop : start;
        // Whoever asks is answered before anything is sent.
        const verdict = await charger.ask(request(`${index + 1}`));
        verdicts.push(verdict.is);
        assert.equal(bench.told.at(-1)?.is, 'answer');
        await bench.settle();
      }
      assert.deepEqual(new Set(verdicts), new Set(['answered']));
      await bench.pass(60_000);
      assert.deepEqual(bench.log('release', 'pass', 'refuse'), [
        ...['release 1 0', 'release 2 0'],
        ...['release 3 10', 'release 4 10'],
        ...['release 5 20', 'release 6 20'],
        'release 7 30',
      ]);
      assert.equal(gateway.eventsOf('LoadCommandReconciled').length, 7);
      assert.deepEqual(await bench.commands(), []);
    });

    test('several of one charger keep their order', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, options);
      const gateway = await bench.start();
      const [one, other] = await gateway.connectMany(2);
      await one?.does(start('a'));
      await one?.does(stop('b'));
      await other?.does(start('c'));
      await one?.does(start('d'));
      await bench.pass(60_000);
      assert.deepEqual(bench.log('release'), [
        ...['release a 0', 'release b 0'],
        ...['release c 10', 'release d 10'],
      ]);
    });

    test('all are stored, however long they will have to wait; and those that expire are reported', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, { ...options, holdMs: 25_000 });
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(8);
      const verdicts = await askAll(chargers, start);
      assert.deepEqual(new Set(verdicts), new Set(['answered']));
      await bench.pass(60_000);
      assert.deepEqual(bench.sent, ['1', '2', '3', '4', '5', '6']);
      assert.deepEqual(
        gateway.eventsOf('LoadCommandExpired').map(({ charger, wasAnswered }) => {
          return [charger, wasAnswered];
        }),
        [
          ['CP-7', true],
          ['CP-8', true],
        ],
      );
    });

    test('all other commands are treated as with auto', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, options);
      const gateway = await bench.start();
      const [charger] = await gateway.connectMany(1);
      assert.equal(await charger?.does(limit('1')), 'pass');
      assert.equal(await charger?.does(reset('2')), 'pass');
      assert.equal(await charger?.does(limit('3')), 'open');
    });
  });

  describe('with reply: defer', () => {
    test('nobody is ever answered for: who has to wait for long is refused', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ reply: 'defer' }));
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(9);
      assert.deepEqual(await askAll(chargers, start), [
        ...['pass', 'pass', 'open', 'open', 'open', 'open'],
        ...['refused RAMP_BUSY', 'refused RAMP_BUSY', 'refused RAMP_BUSY'],
      ]);
      chargers[5]?.setReady(false);
      await bench.pass(60_000);
      assert.deepEqual(bench.log('answer'), []);
      assert.deepEqual(bench.log('release'), ['release 3 10', 'release 4 10', 'release 5 20']);
      assert.deepEqual(bench.log('refuse').at(-1), 'refuse 6 RAMP_EXPIRED 24');
    });

    test('who may go in the very moment in which the wait is over goes', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ reply: 'defer', openMs: 10_000 }));
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(4);
      assert.deepEqual(await askAll(chargers, start), [...['pass', 'pass', 'open', 'open']]);
      chargers[3]?.setReady(false);
      await bench.pass(60_000);
      assert.deepEqual(bench.log('release', 'refuse'), [
        'release 3 10',
        'refuse 4 RAMP_EXPIRED 10',
      ]);
    });
  });

  describe('a command that waits', () => {
    test('expires, and its CSMS hears it unless it was answered', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ holdMs: 60_000 }));
      const gateway = await bench.start();
      const [one, other] = await gateway.connectMany(2);
      for (const charger of [one, other]) charger?.setReady(false);
      assert.equal(await one?.does(start('1')), 'open');
      assert.equal(await other?.does(limit('2')), 'open');
      await bench.pass(70_000);
      assert.deepEqual(bench.log(), ['refuse 2 RAMP_EXPIRED 24', 'answer 1 24']);
      assert.deepEqual(
        gateway.eventsOf('LoadCommandExpired').map(({ action, wasAnswered }) => {
          return [action, wasAnswered];
        }),
        [
          ['SetChargingProfile', false],
          ['RemoteStartTransaction', true],
        ],
      );
      for (const charger of [one, other]) charger?.setReady(true);
      await bench.pass(10_000);
      assert.deepEqual(bench.sent, []);
      assert.deepEqual(await bench.commands(), []);
    });

    test('keeps its place while its charger is busy, and lets the others pass', async () => {
      await using opened = await open();
      const bench = new RampBench(opened);
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(5);
      chargers[0]?.setReady(false);
      assert.deepEqual(await askAll(chargers, start), ['open', 'pass', 'pass', 'open', 'open']);
      await bench.pass(5000);
      chargers[0]?.setReady(true);
      await bench.pass(30_000);
      assert.deepEqual(bench.log('release'), ['release 1 10', 'release 4 10', 'release 5 20']);
    });

    test('whose charger leaves is kept if it was answered, until it expires', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ reply: 'immediate', holdMs: 100_000 }));
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(4);
      for (const charger of chargers) charger.setReady(false);
      await askAll(chargers, start);
      const [back, gone, ...others] = chargers;
      assert(back !== undefined && gone !== undefined);
      for (const charger of [back, gone]) await gateway.disconnect(charger);
      for (const charger of others) charger.setReady(true);
      await bench.pass(50_000);
      assert.deepEqual(bench.log('release'), ['release 3 0', 'release 4 0']);
      await gateway.connect(back.charger);
      await bench.pass(100_000);
      assert.deepEqual(bench.log('release'), ['release 3 0', 'release 4 0', 'release 1 50']);
      assert.deepEqual(
        gateway.eventsOf('LoadCommandExpired').map(({ charger }) => charger),
        [gone.charger],
      );
      assert.deepEqual(await bench.commands(), []);
    });

    test('whose caller has left is forgotten with it', async () => {
      await using opened = await open();
      const bench = new RampBench(opened);
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(4);
      await askAll(chargers, start);
      const third = chargers[2];
      assert(third !== undefined);
      await gateway.disconnect(third);
      const again = await gateway.connect(third.charger);
      await bench.pass(60_000);
      assert.deepEqual(bench.log('release'), ['release 4 10']);
      assert.equal(await again.does(start('5')), 'pass');
      assert.deepEqual(await bench.commands(), []);
    });

    test('whose caller has left is forgotten, though its charger has come again before', async () => {
      await using opened = await open();
      const bench = new RampBench(opened);
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(4);
      await askAll(chargers, start);
      const third = chargers[2];
      assert(third !== undefined);
      const again = await gateway.connect(third.charger);
      gateway.limiter.disconnect(third);
      assert.equal(await again.does(start('5')), 'open');
      await bench.pass(60_000);
      assert.deepEqual(bench.log('release'), ['release 4 10', 'release 5 10']);
      assert.deepEqual(await bench.commands(), []);
    });

    test('is not more than the operator wants, in all and of one charger', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ heldMax: 4, heldPerChargerMax: 2 }));
      const gateway = await bench.start();
      const [one, other, third] = await gateway.connectMany(3);
      const verdicts: (string | undefined)[] = [];
      for (const name of ['1', '2', '3', '4', '5']) verdicts.push(await one?.does(start(name)));
      for (const name of ['6', '7']) verdicts.push(await other?.does(start(name)));
      verdicts.push(await third?.does(start('8')));
      assert.deepEqual(verdicts, [
        ...['pass', 'pass', 'open', 'open', 'refused RAMP_FULL'],
        ...['open', 'open'],
        'refused RAMP_FULL',
      ]);
      assert.equal((await bench.commands()).length, 4);
    });

    test('is delayed a little at random, where the operator wants that', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ jitterMs: 8000 }));
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(4);
      for (const charger of chargers) charger.setReady(false);
      await askAll(chargers, start);
      for (const charger of chargers) charger.setReady(true);
      await bench.pass(60_000);
      const waits = bench.told.filter(({ is }) => is === 'release').map(({ atMs }) => atMs);
      assert.equal(waits.length, 4);
      assert.ok(waits.every((ms) => ms <= 20_000));
      assert.ok(waits.slice(0, 2).every((ms) => ms > 0 && ms <= 8000));
      // What need not wait is not delayed.
      await bench.pass(60_000);
      assert.equal(await chargers[0]?.does(start('5')), 'pass');
    });

    test('does by then what it does then', async () => {
      await using opened = await open();
      const options = rampOptions(
        {},
        {
          unassigned: { budget: { commandsMilli: undefined, upW: 10_000, downW: 10_000 } },
        },
      );
      const bench = new RampBench(opened, options);
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(3);
      const request = (name: string) => moving(start(name), { upW: 8000 });
      assert.deepEqual(await askAll(chargers, request), ['pass', 'open', 'open']);
      // Less than was thought: both fit together.
      for (const charger of chargers) {
        charger.current = () => ({
          now: { commandsMilli: 0, upW: 5000, downW: 0 },
          swing: 'up',
          place: 1,
        });
      }
      await bench.pass(60_000);
      assert.deepEqual(bench.log('release'), ['release 2 10', 'release 3 10']);
    });
  });

  describe('far back in a line', () => {
    /** Lets a busy charger have more commands before the next one than are looked at. */
    const withLongLine = async (bench: RampBench) => {
      const gateway = await bench.start();
      const busy = await gateway.connect('BUSY', { isReady: false });
      await busy.does(start('0'));
      const [row] = await bench.commands();
      assert(row !== undefined);
      const rows = Array.from({ length: 300 }, (_, index) => {
        return { ...row, id: `busy-${index}`, message_id: `busy-${index}`, is_answered: 1 };
      });
      await bench.store.query((db) => db.insertInto('ramp_command').values(rows).execute());
      return gateway;
    };
    const options = rampOptions(
      {},
      { unassigned: { budget: { commandsMilli: undefined, upW: 1000, downW: 1000 } } },
    );
    const rise = (name: string) => moving(start(name), { upW: 1000 });
    const fall = (name: string) => moving(stop(name), { downW: 1000 });

    test('a newer command of a charger does not overtake an older one', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, options);
      const gateway = await withLongLine(bench);
      const [one, other] = await gateway.connectMany(2);
      assert.equal(await other?.does(rise('other')), 'pass');
      assert.equal(await one?.does(rise('start')), 'open');
      assert.equal(await one?.does(fall('stop')), 'open');
    });

    test('whose caller has left is forgotten with it', async () => {
      await using opened = await open();
      const bench = new RampBench(opened, options);
      const gateway = await withLongLine(bench);
      const [one, other] = await gateway.connectMany(2);
      await other?.does(rise('other'));
      assert.equal(await one?.does(rise('start')), 'open');
      await bench.pass(1000);
      assert(one !== undefined);
      await gateway.disconnect(one);
      assert.ok((await bench.commands()).every(({ message_id }) => message_id !== 'start'));
    });
  });

  describe('T1-01, T1-02: a burst', () => {
    test('of fifty commands moves no window beyond its budget, and all of it gets there in order', async () => {
      await using opened = await open();
      const options = rampOptions(
        { reply: 'immediate' },
        {
          feeders: [
            feederOptions('north', { within: 'street', chargers: ['CP-1*'] }),
            feederOptions('street', {
              intervalMs: 30_000,
              budget: { commandsMilli: 9000, upW: 70_000, downW: undefined },
            }),
          ],
        },
      );
      const bench = new RampBench(opened, options);
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(25);
      for (let round = 0; round < 2; round += 1) {
        for (const [index, charger] of chargers.entries()) {
          const request = moving(start(`${round * 25 + index + 1}`), {
            commandsMilli: 1000,
            upW: 7000,
          });
          assert.equal(await charger.does(request), 'answered');
        }
      }
      await bench.pass(600_000);
      assert.deepEqual(await bench.commands(), []);
      for (const feeder of options.feeders.all) {
        assert.deepEqual(overfullWindows(feeder, bench.moved.get(feeder.name) ?? []), []);
      }
      for (const feeder of ['north', 'unassigned']) {
        const names = (bench.moved.get(feeder) ?? []).map(({ id }) => Number(id));
        assert.deepEqual(
          names,
          names.toSorted((one, next) => one - next),
        );
      }
      assert.equal(new Set(bench.sent).size, 50);
    });
  });
});
