import { schemaErrors, schemaOf } from '../../src/ocpp/schemas.ts';
import type { Traffic, TrafficObserver } from '../../src/sim/protocol/traffic.ts';

/** Reads a whole conversation and says what in it departs from the official schemas. */
export interface FrameJudge {
  readonly observe: TrafficObserver;
  /** Every departure so far; empty when all was well. */
  readonly departures: readonly string[];
  /** The actions that were seen, in order. */
  readonly actions: readonly string[];
}

/** A judge of the traffic of one simulator, both directions, any number of chargers. */
export function frameJudge(): FrameJudge {
  const departures: string[] = [];
  const actions: string[] = [];
  const actionById = new Map<string, string>();
  const judge = ({ version, message, text }: Traffic): void => {
    if (message === undefined) {
      departures.push(`no OCPP message: ${text}`);
      return;
    }
    switch (message.kind) {
      case 'call':
      case 'send':
        actions.push(message.action);
        actionById.set(message.id, message.action);
        note(message.action, 'request', message.payload);
        return;
      case 'call-result':
        note(actionById.get(message.id) ?? '', 'response', message.payload);
        return;
      case 'call-error':
      case 'call-result-error':
        departures.push(`${actionById.get(message.id)}: ${text}`);
        return;
    }
    function note(action: string, side: 'request' | 'response', payload: unknown): void {
      if (schemaOf(version, action, side) === undefined) {
        departures.push(`${version} has no ${action} ${side}`);
        return;
      }
      for (const error of schemaErrors(version, action, side, payload)) {
        departures.push(
          `${version} ${action} ${side} ${error.instancePath} ${error.message} ${JSON.stringify(payload)}`,
        );
      }
    }
  };
  return { observe: judge, departures, actions };
}
