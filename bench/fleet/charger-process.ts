/** A process of many chargers, which does what its parent tells it. */
import { createSecureContext } from 'node:tls';
import { type Random, seededRandom } from '../../src/lib/random.ts';
import { Charger, type ChargerTools } from './charger.ts';
import { serveOrders } from './child.ts';
import { HandshakeTurns } from './handshake-turns.ts';
import type { Kind } from './identities.ts';
import { Latencies } from './latencies.ts';
import { dailyCall, forbiddenCall } from './messages.ts';
import {
  type ChargerOrders,
  type ChargerSettings,
  type Comings,
  preciseNowMs,
  type Range,
} from './orders.ts';
import { emptyTally } from './tally.ts';

/** How often is looked what is due, in milliseconds. */
const tickMs = 10;
/** Calls that are due are forgotten, and counted, beyond those of this time. */
const overdueSecondsMax = 5;
/** How often is looked who leaves, in milliseconds. */
const comingsTickMs = 250;
/** Arrivals of one kind that are kept; the older half goes when there are more. */
const arrivalsMax = 200_000;

const chargers: Charger[] = [];
const tally = emptyTally();
const turns = new HandshakeTurns();
let latencies = new Latencies();
const arrivals: Readonly<Record<Kind, number[]>> = { known: [], stranger: [] };
let tools: ChargerTools | undefined;
let speech = { perSecond: 0, forbiddenShare: 0 };
let comings: Comings | undefined;
let newcomersUsed = 0;

serveOrders<ChargerOrders>({
  prepare: (settings) => {
    tools = toolsFor(settings);
    startTalking(tools.random);
    startComingAndGoing(tools.random);
    return undefined;
  },
  connect: ({ range, perSecond }) => connect(range, perSecond),
  talk: (asked) => {
    speech = asked;
    return undefined;
  },
  live: (asked) => {
    comings = asked;
    for (const charger of chargers) charger.leavesAtMs = leavingTime();
    return undefined;
  },
  report: () => {
    tally.online = chargers.filter((charger) => charger.isOnline).length;
    tally.open = chargers.filter((charger) => charger.hasOpenCall).length;
    const { counts } = latencies;
    latencies = new Latencies();
    const { waitMsMax: turnMsMax } = turns;
    return { tally, latencies: counts, turnMsMax };
  },
  arrivals: ({ kind, sinceMs }) => arrivals[kind].filter((atMs) => atMs >= sinceMs),
});

function toolsFor(settings: ChargerSettings): ChargerTools {
  return {
    settings,
    // One for all: each would take its own memory for the same authority.
    secureContext: createSecureContext({ ca: settings.caPem, minVersion: 'TLSv1.2' }),
    random: seededRandom(settings.seed),
    tally,
    turns,
    get latencies() {
      return latencies;
    },
    onLetIn: (kind) => {
      const times = arrivals[kind];
      times.push(preciseNowMs());
      if (times.length > arrivalsMax) times.splice(0, arrivalsMax / 2);
    },
  };
}

/** Starts the chargers of a range, in their order. Resolves when the last one has begun. */
function connect(range: Range, perSecond: number | undefined): Promise<undefined> | undefined {
  const own = tools;
  if (own === undefined) throw new Error('connect comes after prepare');
  const added = Array.from(
    { length: range.count },
    (_, offset) => new Charger(range.kind, range.from + offset, own),
  );
  for (const charger of added) {
    charger.leavesAtMs = leavingTime();
    chargers.push(charger);
  }
  if (perSecond === undefined) {
    for (const charger of added) charger.comeBack();
    return undefined;
  }
  return new Promise((resolve) => {
    const beganAtMs = performance.now();
    let begun = 0;
    const timer = setInterval(() => {
      const due = ((performance.now() - beganAtMs) / 1000) * perSecond;
      while (begun < Math.min(due, added.length)) {
        added[begun]?.start();
        begun += 1;
      }
      if (begun < added.length) return;
      clearInterval(timer);
      resolve(undefined);
    }, tickMs);
  });
}

/** Open loop: calls are due at their time, whether or not the gateway is quick. */
function startTalking(random: Random): void {
  let due = 0;
  let lastAtMs = performance.now();
  let next = 0;
  setInterval(() => {
    const nowMs = performance.now();
    due += ((nowMs - lastAtMs) / 1000) * speech.perSecond;
    lastAtMs = nowMs;
    for (let tries = 0; due >= 1 && tries < chargers.length; tries += 1) {
      const charger = chargers[next % chargers.length];
      next += 1;
      if (charger?.isFree !== true) continue;
      charger.say(
        random.fraction() < speech.forbiddenShare ? forbiddenCall(random) : dailyCall(random),
      );
      due -= 1;
    }
    const overdue = Math.floor(due - overdueSecondsMax * speech.perSecond);
    if (overdue <= 0) return;
    tally.skipped += overdue;
    due -= overdue;
  }, tickMs);
}

function startComingAndGoing(random: Random): void {
  setInterval(() => {
    if (comings === undefined) return;
    const nowMs = performance.now();
    for (const charger of chargers) {
      // Whoever waits for an answer stays until it has come: it would count as lost.
      if (charger.leavesAtMs > nowMs || !charger.isFree) continue;
      charger.leavesAtMs = leavingTime();
      const dice = random.fraction();
      if (dice < comings.vanishShare) charger.vanish();
      else charger.leave(newcomer(charger, dice - comings.vanishShare, comings));
    }
  }, comingsTickMs);
}

/** The number of somebody new, whose turn it is with this much of chance. */
function newcomer(
  charger: Charger,
  dice: number,
  { newcomers, renameShare }: Comings,
): number | undefined {
  if (dice >= renameShare || charger.isCharging || newcomersUsed >= newcomers.count)
    return undefined;
  newcomersUsed += 1;
  return newcomers.from + newcomersUsed - 1;
}

function leavingTime(): number {
  if (comings === undefined || tools === undefined) return Number.POSITIVE_INFINITY;
  const { staySecondsMax: max, staySecondsMin: min } = comings;
  return performance.now() + (min + (max - min) * tools.random.fraction()) * 1000;
}
