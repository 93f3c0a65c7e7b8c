import type { Clock } from '../../src/lib/clock.ts';
import type { Random } from '../../src/lib/random.ts';
import type { Link } from './network/link.ts';

/** What can go wrong in a simulation. */
export interface FaultTargets {
  /** All chargers' paths to the gateway. */
  readonly chargerLinks: readonly Link[];
  readonly csmsLink: Link;
  /** The gateway dies: its process alone, or the machine under it. */
  crashGateway(how: 'process' | 'power', downMs: number): void;
  /** An operator restarts it. */
  restartGateway(): void;
  restartCsms(downMs: number): void;
  /** Does something to a charger. */
  rebootCharger(index: number): void;
  reconnectCharger(index: number): void;
  stallDatabase(ms: number): void;
}

/** How often each fault happens on average: milliseconds between two of a kind. */
export interface FaultPace {
  readonly gatewayMs: number;
  readonly csmsMs: number;
  readonly csmsLinkMs: number;
  /** Of one charger. */
  readonly chargerMs: number;
  readonly databaseMs: number;
}

/** How long things last, in milliseconds. */
const downMsMax = 8_000;
const csmsDownMsMax = 15_000;
const cutMsMax = 50_000;
const stallMsMax = 6_000;

/** Lets things go wrong until it is told to stop. */
export class Faults {
  readonly #targets: FaultTargets;
  readonly #clock: Clock;
  readonly #random: Random;
  #isOver = false;

  constructor(targets: FaultTargets, clock: Clock, random: Random) {
    this.#targets = targets;
    this.#clock = clock;
    this.#random = random;
  }

  start({ chargerMs, csmsLinkMs, csmsMs, databaseMs, gatewayMs }: FaultPace): void {
    const { chargerLinks, csmsLink } = this.#targets;
    this.#repeat(gatewayMs, () => this.#endGateway());
    this.#repeat(csmsMs, () => this.#targets.restartCsms(this.#upTo(csmsDownMsMax)));
    this.#repeat(csmsLinkMs, () => csmsLink.cutFor(this.#upTo(cutMsMax)));
    this.#repeat(databaseMs, () => this.#targets.stallDatabase(this.#upTo(stallMsMax)));
    this.#repeat(chargerMs / chargerLinks.length, () => this.#troubleCharger());
    // A mast, or a switch, with many chargers behind it.
    this.#repeat(csmsLinkMs, () => this.#cutMany());
  }

  /** Nothing goes wrong any more. */
  stop(): void {
    this.#isOver = true;
  }

  #repeat(meanMs: number, act: () => void): void {
    this.#clock.after(-Math.log(1 - this.#random.fraction()) * meanMs, () => {
      if (this.#isOver) return;
      act();
      this.#repeat(meanMs, act);
    });
  }

  #endGateway(): void {
    const kind = this.#random.integer(0, 2);
    if (kind === 0) this.#targets.restartGateway();
    else this.#targets.crashGateway(kind === 1 ? 'process' : 'power', this.#upTo(downMsMax));
  }

  #troubleCharger(): void {
    const { chargerLinks } = this.#targets;
    const index = this.#random.integer(0, chargerLinks.length - 1);
    const kind = this.#random.integer(0, 3);
    if (kind === 0) this.#targets.rebootCharger(index);
    else if (kind === 1) this.#targets.reconnectCharger(index);
    else chargerLinks[index]?.cutFor(this.#upTo(cutMsMax));
  }

  #cutMany(): void {
    const { chargerLinks } = this.#targets;
    const part = this.#random.fraction() * 0.3;
    const ms = this.#upTo(cutMsMax);
    for (const link of chargerLinks) if (this.#random.fraction() < part) link.cutFor(ms);
  }

  /** Short times more often than long ones. */
  #upTo(max: number): number {
    return max * this.#random.fraction() ** 2;
  }
}
