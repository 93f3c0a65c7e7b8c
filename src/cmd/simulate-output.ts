import { InvalidArgumentError } from 'commander';
import type { Clock } from '../lib/clock.ts';
import { redactSecrets, redactText } from '../ocpp/secrets.ts';
import type { Traffic } from '../sim/protocol/traffic.ts';

/** How a simulator tells what happens. */
export interface SimulateOutput {
  /** One frame; nothing with --quiet. */
  traffic(traffic: Traffic): void;
  /** Something that happened beside the frames; not with --quiet. */
  note(text: string): void;
  /** What went wrong; always, on standard error. */
  problem(text: string): void;
  /** The counters at the end; always. */
  summary(summary: Readonly<Record<string, unknown>>): void;
}

/** Which form the output has. */
export interface OutputOptions {
  readonly json?: true;
  readonly quiet?: true;
}

/** Characters of a payload on one line. */
const payloadLengthMax = 100;

/** Output to standard output, as text for people or as one JSON object per line. */
export function simulateOutput(clock: Clock, options: OutputOptions): SimulateOutput {
  const isQuiet = options.quiet === true;
  const isJson = options.json === true;
  const timeText = (): string => new Date(clock.nowMs()).toISOString();
  const writeJson = (event: string, fields: object): void => {
    process.stdout.write(`${JSON.stringify({ time: timeText(), event, ...fields })}\n`);
  };
  return {
    traffic(traffic) {
      if (isQuiet) return;
      const { identity, version, direction, text } = traffic;
      // A terminal and its log are no place for the passwords that a CSMS gives to chargers.
      if (isJson) writeJson('frame', { identity, version, direction, text: redactText(text) });
      else process.stdout.write(`${timeText().slice(11, 23)} ${trafficLine(traffic)}\n`);
    },
    note(text) {
      if (isQuiet) return;
      if (isJson) writeJson('note', { text });
      else process.stdout.write(`${timeText().slice(11, 23)} ${printable(text)}\n`);
    },
    problem(text) {
      process.stderr.write(`gatewatt simulate: ${printable(text)}\n`);
    },
    summary(summary) {
      if (isJson) {
        writeJson('summary', summary);
        return;
      }
      const width = Math.max(...Object.keys(summary).map((name) => name.length));
      const lines = Object.entries(summary).map(
        ([name, value]) => `  ${name.padEnd(width)}  ${String(value)}\n`,
      );
      process.stdout.write(`Summary\n${lines.join('')}`);
    },
  };
}

/** `CP-1 -> BootNotification {...}`: the arrow points away from the simulator that prints it. */
function trafficLine({ identity, direction, message, text }: Traffic): string {
  const arrow = direction === 'sent' ? '->' : '<-';
  const head = `${printable(identity)} ${arrow}`;
  if (message === undefined) return `${head} (no OCPP message) ${short(redactText(text))}`;
  switch (message.kind) {
    case 'call':
      return `${head} ${short(message.action)} ${payloadText(message.payload)}`;
    case 'send':
      return `${head} SEND ${short(message.action)} ${payloadText(message.payload)}`;
    case 'call-result':
      return `${head}   result ${payloadText(message.payload)}`;
    case 'call-error':
      return `${head}   error ${short(`${message.code}: ${message.description}`)}`;
    case 'call-result-error':
      return `${head}   result error ${short(`${message.code}: ${message.description}`)}`;
  }
}

function payloadText(payload: unknown): string {
  return short(JSON.stringify(redactSecrets(payload, { guesses: true }).value));
}

function short(text: string): string {
  const shown = printable(text);
  return shown.length > payloadLengthMax ? `${shown.slice(0, payloadLengthMax - 3)}...` : shown;
}

/** A peer must not move the cursor of the terminal that shows its messages. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}

/** Reads an option that is a number from `min` on; for commander. */
export function numberAtLeast(min: number, isWhole: boolean): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value) || value < min || (isWhole && !Number.isInteger(value))) {
      const kind = isWhole ? 'a whole number' : 'a number';
      throw new InvalidArgumentError(`It must be ${kind}, ${min} or more.`);
    }
    return value;
  };
}

/** A host and a port. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port`, `[ipv6]:port`; for commander. */
export function hostAndPort(text: string): HostAndPort {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new InvalidArgumentError('It must be host:port, such as 127.0.0.1:9001.');
  }
  return { host: match[1] ?? match[2] ?? '', port };
}
