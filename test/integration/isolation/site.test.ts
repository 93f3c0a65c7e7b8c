import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { buildSite, remainsOf, untilGone } from '../../support/charger-site.ts';
import {
  commandLineOn,
  isolatedConfig,
  serveIsolated,
  writeConfig,
} from '../../support/isolated-gateway.ts';
import { describeIsolation } from '../../support/isolation-needs.ts';

// Goal: the sites of these tests leave nothing behind on the machine that they run on.
// Method: sites with all that they may have, one that is taken down and one whose process is killed.

/** Marks the process that is killed. */
const childVariable = 'GATEWATT_SITE_CHILD';

if (process.env[childVariable] !== undefined) {
  const site = await buildSite({ chargers: 1, hasSwitch: true });
  await site.agent(site.uplink);
  serveIsolated(site, await writeConfig(site, isolatedConfig(site)));
  process.send?.(site.mark);
} else {
  describeIsolation('a site of isolated chargers', () => {
    test('leaves nothing behind: no namespace, no file, no process', async () => {
      const site = await buildSite({ chargers: 2 });
      try {
        await site.agent(site.machine);
        const configFile = await writeConfig(site, isolatedConfig(site));
        assert.equal((await commandLineOn(site)('network', 'up', '-c', configFile)).code, 0);
        const remains = await remainsOf(site.mark);
        // Machine, uplink, two chargers, two networks; a folder; agent, command line and janitor.
        assert.equal(remains.length, 6 + 1 + 3, remains.join(', '));
      } finally {
        await site[Symbol.asyncDispose]();
      }
      assert.deepEqual(await remainsOf(site.mark), []);
    });

    test('nor does one whose test is killed while a gateway starts', async () => {
      const child = fork(import.meta.filename, {
        env: { ...process.env, [childVariable]: '1' },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      const [mark] = (await once(child, 'message')) as [string];
      assert((await remainsOf(mark)).length > 0);
      child.kill('SIGKILL');
      await untilGone(mark);
    });
  });
}
