import { type Random, seededRandom } from '../../src/lib/random.ts';
import type { LoadCommandRequest, RampVerdict } from '../../src/ramp-limit/ramp-target.ts';
import {
  limit,
  moving,
  RampBench,
  rampOptions,
  reset,
  start,
  stop,
  type TestCharger,
  type TestGateway,
} from './ramp-bench.ts';
import { feederOptions } from './ramp-line.ts';
import { overfullWindows } from './ramp-windows.ts';
import type { TestStore } from './stores.ts';

/** What is to happen. */
export interface TrafficOptions {
  readonly seed: number;
  /** Gateways that live at the same time. */
  readonly gateways: number;
  /** How often one of them dies, at a random moment. */
  readonly kills: number;
  readonly steps: number;
}

/** What has happened. */
export interface TrafficResult {
  /** What went wrong, in words. */
  readonly faults: readonly string[];
  readonly asked: number;
  readonly answered: number;
  readonly released: number;
  readonly died: number;
}

const chargersMax = 8;
const holdMs = 900_000;

/** A command, and what its caller heard. */
interface Asked {
  readonly name: string;
  readonly charger: string;
  readonly request: LoadCommandRequest;
  readonly gateway: TestGateway;
  verdict: RampVerdict['is'] | undefined;
}

/**
 * Random commands for random chargers at random times, which come and go, and gateways that die at
 * random moments: between transactions, between a transaction and its answer, between two commands
 * that are sent. At the end all chargers are there, and all that waits has had time to go.
 */
export async function runTraffic(
  opened: TestStore,
  options: TrafficOptions,
): Promise<TrafficResult> {
  const traffic = new Traffic(opened, options);
  await traffic.run();
  return traffic.result();
}

class Traffic {
  readonly #options: TrafficOptions;
  readonly #random: Random;
  readonly #bench: RampBench;
  readonly #asked: Asked[] = [];
  readonly #chargers = new Map<string, TestCharger>();
  readonly #homes = new Map<string, TestGateway>();
  /** Chargers that were disconnected once. */
  readonly #haveLeft = new Set<string>();
  readonly #faults: string[] = [];

  constructor(opened: TestStore, options: TrafficOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    const random = this.#random;
    const reserve = { commandsMilli: 1000, upW: 5000, downW: 5000 };
    const budget = (commands: number, watts: number) => ({
      commandsMilli: 1000 * commands,
      upW: watts,
      downW: watts,
    });
    const grid = {
      feeders: [
        feederOptions('site', {
          chargers: ['CP-1', 'CP-2', 'CP-3'],
          within: 'street',
          budget: budget(3, 30_000),
          reserve,
        }),
        feederOptions('street', {
          chargers: ['CP-4'],
          intervalMs: 15_000,
          budget: budget(6, 60_000),
          reserve,
        }),
      ],
      unassigned: { budget: budget(4, 45_000), reserve },
    };
    const replies = ['immediate', 'auto', 'auto'] as const;
    const changes = {
      reply: replies[random.integer(0, 2)] ?? 'auto',
      openMs: random.integer(0, 1) === 0 ? 8000 : 20_000,
      dwellMs: random.integer(0, 1) * 20_000,
      jitterMs: random.integer(0, 1) * 3000,
      holdMs,
      onLongWait: {
        starts: 'answer',
        stops: 'answer',
        limits: random.integer(0, 1) === 0 ? 'answer' : 'refuse',
        others: 'answer',
      },
    } as const;
    this.#bench = new RampBench(opened, rampOptions(changes, grid));
  }

