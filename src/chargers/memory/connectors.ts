import { choiceAt, integerAt, isTrueAt, textAt } from './read-property.ts';
import type { Urgency } from './seen.ts';

/**
 * A part of the charger that has a status: a connector, a whole EVSE (no `connectorId`), or the
 * charger itself (no `evseId`, and `connectorId` 0). OCPP 1.6 has no EVSEs.
 */
export interface ConnectorPlace {
  readonly evseId: number | undefined;
  readonly connectorId: number | undefined;
}

/** The charger itself. */
export const wholeCharger: ConnectorPlace = { evseId: undefined, connectorId: 0 };

const availabilities = ['Operative', 'Inoperative'] as const;

/** What the CSMS may set with ChangeAvailability. */
export type Availability = (typeof availabilities)[number];

/** What is known of one connector, of an EVSE, or of the charger itself. */
export interface ConnectorState extends ConnectorPlace {
  /** As the charger last said; undefined when it has said nothing. */
  readonly status: string | undefined;
  /** OCPP 1.6 only. */
  readonly errorCode: string | undefined;
  /** What the CSMS last set, and the charger accepted. */
  readonly availability: Availability | undefined;
  /** Will `availability` take effect only when a transaction has ended? */
  readonly isScheduled: boolean;
  /** When any of this was last said, Unix time in milliseconds. */
  readonly atMs: number;
}

/** Larger than any charger that is one charger. */
const connectorsMax = 64;
/** OCPP's longest status has 13 characters, its longest error code 20. */
const statusCharsMax = 40;

/** Remembers the state of each connector. */
export class ConnectorMemory {
  readonly #states: ConnectorState[] = [];

  constructor(saved: unknown) {
    if (!Array.isArray(saved)) return;
    for (const item of saved) this.#put(savedState(item));
  }

  /** The charger says `status` of `place`. Anything but a text and a place is nothing. */
  statusIs(
    place: ConnectorPlace,
    said: { readonly status: string | undefined; readonly errorCode?: string | undefined },
    atMs: number,
  ): Urgency {
    const { status, errorCode } = said;
    if (status === undefined) return 'none';
    const before = this.#at(place);
    if (!this.#put({ ...(before ?? fresh(place)), status, errorCode, atMs })) return 'none';
    const isSame = before?.status === status && before.errorCode === errorCode;
    return isSame ? 'eventually' : 'soon';
  }

  /** The charger accepted a ChangeAvailability. */
  availabilityIs(
    place: ConnectorPlace,
    set: { readonly availability: Availability | undefined; readonly isScheduled: boolean },
    atMs: number,
  ): Urgency {
    if (set.availability === undefined) return 'none';
    const before = this.#at(place) ?? fresh(place);
    return this.#put({ ...before, ...set, atMs }) ? 'soon' : 'none';
  }

  /** All of them, in the order in which they were first heard of. */
  saved(): readonly ConnectorState[] {
    return [...this.#states];
  }

  #at(place: ConnectorPlace): ConnectorState | undefined {
    return this.#states.find((state) => isSamePlace(state, place));
  }

  #put(state: ConnectorState): boolean {
    if (state.evseId === undefined && state.connectorId === undefined) return false;
    const index = this.#states.findIndex((known) => isSamePlace(known, state));
    if (index >= 0) this.#states[index] = state;
    else if (this.#states.length < connectorsMax) this.#states.push(state);
    else return false;
    return true;
  }
}

/** The availability in a ChangeAvailability: `type` in OCPP 1.6, `operationalStatus` since. */
export function availabilityAt(payload: unknown, key: string): Availability | undefined {
  return choiceAt(payload, key, availabilities);
}

/** The status at `key`. */
export function statusAt(payload: unknown, key: string): string | undefined {
  return textAt(payload, key, statusCharsMax);
}

/** The place that an `evse` of OCPP 2.0.1 or 2.1 names; the charger itself where there is none. */
export function placeOfEvse(evse: unknown): ConnectorPlace {
  const evseId = integerAt(evse, 'id');
  if (evseId === undefined) return wholeCharger;
  return { evseId, connectorId: integerAt(evse, 'connectorId') };
}

function isSamePlace(one: ConnectorPlace, other: ConnectorPlace): boolean {
  return one.evseId === other.evseId && one.connectorId === other.connectorId;
}

function fresh({ evseId, connectorId }: ConnectorPlace): ConnectorState {
  return {
    evseId,
    connectorId,
    status: undefined,
    errorCode: undefined,
    availability: undefined,
    isScheduled: false,
    atMs: 0,
  };
}

function savedState(saved: unknown): ConnectorState {
  return {
    evseId: integerAt(saved, 'evseId'),
    connectorId: integerAt(saved, 'connectorId'),
    status: statusAt(saved, 'status'),
    errorCode: statusAt(saved, 'errorCode'),
    availability: availabilityAt(saved, 'availability'),
    isScheduled: isTrueAt(saved, 'isScheduled'),
    atMs: integerAt(saved, 'atMs') ?? 0,
  };
}
