import type { GatewayEvent } from './catalogue.ts';

/** Takes an event. Never throws, never blocks. */
export type EventSink = (event: GatewayEvent) => void;

/** A sink that hands each event to all of `sinks`, in order. */
export function teeSink(sinks: readonly EventSink[]): EventSink {
  return (event) => {
    for (const sink of sinks) sink(event);
  };
}

/**
 * Hands messages that pass to `counts`, and everything else to `all`.
 *
 * That a message has passed is counted and in no log; and it is said for each of them, so a log and its
 * limits need not be asked.
 */
export function gatewaySink(counts: EventSink, all: EventSink): EventSink {
  return (event) => {
    if (event.name === 'FrameAdmitted') counts(event);
    else all(event);
  };
}