  async run(): Promise<void> {
    const { gateways, kills, steps } = this.#options;
    for (let count = 0; count < gateways; count += 1) await this.#bench.start();
    for (let index = 1; index <= chargersMax; index += 1) await this.#connect(`CP-${index}`);
    const lifeSteps = Math.floor(steps / (kills + 1));
    for (let step = 1; step <= steps; step += 1) {
      if (kills > 0 && step % lifeSteps === 0) this.#doom();
      await this.#step();
      await this.#replaceDead();
    }
    for (const gateway of this.#bench.living) gateway.life.momentsLeft = Infinity;
    for (let index = 1; index <= chargersMax; index += 1) {
      const name = `CP-${index}`;
      if (!this.#chargers.has(name)) await this.#connect(name);
      this.#chargers.get(name)?.setReady(true);
    }
    for (let minute = 0; minute < 30; minute += 1) {
      if ((await this.#bench.commands()).length === 0) break;
      await this.#bench.pass(60_000);
    }
    await this.#check();
  }

  result(): TrafficResult {
    const { told } = this.#bench;
    return {
      faults: this.#faults,
      asked: this.#asked.length,
      answered: told.filter(({ is }) => is === 'answer').length,
      released: told.filter(({ is }) => is === 'release').length,
      died: this.#bench.gateways.length - this.#bench.living.length,
    };
  }

  async #step(): Promise<void> {
    const random = this.#random;
    switch (random.integer(0, 8)) {
      case 0:
        await this.#bench.pass(random.integer(0, 15_000));
        return;
      case 1:
        await this.#bench.pass(random.integer(0, 3000));
        return;
      case 2: {
        const charger = this.#pick();
        if (charger !== undefined) charger.setReady(!charger.isReady);
        break;
      }
      case 3:
        await this.#comeOrGo();
        break;
      default:
        // Several at the same moment, at whatever gateway has the charger.
        for (let count = random.integer(1, 4); count > 0; count -= 1) this.#ask();
    }
    await this.#bench.settle();
  }

  #pick(): TestCharger | undefined {
    const chargers = [...this.#chargers.values()];
    return chargers[this.#random.integer(0, chargers.length - 1)];
  }

  #ask(): void {
    const charger = this.#pick();
    const gateway = this.#homes.get(charger?.charger ?? '');
    if (charger === undefined || gateway === undefined) return;
    const name = `${this.#asked.length}`;
    const request = this.#request(name);
    const asked: Asked = { name, charger: charger.charger, request, gateway, verdict: undefined };
    this.#asked.push(asked);
    void charger.ask(request).then(({ is }) => {
      asked.verdict = is;
    });
  }

  #request(name: string): LoadCommandRequest {
    const random = this.#random;
    const make = [start, start, stop, stop, limit, reset][random.integer(0, 5)] ?? start;
    const isLimit = make === limit;
    const rises = make === start || (isLimit && random.integer(0, 1) === 0);
    const watts = [3700, 7400, 11_000, 22_000][random.integer(0, 3)] ?? 0;
    const request = moving(make(name), {
      commandsMilli: isLimit ? random.integer(1, 1000) : 1000,
      upW: rises ? watts : 0,
      downW: rises ? 0 : watts,
    });
    const isEmergency = make === stop && random.integer(0, 9) === 0;
    const lane = isEmergency ? 'emergency' : 'ordinary';
    const reason = isEmergency ? 'fault' : undefined;
    // Events name the action and not the command.
    const action = isLimit ? request.action : `${request.action} ${name}`;
    return { ...request, action, lane, reason };
  }

  async #comeOrGo(): Promise<void> {
    const name = `CP-${this.#random.integer(1, chargersMax)}`;
    const charger = this.#chargers.get(name);
    const gateway = this.#homes.get(name);
    if (charger === undefined || gateway === undefined) {
      await this.#connect(name);
      return;
    }
    this.#chargers.delete(name);
    this.#homes.delete(name);
    this.#haveLeft.add(name);
    if (!gateway.life.isDead) await gateway.disconnect(charger);
  }

  async #connect(name: string): Promise<void> {
    const { living } = this.#bench;
    const gateway = living[this.#random.integer(0, living.length - 1)];
    if (gateway === undefined) return;
    const busyMs = [0, 200, 2000, 6000][this.#random.integer(0, 3)] ?? 0;
    this.#homes.set(name, gateway);
    this.#chargers.set(name, await gateway.connect(name, { busyMs }));
  }

  /** A gateway has a few moments left. */
  #doom(): void {
    const doomed = this.#bench.living[this.#random.integer(0, this.#bench.living.length - 1)];
    if (doomed === undefined || doomed.life.momentsLeft !== Infinity) return;
    doomed.life.momentsLeft = this.#random.integer(0, 12);
  }

  async #replaceDead(): Promise<void> {
    const bench = this.#bench;
    while (bench.living.length < this.#options.gateways) {
      const orphans = [...this.#homes].filter(([, gateway]) => gateway.life.isDead);
      for (const gateway of bench.gateways) if (gateway.life.isDead) await gateway.kill();
      await bench.start();
      for (const [name] of orphans) {
        this.#homes.delete(name);
        this.#chargers.delete(name);
        await this.#connect(name);
      }
    }
  }

  async #check(): Promise<void> {
    const bench = this.#bench;
    const left = await bench.commands();
    for (const { message_id, state } of left) this.#fault(`${message_id} is left, ${state}`);
    for (const feeder of bench.options.feeders.all) {
      const faults = overfullWindows(feeder, bench.moved.get(feeder.name) ?? []);
      for (const fault of faults) this.#fault(`${feeder.name}: ${fault}`);
    }
    for (const asked of this.#asked) this.#checkOne(asked);
    this.#checkOrder();
    for (const { events } of bench.gateways) {
      for (const event of events) {
        if (event.name === 'HousekeepingFailed') this.#fault(`defect: ${event.error}`);
      }
    }
  }

  #checkOne({ charger, gateway, name, request, verdict }: Asked): void {
    const told = this.#bench.told.filter((one) => one.name === name);
    const sent = told.filter(({ is }) => is === 'pass' || is === 'release').length;
    const heard = told.filter(({ is }) => is === 'answer' || is === 'refuse' || is === 'pass');
    const answers = told.filter(({ is }) => is === 'answer').length;
    const about = `${name} (${request.action} of ${charger}, ${verdict})`;
    const what = `${about}: ${told.map(({ atMs, is }) => `${is} at ${atMs}`).join(', ')}`;
    const resends = request.loadClass === 'stop' ? this.#options.kills : 0;
    if (sent > 1 + resends) this.#fault(`${what}: sent ${sent} times`);
    if (heard.length > 1) this.#fault(`${what}: told ${heard.length} times`);
    if (told.some(({ is }) => is === 'refuse') && sent > 0)
      this.#fault(`${what}: refused and sent`);
    const isReported = this.#isReported(charger, request.action);
    if (answers > 0 && sent === 0 && !isReported) this.#fault(`${what}: answered and lost`);
    if (gateway.life.isDead || verdict === undefined) return;
    // Its gateway lives. Whoever waited has heard something, unless it has left.
    const hasLeft = this.#haveLeft.has(charger) || this.#homes.get(charger) !== gateway;
    if (verdict === 'open' && told.length === 0 && !hasLeft) {
      this.#fault(`${what}: nobody has heard of it`);
    }
  }

  #isReported(charger: string, action: string): boolean {
    return this.#bench.gateways.some(({ events }) =>
      events.some((event) => {
        const isOne = event.name === 'LoadCommandUnclear' || event.name === 'LoadCommandExpired';
        return isOne && event.charger === charger && event.action === action;
      }),
    );
  }

  /** Commands of one charger, and of one lane, are first sent in the order of their arrival. */
  #checkOrder(): void {
    const last = new Map<string, number>();
    const seen = new Set<string>();
    for (const { is, name } of this.#bench.told) {
      if ((is !== 'pass' && is !== 'release') || seen.has(name)) continue;
      seen.add(name);
      const asked = this.#asked[Number(name)];
      if (asked === undefined) continue;
      const line = `${asked.charger} ${asked.request.lane}`;
      const before = last.get(line) ?? -1;
      if (Number(name) < before) this.#fault(`${line}: ${before} is sent before ${name}`);
      last.set(line, Math.max(before, Number(name)));
    }
  }

  #fault(text: string): void {
    this.#faults.push(text);
  }
}
