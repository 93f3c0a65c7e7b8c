import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { errors } from '../../src/errors/catalogue.ts';
import { messageErrors } from '../../src/errors/message-errors.ts';
import { type OcppVersion, ocppVersions, otherPeer, type Peer } from '../../src/ocpp/version.ts';
import { type PresetName, presetNames } from '../../src/rules/presets.ts';
import { type Passed, type TestConversation, testConversation } from '../support/conversation.ts';
import { samplePayload } from '../support/sample-payload.ts';
import { type CaseFile, type Expectation, parseCase, readCases } from './case-file.ts';

// Goal: PNNL-35706 Table 1, and the rules of context, hold for real messages, in every version,
// preset and direction.
// Method: each file of corpus/ is one message and what must become of it, run through the message
// path of the gateway with real lanes. A new case is a new file; see README.md.

const folder = path.join(import.meta.dirname, 'corpus');
const cases = readCases(folder);

/** A conversation in which the gateway knows what the case says that it knows. */
function begin(
  { context, steps }: CaseFile,
  version: OcppVersion,
  preset: PresetName,
  from: Peer,
): TestConversation {
  const { asked, boot, connection, own, owners } = context;
  const stale = steps.flatMap((step) => (step.do === 'stale' ? [step.id] : []));
  return testConversation(version, preset, [], {
    context: {
      bootStatus: boot,
      wasTriggered: (action) => asked.includes(action),
      ownsTransaction: (transactionId) => own.includes(transactionId),
      otherOwnersOf: (transactionId) => owners.get(transactionId) ?? 0,
      ...connection,
    },
    stale: { [otherPeer(from)]: stale },
  });
}

function prepare(
  it: CaseFile,
  conversation: TestConversation,
  version: OcppVersion,
  from: Peer,
): void {
  for (const step of it.steps) {
    switch (step.do) {
      case 'open': {
        const payload = samplePayload(version, step.action, 'request', 'minimal');
        expectClean(conversation.passMessage(otherPeer(from), 2, step.id, step.action, payload));
        break;
      }
      case 'earlier':
        expectClean(conversation.pass(step.from, step.text));
        break;
      case 'wait':
        conversation.wait(step.seconds * 1000);
        break;
      case 'stale':
        // `begin` has seen to it.
        break;
    }
  }
}

function expectClean({ refused, flagged }: Passed): void {
  assert.deepEqual([refused, flagged], [undefined, []], 'what came before must be in order');
}

function verify(it: CaseFile, passed: Passed, expected: Expectation, from: Peer): void {
  const { effects, events, flagged, out, refused } = passed;
  const strikes = effects.filter((effect) => effect.do === 'strike');
  assert.equal(strikes.length, expected.isStrike ? 1 : 0, 'strikes');
  const own = out.filter((outgoing) => outgoing.isOwn);
  const forwarded = out.filter((outgoing) => !outgoing.isOwn);

  if (expected.outcome === 'pass' || expected.outcome === 'flagged') {
    assert.equal(refused, undefined);
    assert.deepEqual(flagged, expected.codes);
    // Byte for byte, and to the other side.
    const copies = forwarded.filter(({ text, to }) => text === it.message && to !== from);
    const isQueued = effects.some((effect) => effect.do === 'enqueue');
    assert(copies.length === 1 || isQueued, 'passed on');
    assert.deepEqual(own, []);
    return;
  }
  assert.deepEqual(
    forwarded.filter(({ text }) => text === it.message),
    [],
    'never passed on',
  );
  if (expected.outcome === 'retried') {
    assert(events.some(({ name }) => name === 'CallRetried'));
    return;
  }
  assert.deepEqual([refused?.penalty, refused?.code], [expected.outcome, expected.codes[0]]);
  const kept = effects.flatMap((effect) => (effect.do === 'quarantine' ? [effect.bytes] : []));
  assert.deepEqual(
    kept.map((bytes) => Buffer.from(bytes).toString()),
    [it.message],
    'kept whole',
  );
  const close = effects.find((effect) => effect.do === 'close');
  assert.equal(close?.code, expected.outcome === 'close' ? expected.codes[0] : undefined);
  const told = own.map(({ text, to }) => ({ to: to === from ? 'sender' : 'caller', text }));
  if (expected.out.length > 0) assert.deepEqual(told, expected.out);
  else if (expected.outcome === 'call-error') assert.equal(told[0]?.to, 'sender');
  else if (expected.outcome !== 'answer-caller') assert.deepEqual(told, [], 'nobody is told');
}

describe('the corpus', () => {
  for (const it of cases) {
    test(`${it.title} [${it.file}]`, async (t) => {
      for (const version of it.versions) {
        for (const from of it.from) {
          for (const preset of presetNames) {
            await t.test(`${version}, ${preset}, from the ${from}`, () => {
              const conversation = begin(it, version, preset, from);
              prepare(it, conversation, version, from);
              const passed = conversation.pass(from, it.message);
              verify(it, passed, it.expected(preset, version, from), from);
            });
          }
        }
      }
    });
  }
});

