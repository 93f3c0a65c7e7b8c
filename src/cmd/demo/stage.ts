import type { GatewayEvent } from '../../events/catalogue.ts';
import { invariant } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { type SimulatedCharger, startSimulatedCharger } from '../../sim/charger/charger.ts';
import type { SimulatedCsms } from '../../sim/csms/csms.ts';
import type { Cast } from './cast.ts';
import type { DemoDrivers } from './demo-drivers.ts';
import type { FeederMeter } from './feeder-meter.ts';
import type { DemoState } from './state.ts';

/** What the rogues work with. */
export interface Stage {
  readonly clock: Clock;
  readonly state: DemoState;
  /** A charger that an attacker has got hold of. */
  readonly rogueCharger: SimulatedCharger;
  /** The management system, with an account that an attacker has stolen. */
  readonly csms: SimulatedCsms;
  /** The honest chargers, all on one feeder. */
  readonly chargers: readonly SimulatedCharger[];
  /** The one of them that single attacks aim at. */
  readonly victim: SimulatedCharger;
  readonly drivers: DemoDrivers;
  readonly meter: FeederMeter;
  /** Connects a second time under the victim's name; resolves when it has been answered. */
  impersonate(): Promise<void>;
  /** Resolves with the next event that matches, or undefined after some seconds. */
  nextEvent(matches: (event: GatewayEvent) => boolean): Promise<GatewayEvent | undefined>;
  /** Did this text reach the other side, in either direction? */
  wasDelivered(text: string): boolean;
  /** Resolves after that time, or rejects when the demo ends. */
  pause(delayMs: number): Promise<void>;
  /** Seconds between two attempts, so that people can follow. */
  readonly paceSeconds: number;
}

/** The number of the charger that single attacks aim at. It speaks OCPP 1.6. */
const victimNumber = 1;

/** Time for the gateway to react to an attack, in milliseconds. Far more than it needs. */
const reactionMs = 10_000;

/** The scene was not played to its end, because the demo was ended. */
class DemoEnded extends Error {
  override readonly name = 'DemoEnded';
}

/** The stage for `cast`, until `ending`. */
export function stageOf(cast: Cast, paceSeconds: number, ending: AbortSignal): Stage {
  const { chargers, clock, csms, delivered, drivers, listeners, meter, state } = cast;
  const victim = chargers[victimNumber - 1];
  invariant(victim !== undefined, 'the demo has at least one charger');
  const nextEvent: Stage['nextEvent'] = (matches) =>
    new Promise((resolve) => {
      const settle = (event: GatewayEvent | undefined): void => {
        listeners.delete(listener);
        ending.removeEventListener('abort', onEnding);
        timer.cancel();
        resolve(event);
      };
      const onEnding = (): void => settle(undefined);
      const listener = (event: GatewayEvent): void => {
        if (matches(event)) settle(event);
      };
      const timer = clock.after(reactionMs, () => settle(undefined));
      listeners.add(listener);
      ending.addEventListener('abort', onEnding, { once: true });
    });
  const pause: Stage['pause'] = (delayMs) =>
    new Promise((resolve, reject) => {
      const onEnding = (): void => {
        timer.cancel();
        reject(new DemoEnded());
      };
      const timer = clock.after(delayMs, () => {
        ending.removeEventListener('abort', onEnding);
        resolve();
      });
      if (ending.aborted) onEnding();
      else ending.addEventListener('abort', onEnding, { once: true });
    });
  return {
    clock,
    state,
    csms,
    chargers,
    victim,
    drivers,
    meter,
    rogueCharger: cast.rogueCharger,
    nextEvent,
    pause,
    paceSeconds,
    wasDelivered: (text) => delivered.some((traffic) => traffic.text.includes(text)),
    impersonate: () => impersonate(cast, victim.identity, nextEvent),
  };
}

async function impersonate(
  { clock, delivered, random, url }: Cast,
  identity: string,
  nextEvent: Stage['nextEvent'],
): Promise<void> {
  const refused = nextEvent((event) => event.name === 'DuplicateIdentity');
  const impostor = startSimulatedCharger({
    clock,
    random,
    url,
    identity,
    version: 'ocpp1.6',
    description: { vendor: 'scene-identity' },
    onTraffic: (traffic) => {
      // Whatever reaches the impostor was meant for the victim.
      const text = `scene-identity ${traffic.text}`;
      if (traffic.direction === 'received') delivered.push({ ...traffic, text });
    },
  });
  await refused;
  await impostor.close();
}
