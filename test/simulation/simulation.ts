import { seededRandom } from '../../src/lib/random.ts';
import { addChargers } from './add-chargers.ts';
import { Faults } from './faults.ts';
import { gatewayId } from './gateway-id.ts';
import { feederLimits, simulatedOptions } from './gateway-options.ts';
import type { Host } from './network/end.ts';
import { calmConditions, Link } from './network/link.ts';
import { SimulatedNetwork } from './network/simulated-network.ts';
import { Observer } from './observers/observer.ts';
import { checkRest, type RestTools, whyNoRest } from './observers/rest.ts';
import { Commander } from './peers/commander.ts';
import { type CsmsManners, SimulatedCsms } from './peers/csms.ts';
import { type Fleet, makeFleet, planFleet } from './peers/fleet.ts';
import { type ReplacedTimers, replaceTimers } from './replaced-timers.ts';
import { type Scenario, type SimulationOptions, scenarioOf } from './scenario.ts';
import { type DatabasePace, SimulatedDatabase } from './simulated-database.ts';
import { type GatewaySite, SimulatedGateway } from './simulated-gateway.ts';
import { SimulatedTime } from './simulated-time.ts';
import type { Tampering } from './tampering.ts';
import { Trace } from './trace.ts';

/** Simulated seconds after the last fault in which all has to be well again. */
const calmSecondsMax = 400;
/** How often it is looked whether it is, in milliseconds. */
const lookMs = 5_000;
/** How often somebody meddles with the database, in milliseconds. */
const meddleMs = 250;
/** A statement that takes long while the database stalls: 0 to 1. */
const stallingPart = 0.05;

/** The real gateway between simulated chargers and a simulated CSMS, from one seed. */
export class Simulation {
  readonly options: SimulationOptions;
  readonly time = new SimulatedTime();
  readonly trace = new Trace(this.time);
  readonly observer: Observer;
  readonly #scenario: Scenario;
  readonly #database: SimulatedDatabase;
  readonly #pace: DatabasePace;
  readonly #network = new SimulatedNetwork(this.time);
  readonly #gatewayHost: Host = this.#network.addHost('gateway');
  readonly #csms: SimulatedCsms;
  readonly #manners: CsmsManners = { slow: 0, silent: 0 };
  readonly #fleet: Fleet;
  readonly #commander: Commander;
  readonly #site: GatewaySite;
  readonly #csmsLink: Link;
  readonly #tampering: Tampering;
  #gateway: SimulatedGateway;
  #timers: ReplacedTimers | undefined;
  #isAtRest = false;

