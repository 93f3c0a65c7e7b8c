import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import { signatureFormats } from '../../../src/signing/verify.ts';
import { startCredentialGateway } from '../../support/credential-gateway.ts';
import { newPrivateKey, testSigner } from '../../support/signing.ts';
import { startHandCsms } from '../../support/text-peer.ts';
import { run } from '../charger-command/registry-at-work.ts';
import {
  asForwarded,
  bootSigned,
  clearCache,
  keysFile,
  passesSigned,
  refusal,
  sign,
  startSignedWorld,
} from './signing-csms.ts';

// Goal: what is signed well is a message like any other: replies, errors and retries are what they
// were without signatures, in their order; and the operator decides who gets which.
// Method: a real gateway; the test is the charger and a CSMS that signs.

const heartbeat = (id: string): string => `[2,"${id}","Heartbeat",{}]`;
const time = (id: string): string => `[3,"${id}",{"currentTime":"2026-01-01T00:00:00.000Z"}]`;

describe('replies of the CSMS', () => {
  for (const format of signatureFormats) {
    test(`T1-18: ${format}: a forged reply answers no call of the charger, and settles none`, async () => {
      await using world = await startSignedWorld();
      const { charger, csms, gateway } = world;
      charger.send(heartbeat('h-1'));
      await csms.next();
      const action = 'Heartbeat';
      const other = { format, action, charger: 'CP-2' };
      for (const forged of [
        time('h-1'),
        '[4,"h-1","InternalError","",{}]',
        sign(time('h-1'), other),
        sign('[4,"h-1","InternalError","",{}]', other),
      ]) {
        csms.send(forged);
      }
      // The next call of the charger waits: the first one is still open.
      charger.send(heartbeat('h-2'));
      csms.send(sign(time('h-1'), { format, action }));
      assert.equal(await charger.next(), time('h-1'));
      assert.equal(await csms.next(), heartbeat('h-2'));
      assert.equal(charger.received.length, 1);
      const refused = gateway.events.filter(({ name }) => name === 'FrameRefused');
      assert.deepEqual(
        refused.map((event) => event.name === 'FrameRefused' && [event.code, event.penalty]),
        [
          ['SIGNATURE_MISSING', 'drop'],
          ['SIGNATURE_MISSING', 'drop'],
          ['SIGNATURE_OTHER_CHARGER', 'drop'],
          ['SIGNATURE_OTHER_CHARGER', 'drop'],
        ],
      );
    });

    test(`rule 0: ${format}: an error that is signed answers the charger, byte for byte`, async () => {
      await using world = await startSignedWorld();
      const { charger, csms } = world;
      charger.send(heartbeat('h-1'));
      await csms.next();
      const error = '[4,"h-1","GenericError","no \\"time\\"",{"of":[ "day" ]}]';
      csms.send(sign(error, { format, action: 'Heartbeat' }));
      assert.equal(await charger.next(), error);
      charger.send(heartbeat('h-2'));
      assert.equal(await csms.next(), heartbeat('h-2'));
    });
  }

  test('T1-18: the signed reply to one call is none to another', async () => {
    await using world = await startSignedWorld();
    const { charger, csms, gateway } = world;
    charger.send('[2,"same","Authorize",{"idTag":"A"}]');
    await csms.next();
    const reply = '[3,"same",{"idTagInfo":{"status":"Accepted"}}]';
    csms.send(sign(reply, { action: 'StartTransaction' }));
    assert.equal((await gateway.event('FrameRefused')).code, 'SIGNATURE_OTHER_ACTION');
    csms.send(sign(reply, { action: 'Authorize' }));
    assert.equal(await charger.next(), reply);
  });

  for (const version of ocppVersions) {
    test(`rule 0: ${version}: boot, calls of both sides and their answers pass`, async () => {
      for (const format of signatureFormats) {
        await using world = await startSignedWorld({ version, preset: 'strict' });
        await bootSigned(world, { format }, version);
        await passesSigned(world, { format });
        await bootSigned(world, { format }, version);
      }
    });
  }
});

