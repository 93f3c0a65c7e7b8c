import { type Logger, pino } from 'pino';
import { events } from './catalogue.ts';
import type { EventSink } from './emit.ts';

/** How much is logged. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
/** One log level. */
export type LogLevel = (typeof logLevels)[number];

/** Where log lines go. */
export interface LogDestination {
  write(line: string): void;
}

/** A pino logger that writes one JSON object a line: time, level, event, fields. */
export function jsonLogger(level: LogLevel, destination: LogDestination): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
      messageKey: 'event',
    },
    destination,
  );
}

/** Logs events at the level that the catalogue gives them. */
export function logSink(logger: Logger): EventSink {
  return ({ name, ...fields }) => {
    const { level } = events[name];
    if (level !== 'none') logger[level](fields, name);
  };
}
