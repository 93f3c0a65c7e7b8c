import { z } from 'zod';
import {
  budgetMistakes,
  feederCountDefault,
  feederMistakes,
  feedersSection,
  unassignedCountDefault,
  unassignedSection,
} from './ramp-feeders.ts';

const longWait = z.enum(['answer', 'refuse']);

const onLongWait = z.strictObject({
  starts: longWait.default('answer').meta({
    description: 'RemoteStartTransaction and RequestStartTransaction.',
  }),
  stops: longWait.default('answer').meta({
    description: 'RemoteStopTransaction and RequestStopTransaction.',
  }),
  limits: longWait.default('refuse').meta({
    description: 'SetChargingProfile and ClearChargingProfile.',
  }),
  others: longWait.default('refuse').meta({ description: 'Reset and ChangeAvailability.' }),
});

const oscillation = z.strictObject({
  windowSeconds: z.int().min(10).max(3600).default(300).meta({
    description: 'The time within which reversals are counted.',
  }),
  reversalsMax: z
    .int()
    .min(2)
    .max(100)
    .default(4)
    .meta({
      description:
        'How often the load of a feeder may turn between rise and fall within that time. Beyond it ' +
        'its budgets are halved, until it has been calm for as long.',
    }),
});

/** The `rampLimit` section. */
export const rampLimitSection = z
  .strictObject({
    mode: z
      .enum(['auto', 'enforce', 'monitor', 'off'])
      .default('auto')
      .meta({
        description:
          '`enforce` holds commands of the CSMS that would change the load of a feeder too fast. ' +
          '`monitor` passes them and records what it would have held. `auto` is `monitor` when ' +
          '`rules.preset` is, and `enforce` otherwise. `off` lets a CSMS throw every feeder.',
        source: 'PNNL-35706 section 4.0, aggregated charger message handler',
      }),
    reply: z
      .enum(['auto', 'immediate', 'defer'])
      .default('auto')
      .meta({
        description:
          'What the CSMS hears of a command. `auto`: what fits passes at once, with the answer of the ' +
          'charger; when the wait is short, the call is kept open for that answer; when it is long, ' +
          '`onLongWait` decides. `immediate`: starts and stops are stored, answered with success at ' +
          'once, and released in order. `defer`: the gateway never answers for a charger, and ' +
          'refuses what cannot be released in time.',
        source: 'PNNL-35706 section 4.0: `immediate` is its rule to the letter',
      }),
    onLongWait: onLongWait.prefault({}).meta({
      description:
        'What becomes of a command that has to wait longer than its call may be kept open. `answer`: ' +
        'the gateway answers for the charger and releases the command later; what the charger then ' +
        'says is recorded. `refuse`: the CSMS gets an error. All other commands are refused. With ' +
        '`reply: defer`, `answer` is without effect; so is `refuse`, for starts and stops, with ' +
        '`reply: immediate`.',
    }),
    openSecondsMax: z
      .int()
      .min(1)
      .max(599)
      .optional()
      .meta({
        description:
          'How long a call may be kept open; less than `csms.callTimeoutSeconds`. Without it: four ' +
          'fifths of that.',
      }),
    holdSecondsMax: z.int().min(1).max(86_400).default(900).meta({
      description: 'How long a command may wait. Then it expires: late commands surprise people.',
    }),
    heldCommandsMax: z.int().min(1).max(10_000).default(1000).meta({
      description: 'Commands that may wait. Further ones are refused.',
    }),
    heldCommandsPerChargerMax: z.int().min(1).max(100).default(8).meta({
      description: 'Commands of one charger that may wait.',
    }),
    dwellSeconds: z
      .int()
      .min(0)
      .max(3600)
      .default(60)
      .meta({
        description:
          'How long a start, or a rise, of an EVSE has to wait after a stop, or a fall, of it that came ' +
          'within as long after another start. A first start after a stop does not wait for that, and a ' +
          'stop never does. What would wait for longer than `holdSecondsMax` expires.',
      }),
    jitterSeconds: z
      .int()
      .min(0)
      .max(600)
      .default(3)
      .meta({
        description:
          'What had to wait is delayed by up to so much more, at random, so that gateways do not ' +
          'act in step. Without effect with `reply: immediate`.',
      }),
    oscillation: oscillation.prefault({}).meta({
      description: 'What counts as swinging the load of a feeder to and fro.',
    }),
    assumedRatedKw: z
      .int()
      .min(1)
      .max(10_000)
      .default(150)
      .meta({
        description:
          'The rating of a charger of which nobody said one: neither a record, nor the registry, nor ' +
          'its feeder, nor the charger.',
      }),
    measuredSecondsMax: z.int().min(1).max(86_400).default(300).meta({
      description: 'How old a measurement of a charger may be to count as what it takes now.',
    }),
    lineVolts: z.int().min(100).max(1000).default(230).meta({
      description: 'The voltage between a phase and neutral, for limits in amperes.',
    }),
    futureSteps: z
      .enum(['shift', 'refuse', 'off'])
      .default('shift')
      .meta({
        description:
          'A schedule that would make chargers of one feeder step by more than its budgets at the ' +
          'same moment later on. `shift` moves its steps, `refuse` refuses it, `off` does not look.',
      }),
    shiftSecondsMax: z.int().min(1).max(3600).default(900).meta({
      description: 'How far steps are moved at most. A schedule that needs more is refused.',
    }),
    oversized: z
      .enum(['alone', 'refuse'])
      .default('alone')
      .meta({
        description:
          'A single command that is larger than a kW budget. `alone`: it passes when nothing else ' +
          'does within its interval; a driver can do as much with a button. `refuse`: it never passes.',
      }),
    discharge: z.enum(['refuse', 'count']).default('refuse').meta({
      description:
        'Commands that make a charger feed into the grid. `count` treats them like other changes.',
    }),
    derControls: z
      .enum(['refuse', 'count'])
      .default('refuse')
      .meta({
        description:
          'Commands that change how a charger reacts to voltage and frequency (OCPP 2.1). `count` ' +
          'treats them like other changes.',
      }),
    unassigned: unassignedSection.prefault({}).meta({
      description: 'The budgets of all chargers together that no feeder has.',
    }),
    feeders: feedersSection.meta({
      description: 'The parts of the grid, and which chargers hang on them.',
    }),
  })
  .superRefine(({ feeders, reply, unassigned }, context) => {
    const mistakes = [
      ...feederMistakes(feeders),
      ...feeders.flatMap((it, index) => budgetMistakes(it, feederCountDefault, ['feeders', index])),
      ...budgetMistakes(unassigned, unassignedCountDefault(reply), ['unassigned']),
    ];
    for (const { message, path } of mistakes) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  });