describe('messages of the CSMS', () => {
  test('rule 0: they keep their order, however long the store takes', async () => {
    await using world = await startSignedWorld();
    const { charger, csms } = world;
    charger.send(heartbeat('h'));
    await csms.next();
    const texts = Array.from({ length: 20 }, clearCache);
    for (const text of texts) csms.send(sign(text));
    csms.send(sign(time('h'), { action: 'Heartbeat' }));
    // A reply overtakes calls that wait for their turn, but not those that came before it.
    const seen: string[] = [];
    for (let count = 0; count < texts.length + 1; count += 1) {
      const text = await charger.next();
      seen.push(text);
      const [typeId, id] = JSON.parse(text) as readonly unknown[];
      if (typeId === 2) charger.sendMessage(3, id, { status: 'Accepted' });
    }
    const calls = seen.filter((text) => text.startsWith('[2'));
    assert.deepEqual(
      calls,
      texts.map((text) => asForwarded(text, 'ocpp')),
    );
    assert.ok(seen.includes(time('h')));
  });

  test('rule 0: a retry that is signed anew is the same call, also while it is open', async () => {
    await using world = await startSignedWorld();
    const { charger, csms, gateway } = world;
    const text = '[2,"retry","ClearCache",{}]';
    csms.send(sign(text));
    assert.equal(await charger.next(), text);
    csms.send(sign(text));
    await gateway.event('CallRetried');
    charger.send('[3,"retry",{"status":"Accepted"}]');
    assert.equal(await csms.next(), '[3,"retry",{"status":"Accepted"}]');
    await passesSigned(world);
    assert.equal(charger.received.length, 2);
  });

  test('rule 0: a signed message that breaks another rule is refused for that, and kept as it came', async () => {
    await using world = await startSignedWorld();
    const { csms, gateway } = world;
    const text = sign('[2,"bad","Reset",{"type":"Gently"}]');
    csms.send(text);
    assert.equal((await gateway.event('FrameRefused')).rule, 'payload');
    const [, id] = await csms.nextMessage();
    assert.equal(id, 'bad');
    assert.equal((await gateway.quarantined())[0]?.['frame'], text);
  });

  test('T2-10: a secret in a signed message that is refused is not kept', async () => {
    await using world = await startSignedWorld();
    const { csms, gateway } = world;
    const secret = 'Pa55w0rd-never-logged';
    const call = `[2,"a","ChangeConfiguration",{"key":"AuthorizationKey","value":"${secret}"}]`;
    for (const format of signatureFormats) csms.send(sign(call, { format, charger: 'CP-2' }));
    await csms.next();
    await csms.next();
    const kept = await gateway.quarantined();
    assert.equal(kept.length, 2);
    for (const { frame } of kept) {
      assert.match(String(frame), /\[redacted\]/);
      for (const token of String(frame).match(/[\w-]{16,}/g) ?? []) {
        assert.ok(!Buffer.from(token, 'base64url').toString().includes(secret));
      }
    }
  });

  test('rule 0: what the gateway itself says to either side is not signed, and gets there', async () => {
    const csms = await startHandCsms();
    await using _server = csms;
    await using keys = await keysFile();
    const password = 'factory-default-0001';
    await using gateway = await startCredentialGateway(csms.url, {
      changes: {
        chargers: { records: [{ id: 'NEW-*' }] },
        csms: { url: csms.url, signing: { required: true, keysFile: keys.path } },
        rules: { preset: 'strict' },
      },
      prepare: async (files) => {
        const passwordFile = path.join(files, 'default.txt');
        await writeFile(passwordFile, `${password}\n`);
        return {
          credentials: { batches: [{ name: 'spring', chargers: ['NEW-*'], passwordFile }] },
        };
      },
    });
    // At the commissioning desk nobody signs: the gateway stands in for the CSMS.
    const charger = await gateway.connect('NEW-1', { password });
    charger.sendMessage(2, 'b', 'BootNotification', {
      chargePointVendor: 'V',
      chargePointModel: 'M',
    });
    const [, , { status }] = (await charger.nextMessage()) as [3, 'b', { status: string }];
    assert.equal(status, 'Pending');
    const [, , action] = await charger.nextMessage();
    assert.equal(action, 'ChangeConfiguration');
    await charger.close();
  });
});

