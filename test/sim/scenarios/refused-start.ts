/**
 * As a charger: refuses remote starts, loses its connection in the middle of a transaction, sends a
 * broken text, and still tells of the end of the transaction.
 *
 *   gatewatt simulate charger --url ws://127.0.0.1:9001/ocpp --scenario refused-start.ts
 */
import type { ScenarioTools } from '../../../src/sim/scenario.ts';

/** Throws when the CSMS does not answer as it should. */
export async function scenario({ charger, log }: Required<ScenarioTools>): Promise<void> {
  charger.on('RemoteStartTransaction', () =>
    charger.refuse('SecurityError', 'This charger takes no remote starts.'),
  );
  const authorized = await charger.call('Authorize', { idTag: 'CARD-1' });
  log(`the CSMS answered ${JSON.stringify(authorized)}`);

  const transactionId = await charger.startTransaction(1, 'CARD-1');
  log(`transaction ${transactionId} has begun`);

  charger.send('[2,"broken"');
  charger.disconnect();
  const stopped = charger.stopTransaction(1);
  await charger.wait(0.05);
  charger.reconnect();
  if (!(await stopped)) throw new Error('the transaction was lost');
  log('the end was told after the reconnection');
}
