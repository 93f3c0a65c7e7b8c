import type { MessageKind } from '../ocpp/message.ts';
import type { Peer } from '../ocpp/version.ts';
import type { Rule, RuleInput } from './rule.ts';

type RulesByKind<Input extends RuleInput> = Readonly<Record<MessageKind, readonly Rule<Input>[]>>;

/**
 * Rules, sorted by the messages that they concern: most concern calls, and half
 * of all messages are replies.
 */
export class RuleBook<Input extends RuleInput> {
  /** All of them, in their order. */
  readonly all: readonly Rule<Input>[];
  readonly #rules: Readonly<Record<Peer, RulesByKind<Input>>>;

  constructor(all: readonly Rule<Input>[]) {
    this.all = all;
    this.#rules = { charger: byKind(all, 'charger'), csms: byKind(all, 'csms') };
  }

  /** Those that a message of this kind can break, in their order. */
  for(from: Peer, kind: MessageKind): readonly Rule<Input>[] {
    return this.#rules[from][kind];
  }
}

function byKind<Input extends RuleInput>(
  all: readonly Rule<Input>[],
  from: Peer,
): RulesByKind<Input> {
  const rulesFor = (kind: MessageKind): readonly Rule<Input>[] =>
    all.filter(({ concerns }) => {
      const isOfSide = concerns?.from === undefined || concerns.from === from;
      return isOfSide && concerns?.kinds?.includes(kind) !== false;
    });
  return {
    call: rulesFor('call'),
    send: rulesFor('send'),
    'call-result': rulesFor('call-result'),
    'call-error': rulesFor('call-error'),
    'call-result-error': rulesFor('call-result-error'),
  };
}
