import type { Clock } from '../../../src/lib/clock.ts';
import type { Random } from '../../../src/lib/random.ts';
import { isOcppVersion } from '../../../src/ocpp/version.ts';
import type { SimulatedCsms } from './csms.ts';
import { dialects } from './dialect.ts';
import { badMark, callText } from './ocpp-text.ts';

/** Between two single commands of one charger, on average, and the least between any two. */
const singleMs = 20_000;
const singleMsMin = 100;
/** Between two commands to many chargers at once, in milliseconds. */
const crowdMsMin = 10_000;
const crowdMsMax = 40_000;
/** How many of all chargers a crowd is at most. */
const crowdPart = 0.25;
/** How many of the single commands nobody may ever get. */
const badPart = 0.05;
/** How many of those use an id twice. */
const doubledPart = 0.15;
/** How often one charger gets several at once, though OCPP lets it have one at a time. */
const burstPart = 0.1;
const burstMax = 5;

/** What the operator of the CSMS does: commands to one charger, and to many at a time. */
export class Commander {
  readonly #csms: SimulatedCsms;
  readonly #clock: Clock;
  readonly #random: Random;
  #isCalm = false;
  #number = 0;

  constructor(csms: SimulatedCsms, clock: Clock, random: Random) {
    this.#csms = csms;
    this.#clock = clock;
    this.#random = random;
  }

  start(): void {
    this.#singleLater();
    this.#crowdLater();
  }

  /** Commands nothing any more. */
  calmDown(): void {
    this.#isCalm = true;
  }

  #singleLater(): void {
    const count = Math.max(1, this.#csms.connected().length);
    const delayMs = Math.max(singleMsMin, (2 * singleMs) / count) * this.#random.fraction();
    this.#clock.after(delayMs, () => {
      if (this.#isCalm) return;
      const identity = this.#pick();
      const isBurst = this.#random.fraction() < burstPart;
      const times = isBurst ? this.#random.integer(2, burstMax) : 1;
      for (let time = 0; identity !== undefined && time < times; time += 1) {
        this.#commandOne(identity);
      }
      this.#singleLater();
    });
  }

  #crowdLater(): void {
    this.#clock.after(this.#random.integer(crowdMsMin, crowdMsMax), () => {
      if (this.#isCalm) return;
      const all = this.#csms.connected();
      const count = Math.ceil(all.length * crowdPart * this.#random.fraction());
      const kind = this.#random.integer(0, 2);
      for (let index = 0; index < count; index += 1) {
        const identity = this.#pick();
        if (identity === undefined) break;
        if (kind === 0) this.#startOne(identity);
        else if (kind === 1) this.#stopOne(identity);
        else this.#limitOne(identity);
      }
      this.#crowdLater();
    });
  }

  #pick(): string | undefined {
    const all = this.#csms.connected();
    return all[this.#random.integer(0, Math.max(0, all.length - 1))];
  }

  #commandOne(identity: string): void {
    if (this.#random.fraction() < badPart) {
      this.#bad(identity);
      return;
    }
    const isSixteen = this.#csms.versionOf(identity) === 'ocpp1.6';
    switch (this.#random.integer(0, 7)) {
      case 0:
      case 1:
        this.#startOne(identity);
        return;
      case 2:
      case 3:
        this.#stopOne(identity);
        return;
      case 4:
        this.#limitOne(identity);
        return;
      case 5:
        this.#csms.command(identity, 'TriggerMessage', { requestedMessage: 'Heartbeat' });
        return;
      case 6:
        if (isSixteen) this.#csms.command(identity, 'GetConfiguration', {});
        return;
      default:
        if (isSixteen) {
          const value = String(this.#random.integer(10, 60));
          this.#csms.command(identity, 'ChangeConfiguration', {
            key: 'MeterValueSampleInterval',
            value,
          });
        }
    }
  }

  #startOne(identity: string): void {
    const version = this.#csms.versionOf(identity);
    if (version === undefined || !isOcppVersion(version)) return;
    this.#number += 1;
    const { action, payload } = dialects[version].remoteStart(`R${this.#number}`, this.#number);
    this.#csms.command(identity, action, payload);
  }

  #stopOne(identity: string): void {
    const version = this.#csms.versionOf(identity);
    const active = this.#csms.records.activeOf(identity);
    if (active === undefined || version === undefined || !isOcppVersion(version)) return;
    const { action, payload } = dialects[version].remoteStop(active.transactionId);
    this.#csms.command(identity, action, payload);
  }

  #limitOne(identity: string): void {
    if (this.#csms.versionOf(identity) !== 'ocpp1.6') return;
    this.#csms.command(identity, 'SetChargingProfile', {
      connectorId: 1,
      csChargingProfiles: {
        chargingProfileId: 1,
        stackLevel: 0,
        chargingProfilePurpose: 'TxDefaultProfile',
        chargingProfileKind: 'Relative',
        chargingSchedule: {
          chargingRateUnit: 'A',
          chargingSchedulePeriod: [{ startPeriod: 0, limit: this.#random.integer(6, 32) }],
        },
      },
    });
  }

  /** What an attacker would send who has the CSMS. */
  #bad(identity: string): void {
    this.#number += 1;
    const id = `bad-${this.#number}`;
    if (this.#random.fraction() < doubledPart) {
      // The id of a call that is still to be answered.
      const requestedMessage = 'Heartbeat';
      this.#csms.sendRaw(identity, callText(id, 'TriggerMessage', { requestedMessage }));
      this.#csms.sendRaw(identity, callText(id, 'Reset', { type: badMark }));
      return;
    }
    const texts = [
      callText(id, badMark, {}),
      callText(id, 'BootNotification', { chargePointVendor: badMark, chargePointModel: 'x' }),
      callText(id, 'ChangeConfiguration', { key: badMark }),
      callText(id, 'RemoteStartTransaction', { idTag: badMark, connectorId: 'one' }),
      `[3,"${id}",{"status":"${badMark}"}]`,
      `[2,"${id}","Reset",{"type":"${badMark}"`,
    ];
    this.#csms.sendRaw(identity, texts[this.#random.integer(0, texts.length - 1)] ?? '');
  }
}