  /** @param tampering what is done to the gateway, to see that it is noticed. */
  constructor(options: SimulationOptions, tampering: Tampering = {}) {
    this.options = options;
    this.#tampering = tampering;
    this.#database = new SimulatedDatabase(tampering.spoil);
    const { chargers, seed } = options;
    const { time, trace } = this;
    this.#scenario = scenarioOf(options);
    const { conditions, gateway, newer, rascals, stalls } = this.#scenario;
    this.#pace = { stalls };
    const csmsHost = this.#network.addHost('csms');
    const field = this.#network.addHost('field');
    const randomOf = (salt: number) => seededRandom(Math.imul(seed, 0x9e3779b1) ^ salt);
    this.#csmsLink = new Link(time, randomOf(1), calmConditions);
    if (options.hasFaults) Object.assign(this.#manners, { slow: 0.005, silent: 0.002 });
    const csmsTools = { clock: time, random: randomOf(2), trace, host: csmsHost };
    this.#csms = new SimulatedCsms(csmsTools, this.#manners);
    this.#commander = new Commander(this.#csms, time, randomOf(3));
    this.observer = new Observer({
      time,
      trace,
      database: this.#database,
      chain: gatewayId,
      feeders: feederLimits(gateway),
      records: () => this.#csms.records,
    });
    const plan = { seed, chargers, feeders: gateway.feeders, newer, rascals };
    this.#fleet = makeFleet(
      plan,
      planFleet(plan),
      {
        clock: time,
        trace,
        network: this.#network,
        field,
        gateway: this.#gatewayHost,
        onAcknowledged: (...heard) => this.observer.onAcknowledged(...heard),
      },
      (index) => new Link(time, randomOf(1000 + index), conditions),
    );
    const gatewayWith = simulatedOptions(gateway);
    this.#site = {
      time,
      random: randomOf(4),
      network: this.#network,
      host: this.#gatewayHost,
      csmsHost,
      csmsLink: this.#csmsLink,
      database: this.#database,
      pace: this.#pace,
      options: tampering.configure?.(gatewayWith) ?? gatewayWith,
      emit: (event) => {
        const { name } = event;
        const subject = 'charger' in event ? String(event.charger) : '';
        trace.note('event', subject, `${name} ${'code' in event ? String(event.code) : ''}`);
        this.observer.onEvent(event);
      },
      tap: (side, life) => {
        const tap = this.observer.tap(side, life);
        return tampering.tap?.(side, tap) ?? tap;
      },
    };
    this.#gateway = new SimulatedGateway(this.#site);
  }

  /** Runs it to its end. @throws BrokenInvariant, and what is a defect. */
  async run(): Promise<void> {
    await addChargers(
      this.#database,
      this.#fleet.chargers.map(({ plan }) => plan),
      this.time.nowMs(),
    );
    this.observer.start();
    this.#timers = replaceTimers(this.time);
    try {
      this.#begin();
      await this.time.run(
        () => this.#isAtRest,
        () => this.observer.atRest(),
      );
      checkRest(this.#rest());
    } finally {
      this.#gateway.life.isDead = true;
      this.#timers.restore();
      this.#database.close();
    }
  }

  #begin(): void {
    const { hasFaults, seconds } = this.options;
    this.time.after(0, () => this.#startGateway());
    this.#meddle();
    this.#fleet.start();
    this.#commander.start();
    const faults = new Faults(
      {
        chargerLinks: this.#fleet.links,
        csmsLink: this.#csmsLink,
        crashGateway: (how, downMs) => this.#crash(how, downMs),
        restartGateway: () => void this.#restart(),
        restartCsms: (downMs) => this.#restartCsms(downMs),
        rebootCharger: (index) => this.#fleet.chargers[index]?.reboot(),
        reconnectCharger: (index) => this.#fleet.chargers[index]?.reconnect(),
        stallDatabase: (ms) => this.#stall(ms),
      },
      this.time,
      seededRandom(this.options.seed ^ 0xfa17),
    );
    if (hasFaults) faults.start(this.#scenario.faults);
    this.time.after(seconds * 1000, () => {
      this.trace.note('calm', '', '');
      faults.stop();
      this.#calmDown();
    });
  }

  #meddle(): void {
    const { meddle } = this.#tampering;
    if (meddle === undefined) return;
    this.time.after(meddleMs, () => {
      if (!this.#database.isInTransaction) meddle(this.#database);
      this.#meddle();
    });
  }

  #calmDown(): void {
    for (const link of [...this.#fleet.links, this.#csmsLink]) {
      link.mend();
      link.conditions = calmConditions;
    }
    Object.assign(this.#manners, { slow: 0, silent: 0 });
    this.#pace.stalls = 0;
    this.#commander.calmDown();
    this.#fleet.calmDown();
    const untilMs = this.time.elapsedMs() + calmSecondsMax * 1000;
    const look = (): void => {
      this.#isAtRest = whyNoRest(this.#rest()) === undefined || this.time.elapsedMs() >= untilMs;
      if (!this.#isAtRest) this.time.after(lookMs, look);
    };
    this.time.after(lookMs, look);
  }

  #rest(): RestTools {
    return {
      honest: this.#fleet.honest,
      records: this.#csms.records,
      commandsLeft: this.observer.commands.openCount,
      sessions: this.#gateway.running?.sessionCount() ?? 0,
    };
  }

  #startGateway(): void {
    this.trace.note('gateway-starts', '', '');
    this.#gatewayHost.isDown = false;
    this.#gateway = new SimulatedGateway(this.#site);
    void this.#gateway.start();
  }

  #crash(how: 'process' | 'power', downMs: number): void {
    if (this.#gateway.life.isDead) return;
    this.trace.note('gateway-dies', '', how);
    this.#bury(how);
    this.time.after(downMs, () => this.#startGateway());
  }

  async #restart(): Promise<void> {
    const gateway = this.#gateway;
    if (gateway.life.isDead || gateway.running === undefined) return;
    this.trace.note('gateway-stops', '', '');
    await gateway.stop();
    this.#bury('process');
    this.#startGateway();
  }

  #bury(how: 'process' | 'power'): void {
    this.#gateway.die();
    if (how === 'process') this.#network.resetAll(this.#gatewayHost);
    else this.#network.switchOff(this.#gatewayHost);
    this.#timers?.dropAll();
    this.observer.onGatewayDied();
  }

  #restartCsms(downMs: number): void {
    this.trace.note('csms-dies', '', '');
    this.#csms.die();
    this.time.after(downMs, () => this.#csms.start());
  }

  #stall(ms: number): void {
    const { stalls } = this.#pace;
    this.#pace.stalls = stallingPart;
    this.time.after(ms, () => {
      this.#pace.stalls = Math.min(stalls, this.#scenario.stalls);
    });
  }
}
