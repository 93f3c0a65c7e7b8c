import assert from 'node:assert/strict';
import { createHmac, createPublicKey } from 'node:crypto';
import { describe, test } from 'node:test';
import { errors } from '../../../src/errors/catalogue.ts';
import type { signatureErrors } from '../../../src/errors/signature-errors.ts';
import { type SignatureFormat, signatureFormats } from '../../../src/signing/verify.ts';
import {
  forgedParts,
  goodHeader,
  newPrivateKey,
  privateKeyFor,
  testSigner,
} from '../../support/signing.ts';
import { bootSigned, passesSigned, refusal, sign, startSignedWorld } from './signing-csms.ts';

// Goal: whoever sits between gateway and CSMS commands no charger, in either format: each attempt is
// refused for what is wrong with it, `standard` counts it, and `strict` closes the connection.
// Method: a real gateway; the test is the CSMS, which signs, and the attacker, who sends on the same
// connection. Each attack has a twin beside it that differs in nothing but the forgery, and passes.

const call = (id: string): string => `[2,"${id}","Reset",{"type":"Hard"}]`;

interface Attack {
  readonly what: string;
  readonly code: keyof typeof signatureErrors;
  /** Only in this format; in both without it. */
  readonly format?: SignatureFormat;
  /** What the attacker sends as the call with this id. */
  make(id: string, format: SignatureFormat): string;
  /** Was the same text sent before, and did pass? */
  readonly isReplay?: boolean;
}

const publicPem = (): string =>
  createPublicKey(privateKeyFor('ES256')).export({ type: 'spki', format: 'pem' }).toString();

const attacks: readonly Attack[] = [
  { what: 'unsigned', code: 'SIGNATURE_MISSING', make: (id) => call(id) },
  {
    what: 'alg none',
    code: 'SIGNATURE_ALGORITHM',
    make: (id, format) => withHeader(id, format, { alg: 'none' }, () => Buffer.alloc(0)),
  },
  {
    what: 'HS256 with the public key for its secret',
    code: 'SIGNATURE_ALGORITHM',
    make: (id, format) =>
      withHeader(id, format, { alg: 'HS256' }, (data) =>
        createHmac('sha256', publicPem()).update(data).digest(),
      ),
  },
  {
    what: 'a key that is not pinned',
    code: 'SIGNATURE_KEY_UNKNOWN',
    make: (id, format) =>
      sign(call(id), {
        format,
        signer: { ...testSigner(), key: newPrivateKey('ES256'), kid: 'mine' },
      }),
  },
  {
    what: 'a key that is not pinned, under the name of one that is',
    code: 'SIGNATURE_ALTERED',
    make: (id, format) =>
      sign(call(id), { format, signer: { ...testSigner(), key: newPrivateKey('ES256') } }),
  },
  {
    what: 'one byte of the payload is another',
    code: 'SIGNATURE_ALTERED',
    make: (id, format) => altered(sign(call(id), { format }), id, format),
  },
  {
    what: 'signed too long ago',
    code: 'SIGNATURE_STALE',
    make: (id, format) => sign(call(id), { format, agoMs: 71_000 }),
  },
  {
    what: 'signed before the charger was connected',
    code: 'SIGNATURE_STALE',
    make: (id, format) => sign(call(id), { format, agoMs: 30_000 }),
  },
  {
    what: 'signed in the future',
    code: 'SIGNATURE_FUTURE',
    make: (id, format) => sign(call(id), { format, agoMs: -30_000 }),
  },
  {
    what: 'replayed in the session',
    code: 'SIGNATURE_REPLAYED',
    isReplay: true,
    make: (id, format) => sign(call(id), { format }),
  },
  {
    what: 'signed for another charger',
    code: 'SIGNATURE_OTHER_CHARGER',
    make: (id, format) => sign(call(id), { format, charger: 'CP-2' }),
  },
  {
    what: 'under another message id',
    code: 'SIGNATURE_OTHER_MESSAGE',
    format: 'ocpp',
    make: (id) => sign(call(`not-${id}`)).replace(`not-${id}`, id),
  },
  {
    what: 'under another action',
    code: 'SIGNATURE_OTHER_ACTION',
    format: 'ocpp',
    make: (id) => sign(call(id)).replace('Reset-Signed', 'ClearCache-Signed'),
  },
];

