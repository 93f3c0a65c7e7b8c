import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { test } from 'node:test';
import { toolEnvironment } from '../../../src/connection/isolation/run-tool.ts';
import { describeIsolation } from '../../support/isolation-needs.ts';
import { startTlsWorld } from './tls-world.ts';

// Goal: nobody ends the gateway by coming from a link-local address of an isolated network. Node.js
//   looks for its interface where the gateway is, and throws when there is none with that number:
//   when it is asked for the address, and by itself when it drops what is beyond `maxConnections`.
// Method: a process in a namespace of its own hands over its socket, and connects to it from there.

/** Takes the only place, connects twice from a link-local address, and says so when that is over. */
const inside = `
  const { execFileSync } = require('node:child_process');
  const { connect, createServer } = require('node:net');
  const ip = (line) => execFileSync('ip', line.split(' '));
  ip('link set lo up');
  ip('link add name v0 index 471100 type veth peer name v1');
  ip('link set v0 up');
  ip('link set v1 up');
  ip('address add fe80::1/64 dev v0 nodad');
  const server = createServer();
  server.listen({ host: '::', port: 0 }, () => {
    const { port } = server.address();
    process.once('message', async () => {
      const first = connect({ host: '127.0.0.1', port });
      await new Promise((resolve) => first.once('connect', resolve));
      for (let count = 0; count < 2; count += 1) {
        const socket = connect({ host: 'fe80::1%v0', port });
        socket.on('error', () => {}).resume();
        await new Promise((resolve) => socket.once('close', resolve));
      }
      first.destroy();
      process.send('over', () => process.disconnect());
    });
    process.send('opened', server, () => server.close());
  });
`;

describeIsolation('a link-local address of an isolated network', () => {
  for (const securityProfile of [1, 2] as const) {
    test(`is refused and reported, with security profile ${securityProfile}`, async () => {
      const withoutTls = securityProfile === 1 ? { tls: undefined } : {};
      await using world = await startTlsWorld({ securityProfile, ...withoutTls });
      const helper = spawn('unshare', ['--net', '--', process.execPath, '-e', inside], {
        env: toolEnvironment,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      using _ = { [Symbol.dispose]: () => helper.kill() };
      const ended = once(helper, 'close');
      const opened = await new Promise<Server>((resolve) => {
        helper.once('message', (_message, handle) => resolve(handle as Server));
      });
      const limits = { connectionsMax: 1, connectionsPerAddressMax: 1 };
      await world.listener.openDoor({ at: { opened }, network: 'bay-1', ...limits });
      helper.send('go');
      await once(helper, 'message');
      await ended;
      const refused = world.events.all.filter((event) => event.name === 'UpgradeRefused');
      assert.deepEqual(
        refused.map(({ code, detail, remoteAddress }) => [code, detail, remoteAddress]),
        Array.from({ length: 2 }, () => [
          'UPGRADE_MALFORMED',
          'its address has no name here',
          'unknown@bay-1',
        ]),
      );
    });
  }
});
