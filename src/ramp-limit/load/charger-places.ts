import type { ConnectorState } from '../../chargers/memory/connectors.ts';
import type { TransactionRecord } from '../../chargers/memory/transaction-record.ts';
import { placeOf } from '../../chargers/memory/transactions.ts';
import type { LoadView } from '../../chargers/memory/view.ts';
import type { Car } from './profile-times.ts';

/** An EVSE, or a connector of OCPP 1.6, and whether there is a car. */
export interface ChargerPlace {
  /** 0 stands for a charger of which no place is known. */
  readonly place: number;
  readonly car: Car;
}

/** The places of a charger. */
export interface ChargerPlaces {
  /** At least one. */
  readonly places: readonly ChargerPlace[];
  /** False when nobody has said anything of any place. */
  readonly areKnown: boolean;
}

/** Nobody takes anything at a connector, or an EVSE, in these. */
const idleStatuses16: readonly unknown[] = [
  'Available',
  'Preparing',
  'Finishing',
  'Reserved',
  'Unavailable',
  'Faulted',
];
const idleStatuses2: readonly unknown[] = ['Available', 'Reserved', 'Unavailable', 'Faulted'];

/** The places of a charger; `asked` is one that a command names, which may be unknown so far. */
export function chargerPlaces(view: LoadView, asked: number | undefined): ChargerPlaces {
  const states = statesOf(view.connectors);
  const known = new Set(
    [
      ...states.map(placeOfState),
      ...view.transactions.map(placeOf),
      ...view.powers.map(({ place }) => place),
    ].filter(isPlace),
  );
  const areKnown = known.size > 0;
  if (!areKnown) for (const place of limitedPlaces(view)) known.add(place);
  if (isPlace(asked)) known.add(asked);
  if (known.size === 0) known.add(0);
  const places = [...known].map((place) => ({ place, car: carAt(place, view, states) }));
  return { places, areKnown };
}

/** The places that charging profiles, or limits of others, name. */
export function limitedPlaces({ limits }: LoadView): readonly number[] {
  return [
    ...limits.profiles.map(({ place }) => place),
    ...limits.external.map(({ evseId }) => evseId),
  ].filter(isPlace);
}

/** The states of `place`, in the words of the version that the charger speaks now. */
export function statesOfPlace(
  connectors: readonly ConnectorState[],
  place: number,
): readonly ConnectorState[] {
  return statesOf(connectors).filter((state) => placeOfState(state) === place);
}

/** The state of the charger itself, where it has said one. */
export function statesOfWhole(connectors: readonly ConnectorState[]): readonly ConnectorState[] {
  return connectors.filter((state) => placeOfState(state) === 0);
}

/** The transaction that goes on at `place`; the last, where the end of another was missed. */
export function transactionAt(view: LoadView, place: number): TransactionRecord | undefined {
  return view.transactions.findLast((record) => placeOf(record) === place);
}

function isPlace(place: number | undefined): place is number {
  return place !== undefined && place > 0;
}

/** A charger that was updated from OCPP 1.6 has old states, of the same numbers, without an EVSE. */
function statesOf(connectors: readonly ConnectorState[]): readonly ConnectorState[] {
  const states = connectors.filter((state) => isPlace(placeOfState(state)));
  const latest = states.reduce<ConnectorState | undefined>(
    (last, state) => (last === undefined || state.atMs >= last.atMs ? state : last),
    undefined,
  );
  const isOf16 = latest?.evseId === undefined;
  return states.filter(({ evseId }) => (evseId === undefined) === isOf16);
}

function placeOfState({ connectorId, evseId }: ConnectorState): number | undefined {
  return evseId ?? connectorId;
}

function carAt(place: number, view: LoadView, states: readonly ConnectorState[]): Car {
  const record = transactionAt(view, place);
  if (record !== undefined) {
    const { chargerStartedAt, startedAtMs, transactionId } = record;
    // Only of a transaction that the gateway saw begin it is known when that was.
    const sinceMs = chargerStartedAt === undefined ? undefined : startedAtMs;
    return { is: 'known', transactionId, sinceMs };
  }
  const own = states.filter((state) => placeOfState(state) === place);
  return own.length > 0 && own.every(isIdle) ? { is: 'none' } : { is: 'unknown' };
}

function isIdle({ evseId, status }: ConnectorState): boolean {
  return (evseId === undefined ? idleStatuses16 : idleStatuses2).includes(status);
}