describe('the corpus covers the rules', () => {
  const rules = [
    { rule: 1, prefix: 'FORMAT_', from: ['charger', 'csms'] },
    { rule: 2, prefix: 'DIRECTION_', from: ['charger', 'csms'] },
    { rule: 3, prefix: 'MATCH_', from: ['charger', 'csms'] },
    { rule: 4, prefix: 'PAYLOAD_', from: ['charger', 'csms'] },
    // From a charger, an UpdateFirmware breaks rule 2 already.
    { rule: 5, prefix: 'FIRMWARE_', from: ['csms'] },
    { rule: 6, prefix: 'BOOT_', from: ['charger', 'csms'] },
    // A CSMS speaks of the transactions of every charger.
    { rule: 7, prefix: 'TRANSACTION_', from: ['charger'] },
    { rule: 8, prefix: 'RESTRICTED', from: ['charger', 'csms'] },
    // A charger changes nothing by what it sends.
    { rule: 9, prefix: 'CREDENTIAL_', from: ['csms'] },
    { rule: 10, prefix: 'SECURITY_PROFILE_', from: ['csms'] },
    // What a charger asks for rightly holds a signature, and none is committed; see
    // src/policy/certificates.test.ts.
    { rule: 11, prefix: 'CERTIFICATE_', from: ['csms'] },
  ] satisfies { rule: number; prefix: string; from: Peer[] }[];

  function matching(rule: number, preset: PresetName, version: OcppVersion, from: Peer) {
    return cases
      .filter((it) => it.rule === rule && it.versions.includes(version) && it.from.includes(from))
      .map((it) => it.expected(preset, version, from));
  }

  for (const { rule, prefix, from: peers } of rules) {
    for (const version of ocppVersions) {
      for (const preset of presetNames) {
        for (const from of peers) {
          test(`rule ${rule}, ${version}, ${preset}, from the ${from}: both sides`, () => {
            const all = matching(rule, preset, version, from);
            const broken = all.filter(({ codes }) => codes.some((code) => code.startsWith(prefix)));
            const isStopped = broken.some(({ outcome }) => outcome !== 'flagged');
            assert.notEqual(broken.length, 0, 'no message that breaks it');
            assert.equal(isStopped, preset !== 'monitor');
            assert(
              all.some(({ outcome }) => outcome === 'pass'),
              'no benign twin that passes',
            );
          });
        }
      }
    }
  }

  test('every code of the rules has a case', () => {
    const seen = new Set(
      cases.flatMap((it) =>
        it.versions.flatMap((version) =>
          it.from.flatMap((from) => it.expected('monitor', version, from).codes),
        ),
      ),
    );
    const codes = Object.keys(messageErrors).filter((code) =>
      rules.some(({ prefix }) => code.startsWith(prefix)),
    );
    assert.deepEqual(
      codes.filter((code) => !seen.has(code)),
      [],
    );
  });

  test('every case names a code of the catalogue, and its source', () => {
    for (const it of cases) {
      assert(it.source.length > 3, it.file);
      for (const preset of presetNames) {
        for (const version of it.versions) {
          for (const from of it.from) {
            for (const code of it.expected(preset, version, from).codes) {
              assert(Object.hasOwn(errors, code), `${it.file}: ${code}`);
            }
          }
        }
      }
    }
  });
});

describe('case files', () => {
  test('the example of the README is one', () => {
    const readme = readFileSync(path.join(import.meta.dirname, 'README.md'), 'utf8');
    const [, example = ''] = /```text\n(.*?)```/s.exec(readme) ?? [];
    const it = parseCase('README.md', example);
    assert.equal(it.message, '[2,"1","UpdateFirmware",{"location":"http://f/"}]');
    assert.equal(it.expected('strict', 'ocpp1.6', 'charger').outcome, 'call-error');
    assert.equal(it.expected('monitor', 'ocpp2.1', 'charger').codes.length, 1);
  });

  test('a mistake in one is told with its file', () => {
    const text = 'title: x\nsource: y\nrule: 1\nversions: all\nfrom: charger\n\n[]\n---\n';
    assert.throws(() => parseCase('a.case', 'title: x\n'), /a\.case: has no line of dashes/);
    assert.throws(() => parseCase('a.case', text.replace('rule', 'row')), /unknown header row/);
    const withHeader = (line: string): string => text.replace('\n\n', `\n${line}\n\n`);
    assert.throws(() => parseCase('a.case', withHeader('boot: Maybe')), /unclear at "boot: Maybe"/);
    assert.throws(() => parseCase('a.case', withHeader('owners: 7 some')), /unclear at "owners/);
    assert.throws(() => parseCase('a.case', withHeader('profile: 4')), /unclear at "profile: 4"/);
    assert.throws(() => parseCase('a.case', `${text}strict nonsense\n`), /unclear/);
    assert.throws(
      () => parseCase('a.case', text).expected('strict', 'ocpp1.6', 'charger'),
      /says nothing of strict ocpp1\.6 charger/,
    );
  });
});
