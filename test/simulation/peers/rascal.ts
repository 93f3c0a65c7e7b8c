import type { Clock } from '../../../src/lib/clock.ts';
import type { Random } from '../../../src/lib/random.ts';
import type { ChargerTools, SimulatedCharger } from './charger.ts';
import { SimulatedCharger as Charger } from './charger.ts';
import { badMark, callText } from './ocpp-text.ts';

/** Between two misdeeds, in milliseconds. */
const misdeedMsMin = 3_000;
const misdeedMsMax = 15_000;
/** How many of them are connections of somebody else. */
const impostorPart = 0.2;
/** How many of all misdeeds use an id twice. */
const doubledPart = 0.1;
const impostorMs = 20_000;

/** A charger that does all its work, and beside it what no charger may. */
export class Rascal {
  readonly #charger: SimulatedCharger;
  readonly #tools: ChargerTools;
  readonly #clock: Clock;
  readonly #random: Random;
  #isCalm = false;
  #number = 0;

  constructor(charger: SimulatedCharger, tools: ChargerTools, random: Random) {
    this.#charger = charger;
    this.#tools = tools;
    this.#clock = tools.clock;
    this.#random = random;
  }

  start(): void {
    this.#clock.after(this.#random.integer(misdeedMsMin, misdeedMsMax), () => {
      if (this.#isCalm) return;
      if (this.#random.fraction() < impostorPart) this.#comeAsSomebody();
      else if (this.#random.fraction() < doubledPart) this.#useIdTwice();
      else this.#charger.sendRaw(this.#badText());
      this.start();
    });
  }

  calmDown(): void {
    this.#isCalm = true;
  }

  /** Once more under the same name: with the right password, or with a wrong one. */
  #comeAsSomebody(): void {
    const knows = this.#random.fraction() < 0.5;
    const { identity, password, version } = this.#charger.plan;
    const impostor = new Charger(
      {
        identity,
        version,
        address: `203.0.113.${this.#random.integer(1, 200)}`,
        password: knows ? password : 'wrong-wrong-wrong-wrong',
      },
      { ...this.#tools, random: this.#random, onAcknowledged: () => {} },
    );
    impostor.visit(impostorMs);
  }

  /** It passes only if the first one is answered before it comes, as small random ids may. */
  #useIdTwice(): void {
    this.#number += 1;
    const id = `twice-${this.#number}`;
    this.#charger.sendRaw(callText(id, 'Heartbeat', {}));
    this.#charger.sendRaw(callText(id, 'DataTransfer', { vendorId: 'twice' }));
  }

  #badText(): string {
    this.#number += 1;
    const id = `bad-${this.#number}`;
    const texts = [
      callText(id, badMark, {}),
      callText(id, 'RemoteStopTransaction', { transactionId: badMark }),
      callText(id, 'StatusNotification', { connectorId: 1, errorCode: badMark }),
      callText(id, 'MeterValues', { connectorId: badMark }),
      `[3,"${id}",{"status":"${badMark}"}]`,
      `[4,"${id}","${badMark}","",{}]`,
      `[2,"${id}","Heartbeat",{"a":"${badMark}"`,
      `[9,"${id}","${badMark}",{}]`,
      badMark,
    ];
    return texts[this.#random.integer(0, texts.length - 1)] ?? badMark;
  }
}
