import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { GatewayEvent } from './catalogue.ts';
import type { EventSink } from './emit.ts';

/** One feeder, as far as metrics tell. Its name is the operator's own. */
export interface FeederGauges {
  readonly feeder: string;
  readonly waitingCommands: number;
  readonly oldestWaitSeconds: number;
  /** In the window that ends now. */
  readonly used: WindowGauges;
  /** What a window may have; undefined for no limit. */
  readonly budget: { readonly [Key in keyof WindowGauges]: number | undefined };
  readonly isSlowed: boolean;
}

/** What a window of time has. */
export interface WindowGauges {
  readonly commands: number;
  readonly upKw: number;
  readonly downKw: number;
}

const directions = [
  ['up', 'upKw'],
  ['down', 'downKw'],
] as const;

/** Counts what waited and was released. */
export function rampCounters(registry: Registry): EventSink {
  const registers = [registry];
  const wait = new Histogram({
    name: 'gatewatt_ramp_wait_seconds',
    help: 'How long commands waited that were held and then released, by feeder.',
    labelNames: ['feeder'],
    buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600],
    registers,
  });
  const released = new Counter({
    name: 'gatewatt_ramp_released_kilowatts_total',
    help: 'Load that held commands have moved, by feeder and direction.',
    labelNames: ['feeder', 'direction'],
    registers,
  });
  return (event: GatewayEvent) => {
    if (event.name !== 'LoadCommandReleased') return;
    const { downKw, feeder, upKw, waitedSeconds } = event;
    wait.observe({ feeder }, waitedSeconds);
    released.inc({ feeder, direction: 'up' }, upKw);
    released.inc({ feeder, direction: 'down' }, downKw);
  };
}

/** Gauges of the feeders, for which `read` is asked at each scrape. */
export function rampGauges(registry: Registry, read: () => readonly FeederGauges[]): void {
  const registers = [registry];
  const perFeeder = (
    name: string,
    help: string,
    amountOf: (feeder: FeederGauges) => number,
  ): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ['feeder'],
      registers,
      collect() {
        for (const one of read()) this.set({ feeder: one.feeder }, amountOf(one));
      },
    });
  const perDirection = (
    name: string,
    help: string,
    amountOf: (feeder: FeederGauges, key: 'upKw' | 'downKw') => number | undefined,
  ): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ['feeder', 'direction'],
      registers,
      collect() {
        for (const one of read()) {
          for (const [direction, key] of directions) {
            const value = amountOf(one, key);
            if (value !== undefined) this.set({ feeder: one.feeder, direction }, value);
          }
        }
      },
    });
  perFeeder(
    'gatewatt_ramp_waiting_commands',
    'Load-changing commands that wait for their release, by feeder.',
    ({ waitingCommands }) => waitingCommands,
  );
  perFeeder(
    'gatewatt_ramp_oldest_wait_seconds',
    'How long the oldest of them has waited.',
    ({ oldestWaitSeconds }) => oldestWaitSeconds,
  );
  perFeeder(
    'gatewatt_ramp_window_commands',
    'Commands in the window of time that ends now, by feeder. Changes of limits count in part.',
    ({ used }) => used.commands,
  );
  new Gauge({
    name: 'gatewatt_ramp_window_commands_max',
    help: 'What the budget of the feeder allows for a window; absent where only kW are limited.',
    labelNames: ['feeder'],
    registers,
    collect() {
      for (const { budget, feeder } of read()) {
        if (budget.commands !== undefined) this.set({ feeder }, budget.commands);
      }
    },
  });
  perFeeder(
    'gatewatt_ramp_slowed',
    '1 while the budgets of a feeder are halved because its load oscillates.',
    ({ isSlowed }) => (isSlowed ? 1 : 0),
  );
  perDirection(
    'gatewatt_ramp_window_kilowatts',
    'Load that commands move in the window of time that ends now, by feeder and direction.',
    ({ used }, key) => used[key],
  );
  perDirection(
    'gatewatt_ramp_window_kilowatts_max',
    'What the budget of the feeder allows for a window; absent where nothing is limited.',
    ({ budget }, key) => budget[key],
  );
}
