/**
 * Goal: the commands end with the exit codes that scripts depend on, play scenarios, and serve the
 * control interface. Method: the commands are spawned; only exit codes and output are looked at.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listen } from '../../src/sim/protocol/listen.ts';
import { endRuns, run } from './simulate-run.ts';

const noScenario = fileURLToPath(new URL('./pair.ts', import.meta.url));
const scenarioFile = (name: string): string =>
  fileURLToPath(new URL(`./scenarios/${name}`, import.meta.url));

after(endRuns);

test('wrong usage ends with 2, help with 0', async () => {
  const runs = [
    run('charger'),
    run('charger', '--url', 'http://x'),
    run('charger', '--url', 'ws://x', '--count', '0'),
    run('charger', '--url', 'ws://x', '--count', '2', '--id', 'CP'),
    run('csms', '--listen', 'nonsense'),
    run('csms', '--help'),
  ];
  assert.deepEqual(await Promise.all(runs.map(({ exit }) => exit)), [2, 2, 2, 2, 2, 0]);
});

test('a charger that reaches nobody ends with 1 and says why', async () => {
  const server = createServer();
  const { port } = await listen(server, '127.0.0.1', 0);
  await new Promise((resolve) => server.close(resolve));
  const url = `ws://127.0.0.1:${port}/ocpp`;
  const { exit, output } = run('charger', '--url', url, '--connect-seconds', '0.3', '--quiet');
  assert.equal(await exit, 1);
  assert.match(output(), /no charger was accepted within 0.3 s: .*ECONNREFUSED/);
});

test('a taken port and a scenario without a function end with 1', async () => {
  const server = createServer();
  const { port } = await listen(server, '127.0.0.1', 0);
  const taken = run('csms', '--listen', `127.0.0.1:${port}`);
  const nothing = run('csms', '--listen', '127.0.0.1:0', '--scenario', noScenario);
  assert.deepEqual(await Promise.all([taken.exit, nothing.exit]), [1, 1]);
  assert.match(taken.output(), /in use by another program/);
  assert.match(nothing.output(), /no function that is exported as "scenario"/);
  server.close();
});

test('a fleet connects; HTTP and standard input drive it; Ctrl-C ends both with 0', async () => {
  const csms = run('csms', '--listen', '127.0.0.1:0', '--control', '127.0.0.1:0');
  const [, url = ''] = await csms.says(/chargers connect to (\S+)\/<identity>/);
  const [, control = ''] = await csms.says(/control interface at (\S+)/);
  const options = ['--count', '3', '--id', 'F-{n}', '--starts-per-second', '100', '--seed', '1'];
  const fleet = run('charger', '--url', url, ...options, '--protocol', '2.0.1');
  await Promise.all([1, 2, 3].map((number) => csms.says(new RegExp(`F-${number} <- Status`))));
  const chargers = (await (await fetch(`${control}/chargers`)).json()) as { identity: string }[];
  assert.deepEqual(chargers.map(({ identity }) => identity).sort(), ['F-1', 'F-2', 'F-3']);
  const call = (body: unknown, id: string): Promise<Response> =>
    fetch(`${control}/chargers/${id}/call`, { method: 'POST', body: JSON.stringify(body) });
  const accepted = await call({ action: 'ClearCache' }, 'F-1');
  assert.deepEqual([accepted.status, await accepted.json()], [200, { status: 'Accepted' }]);
  assert.equal((await call({ action: 'ClearCache' }, 'F-9')).status, 404);
  assert.equal((await call({ action: 'NoSuchAction' }, 'F-1')).status, 422);
  assert.equal((await call(['x'.repeat(300_000)], 'F-1')).status, 400);
  const fromPage = await fetch(`${control}/chargers`, { headers: { origin: 'http://evil' } });
  assert.equal(fromPage.status, 403);
  csms.child.stdin?.write('* TriggerMessage {"requestedMessage":"Heartbeat"}\n');
  await Promise.all([1, 2, 3].map((number) => csms.says(new RegExp(`F-${number} <- Heartbeat`))));
  fleet.child.kill('SIGINT');
  assert.equal(await fleet.exit, 0);
  csms.child.kill('SIGINT');
  assert.equal(await csms.exit, 0);
  assert.match(fleet.output(), /Summary[\s\S]*everAccepted +3/);
});

test('scenarios play on both sides: 0 when they return, 1 when they throw', async () => {
  const csms = run('csms', '--listen', '127.0.0.1:0', '--scenario', scenarioFile('stop-all.ts'));
  const [, url = ''] = await csms.says(/chargers connect to (\S+)\/<identity>/);
  const charger = run('charger', '--url', url, '--id', 'CP-1', '--json');
  assert.equal(await csms.exit, 0, csms.output());
  assert.match(csms.output(), /the charger says SuspendedEVSE/);
  charger.child.kill('SIGINT');
  assert.equal(await charger.exit, 0);
  for (const line of charger.output().trim().split('\n')) JSON.parse(line);

  const listening = run('csms', '--listen', '127.0.0.1:0');
  const [, otherUrl = ''] = await listening.says(/chargers connect to (\S+)\/<identity>/);
  const refused = scenarioFile('refused-start.ts');
  const played = run('charger', '--url', otherUrl, '--scenario', refused);
  assert.equal(await played.exit, 0, played.output());
  assert.match(played.output(), /the end was told after the reconnection/);
  const wrongVersion = run(
    'charger',
    '--url',
    otherUrl,
    '--scenario',
    refused,
    '--protocol',
    '2.1',
  );
  assert.equal(await wrongVersion.exit, 1);
  assert.match(wrongVersion.output(), /the scenario failed/);
  listening.child.kill('SIGTERM');
  assert.equal(await listening.exit, 0);
});