for (const format of signatureFormats) {
  describe(`T1-18: ${format}`, () => {
    for (const attack of attacks.filter((it) => it.format === undefined || it.format === format)) {
      const { code, what } = attack;

      test(`T1-18: ${what}: standard refuses the call, counts it, and keeps it`, async () => {
        await using world = await startSignedWorld();
        const { charger, csms, gateway } = world;
        const id = 'forged';
        const text = attack.make(id, format);
        if (attack.isReplay) {
          csms.send(text);
          assert.equal(await charger.next(), call(id));
          charger.sendMessage(3, id, { status: 'Accepted' });
          await csms.next();
        }
        csms.send(text);
        assert.equal(await csms.next(), refusal(id, code));
        const refused = await gateway.event('FrameRefused');
        assert.deepEqual(
          [refused.rule, refused.code, refused.from, refused.penalty],
          ['signature', code, 'csms', 'call-error'],
        );
        // What the charger gets next is the twin, so it got nothing of the attack.
        csms.send(sign(call('twin'), { format }));
        assert.equal(await charger.next(), call('twin'));
        charger.sendMessage(3, 'twin', { status: 'Accepted' });
        assert.deepEqual(await csms.nextMessage(), [3, 'twin', { status: 'Accepted' }]);
        const [kept] = await gateway.quarantined();
        assert.deepEqual([kept?.['code'], kept?.['frame']], [code, text]);
      });

      test(`T1-18: ${what}: strict closes the connection`, async () => {
        await using world = await startSignedWorld({ preset: 'strict' });
        const { charger, csms, gateway } = world;
        await bootSigned(world, { format });
        await passesSigned(world, { format });
        const id = 'forged';
        const text = attack.make(id, format);
        if (attack.isReplay) {
          csms.send(text);
          assert.equal(await charger.next(), call(id));
          charger.sendMessage(3, id, { status: 'Accepted' });
          await csms.next();
        }
        csms.send(text);
        assert.deepEqual(await csms.closed, { code: 1008, reason: errors[code].sentence });
        await charger.closed;
        await assert.rejects(charger.next());
        const { endedBy, code: because } = await gateway.event('SessionClosed');
        assert.deepEqual([endedBy, because], ['csms', code]);
      });
    }

    test('T1-18: as many forgeries as strikes end the connection', async () => {
      await using world = await startSignedWorld({ changes: { rules: { strikesMax: 3 } } });
      const { csms, gateway } = world;
      await passesSigned(world, { format });
      for (let count = 0; count < 4; count += 1) csms.send(call(`forged-${count}`));
      await csms.closed;
      assert.equal((await gateway.event('SessionClosed')).code, 'STRIKES');
    });
  });
}

/** A call that is signed well but for its header. */
function withHeader(
  id: string,
  format: SignatureFormat,
  header: object,
  make: (data: Buffer) => Buffer,
): string {
  const now = { iat: Date.now() / 1000, OCPPMessageId: id, ...header };
  const isWhole = format === 'whole-frame';
  const parts = forgedParts({
    header: { ...goodHeader(), ...now },
    payload: isWhole ? call(id) : '{"type":"Hard"}',
    sign: make,
  });
  return isWhole
    ? `${parts.protected}.${parts.payload}.${parts.signature}`
    : JSON.stringify([2, id, 'Reset-Signed', parts]);
}

/** A text in which a Hard reset became a Soft one. */
function altered(text: string, id: string, format: SignatureFormat): string {
  const encode = (payload: string): string => Buffer.from(payload).toString('base64url');
  const [from, to] =
    format === 'ocpp'
      ? ['{"type":"Hard"}', '{"type":"Soft"}']
      : [call(id), call(id).replace('Hard', 'Soft')];
  const changed = text.replace(encode(from), encode(to));
  assert.notEqual(changed, text);
  return changed;
}
