/**
 * Goal: passwords change as A01 says it, and in the ways in which real chargers depart from it.
 * Method: both simulators over loopback in all versions; the CSMS demands the password, so that
 * each new connection shows which one the charger uses.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { type OcppVersion, ocppVersions } from '../../src/ocpp/version.ts';
import {
  type SimulatedChargerOptions,
  startSimulatedCharger,
} from '../../src/sim/charger/charger.ts';
import { textOfFrame } from '../../src/sim/protocol/rpc-peer.ts';
import { type Pair, until, withPair } from './pair.ts';

const oldPassword = Buffer.from('the-old-password-1');
const newPassword = 'the-new-password-2';
const newKey = 'ffeeddccbbaa99887766554433221100';

interface Watched extends Pair {
  /** What the CSMS noted. */
  readonly notes: readonly string[];
  /** How often the charger has booted. */
  readonly boots: () => number;
}

/** Runs `run` with a charger and a CSMS that demands its password. */
async function withPassword(
  version: OcppVersion,
  charger: Partial<SimulatedChargerOptions>,
  run: (watched: Watched) => Promise<void>,
): Promise<void> {
  const notes: string[] = [];
  await withPair(
    version,
    (pair) => {
      const boots = (): number =>
        pair.judge.actions.filter((action) => action === 'BootNotification').length;
      return run({ ...pair, notes, boots });
    },
    {
      charger: { passwordBytes: oldPassword, ...charger },
      csms: {
        passwords: { for: 'all', password: oldPassword },
        onNote: (text) => notes.push(text),
      },
    },
  );
}

/** Ends the connection and waits until the charger has booted once more. */
async function connectAgain({ charger, boots }: Watched): Promise<void> {
  const before = boots();
  charger.disconnect();
  charger.reconnect();
  await until(() => boots() > before, 'the charger booted');
}

for (const version of ocppVersions) {
  test(`${version}: a new password is accepted, and the charger comes back with it`, async () => {
    await withPassword(version, {}, async (watched) => {
      const { csms, boots, notes, judge } = watched;
      const rotated = await csms.rotatePassword('CP-1', newPassword);
      assert.deepEqual(rotated, { status: 'Accepted', password: newPassword });
      await until(() => boots() === 2, 'the charger came back');
      // The new one has been used, so only it is good now.
      await connectAgain(watched);
      assert.deepEqual(notes, []);
      assert.deepEqual(judge.departures, []);
    });
  });

  test(`${version}: a random password is as good`, async () => {
    await withPassword(version, {}, async ({ csms, boots, notes }) => {
      const { status, password } = await csms.rotatePassword('CP-1');
      assert.equal(status, 'Accepted');
      assert.match(password, /^[0-9a-f]{40}$/);
      await until(() => boots() === 2, 'the charger came back');
      assert.deepEqual(notes, []);
    });
  });

  test(`${version}: a password that is refused is never used`, async () => {
    const answers =
      version === 'ocpp1.6'
        ? (['Rejected', 'NotSupported'] as const)
        : (['Rejected', 'UnknownVariable'] as const);
    const behaviours = ['rejects', 'does-not-support'] as const;
    for (const [index, passwordChange] of behaviours.entries()) {
      await withPassword(version, { passwordChange }, async (watched) => {
        const { status } = await watched.csms.rotatePassword('CP-1', newPassword);
        assert.equal(status, answers[index]);
        await connectAgain(watched);
        assert.deepEqual(watched.notes, []);
      });
    }
  });

  test(`${version}: a password that is too short is rejected`, async () => {
    await withPassword(version, {}, async ({ csms }) => {
      assert.equal((await csms.rotatePassword('CP-1', 'short')).status, 'Rejected');
    });
  });

  test(`${version}: RebootRequired means the old password until the reset, then the new`, async () => {
    await withPassword(version, { passwordChange: 'needs-reboot' }, async (watched) => {
      const { csms, boots, notes } = watched;
      const { status } = await csms.rotatePassword('CP-1', newPassword);
      assert.equal(status, 'RebootRequired');
      await connectAgain(watched);
      const type = version === 'ocpp1.6' ? 'Soft' : 'Immediate';
      assert.deepEqual(await csms.call('CP-1', 'Reset', { type }), { status: 'Accepted' });
      await until(() => boots() === 3, 'the charger has rebooted');
      await connectAgain(watched);
      assert.deepEqual(notes, []);
    });
  });

  test(`${version}: a charger that waits uses the new password when it connects again`, async () => {
    await withPassword(version, { passwordChange: 'waits' }, async (watched) => {
      const { csms, boots, notes } = watched;
      assert.equal((await csms.rotatePassword('CP-1', newPassword)).status, 'Accepted');
      // An answer after the rotation: there is no new connection in between.
      await csms.call('CP-1', 'ClearCache', {});
      assert.equal(boots(), 1);
      await connectAgain(watched);
      assert.deepEqual(notes, []);
    });
  });

  test(`${version}: a charger that accepts and goes on with the old password is let in`, async () => {
    await withPassword(version, { passwordChange: 'keeps-old' }, async (watched) => {
      const { csms, boots, notes } = watched;
      assert.equal((await csms.rotatePassword('CP-1', newPassword)).status, 'Accepted');
      await until(() => boots() === 2, 'the charger came back');
      await connectAgain(watched);
      assert.deepEqual(notes, []);
    });
  });

  test(`${version}: once the new password was used, the old one is refused`, async () => {
    await withPassword(version, {}, async ({ charger, csms, boots, notes }) => {
      await csms.rotatePassword('CP-1', newPassword);
      await until(() => boots() === 2, 'the charger came back');
      await charger.close();
      await withOldPassword(version, csms.url, () => notes.length > 0);
      assert.match(notes[0] ?? '', /CP-1 was refused: its password is wrong/);
    });
  });
}

