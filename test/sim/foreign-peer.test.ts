/**
 * Goal: the simulators speak with software that is not ours.
 * Method: ocpp-rpc in strict mode, as the server of our charger and as the client of our CSMS; it
 * validates every frame against its own copy of the schemas. No validation error may occur.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { createValidator, RPCClient, RPCServer } from 'ocpp-rpc';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { ocppVersions } from '../../src/ocpp/version.ts';
import { startSimulatedCharger } from '../../src/sim/charger/charger.ts';
import { startSimulatedCsms } from '../../src/sim/csms/csms.ts';
import { csmsAnswers } from '../../src/sim/csms/csms-answers.ts';
import { CsmsTransactions } from '../../src/sim/csms/csms-transactions.ts';
import { quick, until } from './pair.ts';
import { samplePayload } from './sample-payload.ts';

const clock = systemClock();

/**
 * The validator of ocpp-rpc 2.2.1 for 2.1, repaired: it looks for "urn:Boot.req" where its own
 * schema file says "urn:BootRequest", so that its strict mode refuses every message of 2.1.
 */
function repairedValidator21(): ReturnType<typeof createValidator> {
  const require = createRequire(import.meta.url);
  const schemas = require('ocpp-rpc/lib/schemas/ocpp2_1.json') as readonly {
    readonly $id: string;
  }[];
  // Keywords that its Ajv calls meaningless, one line on standard error for each.
  const quiet = JSON.parse(JSON.stringify(schemas), (_key, value) => {
    if (value?.enum !== undefined) delete value.additionalProperties;
    return value;
  }) as typeof schemas;
  const renamed = quiet.map((schema) => ({
    ...schema,
    $id: schema.$id.replace(/Request$/, '.req').replace(/Response$/, '.conf'),
  }));
  return createValidator('ocpp2.1', renamed);
}

const strict = { strictMode: true, strictModeValidators: [repairedValidator21()] };

for (const version of ocppVersions) {
  const is16 = version === 'ocpp1.6';

  test(`${version}: our charger against an ocpp-rpc server in strict mode`, async () => {
    const failures: unknown[] = [];
    const methods: string[] = [];
    const server = new RPCServer({ protocols: [version], ...strict });
    const transactions = new CsmsTransactions();
    let csms: RPCClient | undefined;
    server.auth((accept) => accept());
    server.on('client', (client: RPCClient) => {
      csms = client;
      client.on('strictValidationFailure', (failure: unknown) => failures.push(failure));
      client.handle(async ({ method = '', params = {} }) => {
        methods.push(method);
        const answer = csmsAnswers[version][method];
        assert.ok(answer, method);
        return answer(params, {
          identity: 'CP-1',
          nowMs: clock.nowMs(),
          heartbeatIntervalSeconds: 300,
          transactions,
          noteStatus: () => undefined,
        });
      });
    });
    const http = await server.listen(0, '127.0.0.1');
    const address = http.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const charger = startSimulatedCharger({
      clock,
      random: seededRandom(1),
      url: `ws://127.0.0.1:${port}/ocpp`,
      identity: 'CP-1',
      version,
      ...quick,
    });
    try {
      await charger.connected();
      await charger.startTransaction(1);
      const told = is16 ? 'MeterValues' : 'TransactionEvent';
      await until(() => methods.filter((method) => method === told).length > 2, 'meter values');
      await charger.stopTransaction(1);
      for (const action of ['GetLocalListVersion', is16 ? 'GetConfiguration' : 'GetBaseReport']) {
        await csms?.call(action, samplePayload(version, action, 'smallest'));
      }
      if (!is16) await until(() => methods.includes('NotifyReport'), 'the report came');
      assert.deepEqual(failures, []);
    } finally {
      await charger.close();
      await server.close({ force: true });
    }
  });

  test(`${version}: our CSMS against an ocpp-rpc client in strict mode`, async () => {
    const failures: unknown[] = [];
    const csms = await startSimulatedCsms({ clock, random: seededRandom(2) });
    const client = new RPCClient({
      endpoint: csms.url,
      identity: 'CP 1',
      protocols: [version],
      ...strict,
      reconnect: false,
      // The package's types ask for all options, though each has a default.
    } as ConstructorParameters<typeof RPCClient>[0]);
    client.on('strictValidationFailure', (failure: unknown) => failures.push(failure));
    client.handle('GetLocalListVersion', async () =>
      is16 ? { listVersion: 4 } : { versionNumber: 4 },
    );
    try {
      await client.connect();
      const actions = ['BootNotification', 'Heartbeat', 'StatusNotification', 'Authorize'];
      const started = is16 ? ['StartTransaction', 'StopTransaction'] : ['TransactionEvent'];
      for (const action of [...actions, ...started, 'MeterValues']) {
        await client.call(action, samplePayload(version, action, 'smallest'));
      }
      const reply = await csms.call('CP 1', 'GetLocalListVersion', {});
      assert.deepEqual(Object.values(reply), [4]);
      assert.equal(csms.chargers()[0]?.version, version);
      assert.deepEqual(failures, []);
    } finally {
      await client.close({ force: true });
      await csms.close();
    }
  });
}
