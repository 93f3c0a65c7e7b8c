import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../lib/random.ts';
import { HashQueue, type TurnOutcome, type Waiter } from './hash-queue.ts';

// Goal: never more at once than allowed, nobody starves, and who has gone costs nothing.
// Method: work that ends when the test says so, and a list of who had a turn.

interface Rig {
  readonly queue: HashQueue;
  /** Names, in the order in which their work began. */
  readonly begun: string[];
  readonly running: () => number;
  ask(name: string, waiter?: Partial<Waiter>): Promise<TurnOutcome<string>>;
  /** Ends the oldest work that runs. */
  finish(error?: Error): Promise<void>;
}

function rig(atOnceMax: number, waitingMax: number): Rig {
  const queue = new HashQueue({ atOnceMax, waitingMax });
  const begun: string[] = [];
  const ends: ((error?: Error) => void)[] = [];
  return {
    queue,
    begun,
    running: () => ends.length,
    ask: (name, { gone, isKnownPair = false, source = name } = {}) =>
      queue.run({ source, isKnownPair, gone }, () => {
        begun.push(name);
        return new Promise((resolve, reject) => {
          ends.push((error) => (error === undefined ? resolve(name) : reject(error)));
        });
      }),
    async finish(error) {
      ends.shift()?.(error);
      // A few turns of the microtask queue: one to settle the work, others to begin the next.
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    },
  };
}

async function drain(one: Rig): Promise<readonly string[]> {
  while (one.running() > 0) await one.finish();
  return one.begun;
}

const refused = { is: 'refused' } as const;
const abandoned = { is: 'abandoned' } as const;

describe('the queue of slow hashes', () => {
  test('some run at once, some wait, the next is refused at once', async () => {
    const one = rig(2, 3);
    const asked = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => one.ask(name));
    assert.deepEqual(one.begun, ['a', 'b']);
    assert.deepEqual(await asked[5], refused);
    await one.finish();
    assert.deepEqual(one.begun, ['a', 'b', 'c']);
    assert.deepEqual(await asked[0], { is: 'done', value: 'a' });
    assert.deepEqual(await drain(one), ['a', 'b', 'c', 'd', 'e']);
    assert.deepEqual(await asked[4], { is: 'done', value: 'e' });
  });

  test('without places to wait, what cannot begin is refused', async () => {
    const one = rig(1, 0);
    const first = one.ask('a');
    assert.deepEqual(await one.ask('b'), refused);
    assert.deepEqual(await one.ask('c', { isKnownPair: true }), refused);
    await drain(one);
    assert.deepEqual(await first, { is: 'done', value: 'a' });
  });

  test('work that fails says so to its waiter alone, and the next one begins', async () => {
    const one = rig(1, 3);
    const [first, second] = [one.ask('a'), one.ask('b')];
    const failure = assert.rejects(first, /no memory/);
    await one.finish(new Error('no memory'));
    await failure;
    await drain(one);
    assert.deepEqual(await second, { is: 'done', value: 'b' });
  });

  test('work that ends at once, thousands of times, is no deep recursion', async () => {
    const one = rig(1, 100_000);
    void one.ask('first');
    const asked = Array.from({ length: 20_000 }, (_, index) =>
      one.queue.run({ source: 's', isKnownPair: false }, () => Promise.resolve(index)),
    );
    await drain(one);
    const outcomes = await Promise.all(asked);
    assert(outcomes.every((outcome, index) => outcome.is === 'done' && outcome.value === index));
  });
});

