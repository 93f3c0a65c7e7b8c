import type { Clock } from '../../lib/clock.ts';
import { withNamespaceLock } from './namespace-lock.ts';
import type { NamespaceRecord } from './namespace-record.ts';
import { bringUp, type NamespaceKeeping, type NetworkOutcome, takeDown } from './namespaces.ts';
import type { IsolatedNetwork } from './network.ts';
import { failureText } from './run-tool.ts';

/** How one of many came out. */
export type ManyOutcome<Of, Outcome> =
  | { readonly of: Of; readonly ok: true; readonly outcome: Outcome }
  | { readonly of: Of; readonly ok: false; readonly detail: string };

/** Networks that are worked on at the same time. */
const atOnce = 4;

/**
 * Brings `networks` up. What goes wrong with one of them keeps none of the others from it.
 *
 * @param onDone hears of each as soon as it is done.
 */
export function bringAllUp(
  networks: readonly IsolatedNetwork[],
  keeping: NamespaceKeeping,
  clock: Clock,
  onDone: (outcome: ManyOutcome<IsolatedNetwork, NetworkOutcome>) => void = () => {},
): Promise<readonly ManyOutcome<IsolatedNetwork, NetworkOutcome>[]> {
  return withNamespaceLock(keeping.directory, clock, () =>
    forEach(networks, (network) => bringUp(network, keeping), onDone),
  );
}

/** Takes down what was made for this gateway, but for the networks in `kept`. */
export function takeAllDown(
  kept: readonly IsolatedNetwork[],
  keeping: NamespaceKeeping,
  clock: Clock,
): Promise<readonly ManyOutcome<NamespaceRecord, boolean>[]> {
  return withNamespaceLock(keeping.directory, clock, async () => {
    const records = await keeping.records.all();
    const gone = records.filter(({ gateway, namespace }) => {
      return gateway === keeping.gateway && !kept.some((it) => it.namespace === namespace);
    });
    return forEach(
      gone,
      (record) => takeDown(record, keeping),
      () => {},
    );
  });
}

async function forEach<Of, Outcome>(
  all: readonly Of[],
  act: (one: Of) => Promise<Outcome>,
  onDone: (outcome: ManyOutcome<Of, Outcome>) => void,
): Promise<readonly ManyOutcome<Of, Outcome>[]> {
  const outcomes: ManyOutcome<Of, Outcome>[] = [];
  const entries = all.entries();
  const work = async (): Promise<void> => {
    // The iterator is shared: each takes the next one.
    for (const [index, of] of entries) {
      let outcome: ManyOutcome<Of, Outcome>;
      try {
        outcome = { of, ok: true, outcome: await act(of) };
      } catch (error) {
        outcome = { of, ok: false, detail: failureText(error) };
      }
      outcomes[index] = outcome;
      onDone(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, work));
  return outcomes;
}