describe('what the operator decides', () => {
  test('rule 0: required: false: unsigned messages pass, and signed ones must be good', async () => {
    await using world = await startSignedWorld({ signing: { required: false } });
    const { charger, csms, gateway } = world;
    const text = clearCache();
    csms.send(text);
    assert.equal(await charger.next(), text);
    charger.sendMessage(3, (JSON.parse(text) as string[])[1], { status: 'Accepted' });
    await csms.next();
    await passesSigned(world);
    csms.send(sign('[2,"x","ClearCache",{}]', { agoMs: 100_000 }));
    assert.equal(await csms.next(), refusal('x', 'SIGNATURE_STALE'));
    // Broken JSON breaks rule 1, and the empty text of a keep-alive nothing.
    csms.send('hello');
    assert.equal(
      (await gateway.event('FrameRefused', (it) => it.from === 'csms' && it.rule === 'format'))
        .code,
      'FORMAT_JSON',
    );
  });

  test('rule 0: monitor: nothing is blocked, and everything is flagged', async () => {
    await using world = await startSignedWorld({ preset: 'monitor' });
    const { charger, csms, gateway } = world;
    const answered = async (id: string): Promise<void> => {
      charger.sendMessage(3, id, { status: 'Accepted' });
      await csms.next();
    };
    csms.send('[2,"a","ClearCache",{}]');
    assert.equal(await charger.next(), '[2,"a","ClearCache",{}]');
    await answered('a');
    // A clock that is wrong must not take chargers out of service while the operator only looks.
    for (const format of signatureFormats) {
      const text = `[2,"${format}","ClearCache",{}]`;
      csms.send(sign(text, { format, agoMs: 100_000 }));
      assert.equal(await charger.next(), text);
      await answered(format);
    }
    await passesSigned(world);
    const flagged = gateway.events.flatMap((it) => (it.name === 'FrameFlagged' ? [it.code] : []));
    assert.deepEqual(flagged, ['SIGNATURE_MISSING', 'SIGNATURE_STALE', 'SIGNATURE_STALE']);
  });

  test('rule 0: a format that is not configured is none', async () => {
    await using world = await startSignedWorld({ signing: { format: 'ocpp' } });
    await passesSigned(world, { format: 'ocpp' });
    world.csms.send(sign('[2,"x","ClearCache",{}]', { format: 'whole-frame' }));
    assert.equal((await world.gateway.event('FrameRefused')).code, 'SIGNATURE_MISSING');
  });

  test('rule 0: an algorithm that is not configured is refused, and RS256 is one that is', async () => {
    await using world = await startSignedWorld({
      signing: { algorithms: ['RS256'] },
      signers: [testSigner('RS256')],
    });
    const signer = testSigner('RS256');
    await bootSigned(world, { signer });
    await passesSigned(world, { signer });
    world.csms.send(sign('[2,"x","ClearCache",{}]', { signer: testSigner('ES256') }));
    assert.equal(await world.csms.next(), refusal('x', 'SIGNATURE_ALGORITHM'));
  });

  test('rule 0: what OCPP does not have can be given up by name, and is said at each start', async () => {
    const demand = { charger: false, nonce: false };
    await using world = await startSignedWorld({ signing: { demand } });
    const { notDemanded } = await world.gateway.event('SignatureDemandsRelaxed');
    assert.deepEqual(notDemanded, ['charger', 'nonce']);
    // What it says is checked in any case.
    world.csms.send(sign('[2,"x","ClearCache",{}]', { charger: 'CP-2' }));
    assert.equal(await world.csms.next(), refusal('x', 'SIGNATURE_OTHER_CHARGER'));
  });

  test('rule 0: keys are changed by overlap, while connections stay', async () => {
    await using world = await startSignedWorld();
    const { csms, gateway, keys } = world;
    const [older, newer] = [
      testSigner(),
      { ...testSigner(), key: newPrivateKey('ES256'), kid: 'new' },
    ];
    const loads = () => gateway.events.filter(({ name }) => name === 'SigningKeysLoaded').length;
    const replace = async (signers: readonly (typeof older)[]): Promise<void> => {
      const before = loads();
      await keys.write(signers);
      while (loads() === before) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    csms.send(sign('[2,"early","ClearCache",{}]', { signer: newer }));
    assert.equal(await csms.next(), refusal('early', 'SIGNATURE_KEY_UNKNOWN'));
    await replace([older, newer]);
    await passesSigned(world, { signer: older });
    await passesSigned(world, { signer: newer });
    await replace([newer]);
    csms.send(sign('[2,"late","ClearCache",{}]', { signer: older }));
    assert.equal(await csms.next(), refusal('late', 'SIGNATURE_KEY_UNKNOWN'));
    await passesSigned(world, { signer: newer });
  });
});

describe('what chargers get', () => {
  for (const format of signatureFormats) {
    test(`rule 0: ${format}: forwardTo: keep: the message as it came, and replies settle as ever`, async () => {
      await using world = await startSignedWorld({ signing: { forwardTo: 'keep' } });
      const { charger, csms } = world;
      for (const id of ['a', 'b']) {
        const text = sign(`[2,"${id}","ClearCache",{}]`, { format });
        csms.send(text);
        assert.equal(await charger.next(), text);
        charger.sendMessage(3, id, { status: 'Accepted' });
        assert.deepEqual(await csms.nextMessage(), [3, id, { status: 'Accepted' }]);
        charger.send(heartbeat(id));
        await csms.next();
        const reply = sign(time(id), { format, action: 'Heartbeat' });
        csms.send(reply);
        assert.equal(await charger.next(), reply);
      }
    });
  }

  test('rule 0: keep: a retry of an open call is not sent twice, and what is forged not at all', async () => {
    await using world = await startSignedWorld({ signing: { forwardTo: 'keep' } });
    const { charger, csms, gateway } = world;
    const first = sign('[2,"a","ClearCache",{}]');
    csms.send(first);
    csms.send(sign('[2,"a","ClearCache",{}]'));
    csms.send(sign('[2,"f","ClearCache",{}]', { charger: 'CP-2' }));
    await gateway.event('CallRetried');
    assert.equal(await csms.next(), refusal('f', 'SIGNATURE_OTHER_CHARGER'));
    charger.sendMessage(3, 'a', { status: 'Accepted' });
    await csms.next();
    const last = sign('[2,"z","ClearCache",{}]');
    csms.send(last);
    await charger.next();
    assert.equal(await charger.next(), last);
    assert.deepEqual(charger.received, [first, last]);
  });

  test('rule 0: each charger can have its own choice, from file and command line, also while connected', async () => {
    await using world = await startSignedWorld({
      changes: {
        chargers: { unknown: 'enroll', records: [{ id: 'CP-2', signedMessages: 'keep' }] },
      },
    });
    await passesSigned(world);
    const two = await world.connect('CP-2');
    const kept = sign('[2,"a","ClearCache",{}]', { charger: 'CP-2' });
    two.csms.send(kept);
    assert.equal(await two.charger.next(), kept);
    const { configFile } = world.gateway;
    const set = ['set', 'CP-1', '--config', configFile, '--signed-messages', 'keep'];
    assert.equal((await run(...set)).code, 0);
    for (let count = 0; ; count += 1) {
      assert.ok(count < 100, 'the change reaches the session');
      const text = sign(`[2,"n-${count}","ClearCache",{}]`);
      world.csms.send(text);
      const isKept = (await world.charger.next()) === text;
      world.charger.sendMessage(3, `n-${count}`, { status: 'Accepted' });
      await world.csms.next();
      if (isKept) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  test('rule 0: the ramp limiter answers for no command that must arrive as it was signed', async () => {
    const start = (id: string) =>
      `[2,"${id}","RemoteStartTransaction",{"idTag":"T","connectorId":1}]`;
    const feeders = [
      { name: 'north', chargers: ['*'], commandsPerInterval: 2, intervalSeconds: 10 },
    ];
    for (const forwardTo of ['strip', 'keep']) {
      await using world = await startSignedWorld({
        signing: { forwardTo },
        changes: { rampLimit: { reply: 'immediate', feeders } },
      });
      const { charger, csms } = world;
      const text = sign(start('s'));
      csms.send(text);
      const got = await charger.next();
      if (forwardTo === 'strip') {
        // PNNL's way: the CSMS has its answer before the charger has the command.
        assert.deepEqual(await csms.nextMessage(), [3, 's', { status: 'Accepted' }]);
        assert.match(got, /"RemoteStartTransaction"/);
        continue;
      }
      assert.equal(got, text);
      assert.equal(csms.received.length, 0);
      charger.sendMessage(3, 's', { status: 'Rejected' });
      assert.deepEqual(await csms.nextMessage(), [3, 's', { status: 'Rejected' }]);
    }
  });
});