describe('T2-02: a flood in the queue', () => {
  test('from one source delays another source by one turn for each of its own', async () => {
    const one = rig(1, 100);
    for (let count = 0; count < 50; count += 1) void one.ask(`flood ${count}`, { source: 'flood' });
    for (const name of ['x1', 'x2', 'x3']) void one.ask(name, { source: 'x' });
    const order = await drain(one);
    assert.deepEqual(order.slice(0, 8), [
      'flood 0',
      'flood 1',
      'x1',
      'flood 2',
      'x2',
      'flood 3',
      'x3',
      'flood 4',
    ]);
    assert.equal(order.length, 53);
  });

  test('that goes on does not starve anybody', async () => {
    const one = rig(1, 10);
    const flood = (): void => void one.ask('flood', { source: 'flood' });
    for (let count = 0; count < 20; count += 1) flood();
    const victims = ['a', 'b', 'c'].map((name) => one.ask(name));
    for (let count = 0; count < 10; count += 1) {
      await one.finish();
      flood();
      flood();
    }
    for (const victim of victims) assert.equal((await victim).is, 'done');
    await drain(one);
  });

  test('that fills all places gives one up for each newcomer, its newest first', async () => {
    const one = rig(1, 6);
    void one.ask('running');
    const flood = Array.from({ length: 7 }, (_, index) => one.ask(`f${index}`, { source: 'f' }));
    assert.deepEqual(await flood[6], refused, 'beyond all places');
    void one.ask('a');
    assert.deepEqual(await flood[5], refused);
    void one.ask('b');
    assert.deepEqual(await flood[4], refused);
    void one.ask('a2', { source: 'a' });
    assert.deepEqual(await flood[3], refused);
    void one.ask('b2', { source: 'b' });
    assert.deepEqual(await flood[2], refused);
    // Two each: from here on nobody has a better claim.
    assert.deepEqual(await one.ask('a3', { source: 'a' }), refused);
    assert.deepEqual(await one.ask('f7', { source: 'f' }), refused);
    assert.deepEqual(await drain(one), ['running', 'f0', 'a', 'b', 'f1', 'a2', 'b2']);
  });

  test('from thousands of sources: a known pair waits for one turn, and not behind all', async () => {
    const one = rig(1, 1000);
    for (let count = 0; count < 3000; count += 1) void one.ask(`stranger ${count}`);
    const known = one.ask('charger', { isKnownPair: true });
    await one.finish();
    await one.finish();
    assert(one.begun.includes('charger'), String(one.begun));
    await drain(one);
    assert.equal((await known).is, 'done');
  });

  test('a thousand known pairs do not keep strangers out either', async () => {
    const one = rig(1, 10);
    for (let count = 0; count < 30; count += 1) {
      void one.ask(`known ${count}`, { isKnownPair: true, source: `s${count}` });
    }
    const stranger = one.ask('stranger');
    for (let count = 0; count < 3; count += 1) await one.finish();
    assert(one.begun.includes('stranger'));
    await drain(one);
    assert.equal((await stranger).is, 'done');
  });
});

describe('a charger that has gone', () => {
  test('gives its place up and gets no turn', async () => {
    const one = rig(1, 2);
    void one.ask('running');
    const leaving = new AbortController();
    const first = one.ask('a', { gone: leaving.signal });
    const second = one.ask('b');
    assert.deepEqual(await one.ask('too many'), refused);
    leaving.abort();
    assert.deepEqual(await first, abandoned);
    const third = one.ask('c');
    assert.deepEqual(await drain(one), ['running', 'b', 'c']);
    assert.equal((await second).is, 'done');
    assert.equal((await third).is, 'done');
  });

  test('before it asked, does not even wait', async () => {
    const one = rig(1, 2);
    assert.deepEqual(await one.ask('a', { gone: AbortSignal.abort() }), abandoned);
    assert.deepEqual(one.begun, []);
  });

  test('during its turn, changes nothing: its work cannot be stopped and keeps its slot', async () => {
    const one = rig(1, 2);
    const leaving = new AbortController();
    const first = one.ask('a', { gone: leaving.signal });
    void one.ask('b', { gone: leaving.signal });
    void one.ask('c');
    leaving.abort();
    assert.equal(one.running(), 1);
    assert.deepEqual(await drain(one), ['a', 'c']);
    assert.equal((await first).is, 'done');
  });
});

test('whatever comes and goes, the bounds hold and everybody gets exactly one answer', async () => {
  const seed = 20_260_101;
  const random = seededRandom(seed);
  const one = rig(3, 20);
  const answers: Promise<TurnOutcome<string>>[] = [];
  const signals: AbortController[] = [];
  for (let step = 0; step < 5000; step += 1) {
    const choice = random.integer(0, 9);
    if (choice < 6) {
      const gone = new AbortController();
      signals.push(gone);
      const source = `s${random.integer(0, 8)}`;
      const isKnownPair = random.integer(0, 2) === 0;
      answers.push(one.ask(String(step), { source, isKnownPair, gone: gone.signal }));
    } else if (choice < 7) {
      signals[random.integer(0, signals.length - 1)]?.abort();
    } else {
      await one.finish();
    }
    assert(one.running() <= 3, `seed ${seed}, step ${step}`);
  }
  await drain(one);
  const outcomes = await Promise.all(answers);
  const done = outcomes.filter(({ is }) => is === 'done').length;
  assert.equal(done, one.begun.length, `seed ${seed}`);
  assert.equal(new Set(one.begun).size, one.begun.length, `seed ${seed}`);
  for (const kind of ['done', 'refused', 'abandoned']) {
    assert(
      outcomes.some(({ is }) => is === kind),
      `${kind} happened, seed ${seed}`,
    );
  }
});
