import { type Random, seededRandom } from '../../src/lib/random.ts';
import { actionsOf, isSendAction, senderOf } from '../../src/ocpp/actions.ts';
import { isJsonObject, type JsonObject } from '../../src/ocpp/message.ts';
import { type PayloadSide, schemaOf } from '../../src/ocpp/schemas.ts';
import { type OcppVersion, ocppVersions, otherPeer, type Peer } from '../../src/ocpp/version.ts';
import { type PresetName, presetNames } from '../../src/rules/presets.ts';
import { samplePayload } from '../support/sample-payload.ts';
import { FuzzedConversation, PropertyBroken } from './fuzzed-conversation.ts';
import { mutate, pick } from './mutate.ts';

/** One conversation that broke a property, with all that it takes to play it again. */
export interface Failure {
  readonly seed: number;
  readonly version: OcppVersion;
  readonly preset: PresetName;
  readonly property: string;
  readonly frame: string;
  readonly cause: unknown;
}

/** Steps of one conversation. */
const stepsMax = 60;

/**
 * Plays one conversation, which `seed` decides altogether.
 *
 * @returns the number of messages, or what went wrong.
 */
export function play(seed: number): number | Failure {
  // Neighbouring seeds must not give neighbouring choices.
  const random = seededRandom(Math.imul(seed, 0x9e3779b1));
  const version = pick(random, ocppVersions);
  const preset = pick(random, presetNames);
  const conversation = new FuzzedConversation(version, preset, random);
  const sent: string[] = [];
  const steps = random.integer(1, stepsMax);
  try {
    for (let step = 0; step < steps; step += 1) {
      if (random.integer(0, 9) === 0) {
        conversation.advance(pick(random, [1, 300, 699, 701, 999, 1001, 6000]));
        continue;
      }
      const from: Peer = random.integer(0, 1) === 0 ? 'charger' : 'csms';
      const text = nextText(conversation, from, sent, random);
      sent.push(text);
      conversation.feed(from, text);
    }
  } catch (error) {
    if (!(error instanceof PropertyBroken)) throw error;
    const { message: property, frame, cause } = error;
    return { seed, version, preset, property, frame, cause };
  }
  return conversation.frames;
}

/** What `from` sends next: usually something sensible, often with a defect. */
function nextText(
  conversation: FuzzedConversation,
  from: Peer,
  sent: readonly string[],
  random: Random,
): string {
  const roll = random.integer(0, 99);
  if (roll < 8 && sent.length > 0) return pick(random, sent);
  const { version } = conversation;
  const open = conversation.openCallOf(otherPeer(from));
  const text =
    open !== undefined && roll < 55
      ? replyTo(open, version, random)
      : requestFrom(from, version, random);
  return random.integer(0, 9) < 5 ? mutate(text, random) : text;
}

/** Few ids, so that they collide. */
function someId(random: Random): string {
  return pick(random, [
    '1',
    '2',
    '3',
    'a',
    'A',
    'x'.repeat(36),
    '-1',
    String(random.integer(0, 999)),
  ]);
}

function requestFrom(from: Peer, version: OcppVersion, random: Random): string {
  const id = someId(random);
  const roll = random.integer(0, 19);
  if (roll === 0) return JSON.stringify([3, id, {}]);
  if (roll === 1) return JSON.stringify([4, id, 'GenericError', '', {}]);
  if (roll === 2) return JSON.stringify([5, id, 'GenericError', '', {}]);
  // Now and then an action that the other side owns.
  const asPeer = roll === 3 ? otherPeer(from) : from;
  if (roll === 4 && from === 'csms') return credentialRequest(version, id, random);
  const actions = actionsFor(version, asPeer);
  const action = pick(random, actions);
  const typeId = isSendAction(version, action) ? 6 : 2;
  return `[${typeId},${JSON.stringify(id)},"${action}",${payloadText(version, action, 'request', random)}]`;
}

/** What changes how the charger authenticates itself, as OCPP spells it or nearly so. */
function credentialRequest(version: OcppVersion, id: string, random: Random): string {
  const value = pick(random, ['0', '1', '2', '3', '00112233445566778899aabbccddeeff']);
  const is16 = version === 'ocpp1.6';
  const password = is16 ? 'AuthorizationKey' : 'BasicAuthPassword';
  const name = pick(random, [password, ` ${password.toUpperCase()}`, 'SecurityProfile']);
  if (is16) return JSON.stringify([2, id, 'ChangeConfiguration', { key: name, value }]);
  const component = { name: pick(random, ['SecurityCtrlr', 'NetworkConfiguration']) };
  const setVariableData = [{ attributeValue: value, component, variable: { name } }];
  return JSON.stringify([2, id, 'SetVariables', { setVariableData }]);
}

function replyTo(open: string, version: OcppVersion, random: Random): string {
  const call: unknown = readJson(open);
  const [, id, action]: readonly unknown[] = Array.isArray(call) ? call : [];
  if (random.integer(0, 4) === 0) return JSON.stringify([4, id, 'InternalError', 'no', {}]);
  const known = typeof action === 'string' && senderOf(version, action) !== undefined;
  const payload = known ? payloadText(version, action, 'response', random) : '{}';
  return `[3,${JSON.stringify(id)},${payload}]`;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const actionLists = new Map<string, readonly string[]>();

function actionsFor(version: OcppVersion, from: Peer): readonly string[] {
  const key = `${version} ${from}`;
  const known = actionLists.get(key);
  if (known !== undefined) return known;
  const actions = actionsOf(version).filter((action) => {
    const sender = senderOf(version, action);
    return sender === from || sender === 'either';
  });
  actionLists.set(key, actions);
  return actions;
}

const payloadTexts = new Map<string, string>();

function payloadText(
  version: OcppVersion,
  action: string,
  side: PayloadSide,
  random: Random,
): string {
  const size = random.integer(0, 3) === 0 ? 'full' : 'minimal';
  const key = `${version} ${action} ${side} ${size}`;
  const known = payloadTexts.get(key);
  if (known !== undefined) return known;
  const payload: JsonObject =
    schemaOf(version, action, side) === undefined ? {} : samplePayload(version, action, side, size);
  const text = JSON.stringify(isJsonObject(payload) ? payload : {});
  payloadTexts.set(key, text);
  return text;
}

/** The failure in words, with the seed that plays it again. */
export function describeFailure({
  cause,
  frame,
  preset,
  property,
  seed,
  version,
}: Failure): string {
  const because = cause instanceof Error ? `\ncause: ${cause.stack ?? cause.message}` : '';
  return (
    `broken: ${property} (${version}, ${preset})\nseed: ${seed}; to play it again: ` +
    `GATEWATT_FUZZ_SEED=${seed} npm run test:fuzz\nframe: ${JSON.stringify(frame)}${because}`
  );
}
