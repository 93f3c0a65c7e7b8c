import type { Peer } from '../../src/ocpp/version.ts';
import type { SocketTap } from './network/simulated-socket.ts';
import { frameOf, opcodes, WireReader, wireEncoding } from './network/websocket-wire.ts';
import type { InvariantName } from './observers/broken-invariant.ts';
import { badMark, type OcppText, readOcpp } from './peers/ocpp-text.ts';
import type { SimulationOptions } from './scenario.ts';
import type { Tampering } from './tampering.ts';

/** A gateway that is spoilt from outside, and the invariant that has to notice it. */
export interface KnownTampering {
  readonly what: string;
  readonly breaks: InvariantName;
  readonly options: SimulationOptions;
  /** Anew for each run. */
  make(): Tampering;
}

const calm = { seed: 11, chargers: 8, seconds: 60, hasFaults: false } as const;
/** Its gateway answers for its chargers at once, and has to hold a lot. */
const busy = { seed: 4, chargers: 25, seconds: 150, hasFaults: false } as const;
/** Its peers misbehave. */
const rough = { seed: 5, chargers: 25, seconds: 120, hasFaults: true } as const;

/** Changes texts that leave the gateway. @param where before or after somebody listens. */
function changingTexts(
  where: 'inside' | 'outside',
  change: (side: Peer, text: string, message: OcppText | undefined) => readonly string[],
): Tampering {
  return {
    tap: (side, tap): SocketTap => {
      const apply = textChanger(side, (text) => change(side, text, readOcpp(text)));
      return {
        onReceived: (bytes) => tap.onReceived(bytes),
        onSent: (bytes) =>
          where === 'inside' ? tap.onSent(apply(bytes)) : apply(tap.onSent(bytes)),
      };
    },
  };
}

/** Changes the texts in bytes that the gateway sends; whole frames come, as ws writes them. */
function textChanger(
  side: Peer,
  change: (text: string) => readonly string[],
): (bytes: Buffer) => Buffer {
  let written: Buffer[] = [];
  const isMasked = side === 'csms';
  const reader = new WireReader(
    (head) => written.push(Buffer.from(`${head}\r\n\r\n`, wireEncoding)),
    ({ opcode, payload }) => {
      const payloads =
        opcode === opcodes.text
          ? change(payload.toString(wireEncoding)).map((text) => Buffer.from(text, wireEncoding))
          : [payload];
      written.push(...payloads.map((one) => frameOf(opcode, one, isMasked)));
    },
  );
  return (bytes) => {
    written = [];
    reader.push(bytes);
    return Buffer.concat(written);
  };
}

/** Passes what the charger has sent on to the CSMS, whatever the gateway thinks of it. */
function passingRefused(): Tampering {
  const refused: string[] = [];
  const passing = changingTexts('inside', (side, text) => {
    return side === 'csms' ? [text, ...refused.splice(0)] : [text];
  });
  return {
    tap: (side, tap) => {
      const inner = passing.tap?.(side, tap) ?? tap;
      if (side === 'csms') return inner;
      const reader = new WireReader(
        () => {},
        ({ payload }) => {
          const text = payload.toString(wireEncoding);
          if (text.includes(badMark)) refused.push(text);
        },
      );
      return {
        onSent: (bytes) => inner.onSent(bytes),
        onReceived: (bytes) => {
          reader.push(bytes);
          inner.onReceived(bytes);
        },
      };
    },
  };
}

/** Keeps one call of the only charger back until the next one has passed. */
function swappingCalls(): Tampering {
  let kept: string | undefined;
  return changingTexts('inside', (side, text, message) => {
    if (side !== 'csms' || message?.kind !== 'call' || message.action === 'BootNotification') {
      return [text];
    }
    if (kept === undefined) {
      kept = text;
      return [];
    }
    const both = [text, kept];
    kept = undefined;
    return both;
  });
}

/** Each invariant, and who breaks it. */
export const tamperings: readonly KnownTampering[] = [
  {
    what: 'the gateway passes each call on twice',
    breaks: 'only-admitted-passes',
    options: calm,
    make: () =>
      changingTexts('inside', (side, text, message) =>
        side === 'csms' && message?.kind === 'call' ? [text, text] : [text],
      ),
  },
  {
    what: 'the gateway passes on what it has refused',
    breaks: 'only-admitted-passes',
    options: rough,
    make: passingRefused,
  },
  {
    what: 'the gateway changes a message on its way',
    breaks: 'only-admitted-passes',
    options: calm,
    make: () =>
      changingTexts('inside', (_side, text) => [text.replace('"meterStop":4200', '"meterStop":1')]),
  },
  {
    what: 'the store loses claims',
    breaks: 'one-connection',
    options: calm,
    make: () => ({
      meddle: (database) => {
        database.execute('update claim set incarnation = null where claimed_ms > 0');
      },
    }),
  },
  {
    what: 'the gateway passes two calls on in the wrong order',
    breaks: 'order-is-kept',
    options: { ...calm, chargers: 1, seconds: 120 },
    make: swappingCalls,
  },
  {
    what: 'the gateway does not wait for answers',
    breaks: 'one-open-call',
    options: busy,
    make: () => ({
      configure: (options) => {
        const { charger, csms } = options.lanes;
        return { ...options, lanes: { charger, csms: { ...csms, inFlightMs: 100 } } };
      },
    }),
  },
  {
    what: 'the gateway gives each answer twice',
    breaks: 'replies-fit',
    options: calm,
    make: () =>
      changingTexts('inside', (side, text, message) =>
        side === 'charger' && message?.kind === 'result' ? [text, text] : [text],
      ),
  },
  {
    what: 'the store forgets what was taken of the budgets',
    breaks: 'budgets-hold',
    options: busy,
    make: () => ({
      meddle: (database) => {
        database.execute('update ramp_entry set at_ms = at_ms - 3600000');
      },
    }),
  },
  {
    what: 'the store forgets commands that the gateway has answered for',
    breaks: 'nothing-acknowledged-is-lost',
    options: busy,
    make: () => ({
      meddle: (database) => {
        database.execute("delete from ramp_command where is_answered = 1 and state = 'waiting'");
      },
    }),
  },
  {
    what: 'the store forgets audit records',
    breaks: 'nothing-acknowledged-is-lost',
    options: rough,
    make: () => ({
      spoil: (sql) => (/^insert into "audit_record"/.test(sql) ? 'forget' : undefined),
    }),
  },
  {
    what: 'the CSMS gets another call than the one that is acknowledged',
    breaks: 'nothing-acknowledged-is-lost',
    options: calm,
    make: () =>
      changingTexts('outside', (side, text, message) =>
        side === 'csms' && message?.kind === 'call' && message.action === 'MeterValues'
          ? [JSON.stringify([2, message.id, 'Heartbeat', {}])]
          : [text],
      ),
  },
  {
    what: 'the ends of transactions never arrive',
    breaks: 'all-comes-to-rest',
    options: { ...calm, chargers: 3, seconds: 40 },
    make: () =>
      changingTexts('outside', (_side, text, message) =>
        message?.kind === 'call' && message.action === 'StopTransaction' ? [] : [text],
      ),
  },
  {
    what: 'a query fails that cannot fail',
    breaks: 'no-defect',
    options: calm,
    make: () => ({
      spoil: (sql) => {
        if (/"charger_change"/.test(sql)) throw new Error('spoilt');
        return undefined;
      },
    }),
  },
];
