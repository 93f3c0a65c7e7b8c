import type { GatewayEvent } from './catalogue.ts';

/** Takes an event. Never throws, never blocks. */
export type EventSink = (event: GatewayEvent) => void;

/** A sink that hands each event to all of `sinks`, in order. */
export function teeSink(sinks: readonly EventSink[]): EventSink {
  return (event) => {
    for (const sink of sinks) sink(event);
  };
}