/** A charger with the old password dials `url` until `isDone`. */
async function withOldPassword(
  version: OcppVersion,
  url: string,
  isDone: () => boolean,
): Promise<void> {
  const charger = startSimulatedCharger({
    clock: systemClock(),
    random: systemRandom,
    url,
    identity: 'CP-1',
    version,
    passwordBytes: oldPassword,
  });
  try {
    await until(isDone, 'the CSMS has judged it');
    assert.notEqual(charger.state().connection, 'accepted');
  } finally {
    await charger.close();
  }
}

test('A01: the answer goes out, then the connection ends, and only then is there a new one', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const seen: string[] = [];
  const booted = (socket: WebSocket, id: unknown): void => {
    const boot = { status: 'Accepted', currentTime: '2026-01-01T00:00:00Z', interval: 300 };
    socket.send(JSON.stringify([3, id, boot]));
    const change = { key: 'AuthorizationKey', value: newKey };
    if (!seen.includes('closed')) {
      socket.send(JSON.stringify([2, 'change', 'ChangeConfiguration', change]));
    }
  };
  server.on('connection', (socket) => {
    seen.push('open');
    socket.on('close', () => seen.push('closed'));
    socket.on('message', (data) => {
      const [, id, action] = JSON.parse(textOfFrame(data)) as readonly unknown[];
      if (action === 'BootNotification') booted(socket, id);
      if (id === 'change') seen.push('answered');
    });
  });
  await new Promise((resolve) => {
    server.once('listening', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const charger = startSimulatedCharger({
    clock: systemClock(),
    random: systemRandom,
    url: `ws://127.0.0.1:${port}`,
    identity: 'CP-1',
    version: 'ocpp1.6',
    passwordBytes: oldPassword,
  });
  try {
    await until(() => seen.length >= 4, 'the charger came back');
    assert.deepEqual(seen, ['open', 'answered', 'closed', 'open']);
  } finally {
    await charger.close();
    server.close();
  }
});

test('C10: 1.6 sends a new key in the form in which it sends the old one', async () => {
  for (const passwordForm of ['raw', 'hex'] as const) {
    await withPassword('ocpp1.6', { passwordForm }, async (watched) => {
      await watched.csms.rotatePassword('CP-1', newKey);
      await until(() => watched.boots() === 2, 'the charger came back');
      assert.deepEqual(watched.notes, []);
    });
  }
});

test('a password is never told, neither in GetConfiguration nor in a report', async () => {
  await withPassword('ocpp1.6', {}, async ({ csms, boots }) => {
    await csms.rotatePassword('CP-1', newPassword);
    await until(() => boots() === 2, 'the charger came back');
    const told = JSON.stringify(await csms.call('CP-1', 'GetConfiguration', {}));
    assert.match(told, /AuthorizationKey/);
    assert.doesNotMatch(told, /the-(?:old|new)-password/);
  });
});

test('without TLS and password a new password is kept, and no new connection is made', async () => {
  await withPair('ocpp1.6', async ({ csms, judge }) => {
    assert.equal((await csms.rotatePassword('CP-1', newPassword)).status, 'Accepted');
    await csms.call('CP-1', 'ClearCache', {});
    assert.equal(judge.actions.filter((action) => action === 'BootNotification').length, 1);
  });
});

test('security events are told after the start and after a new password, if asked for', async () => {
  await withPassword('ocpp2.0.1', { sendsSecurityEvents: true }, async ({ csms, boots, judge }) => {
    const type = (wanted: string) => (payload: object) => Reflect.get(payload, 'type') === wanted;
    const started = csms.waitFor('CP-1', 'SecurityEventNotification', type('StartupOfTheDevice'));
    const changed = csms.waitFor(
      'CP-1',
      'SecurityEventNotification',
      type('ReconfigurationOfSecurityParameters'),
    );
    await csms.rotatePassword('CP-1', newPassword);
    await Promise.all([started, changed]);
    assert.equal(boots(), 2);
    assert.deepEqual(judge.departures, []);
  });
});
