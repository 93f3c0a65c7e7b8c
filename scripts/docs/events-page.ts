import { events } from '../../src/events/catalogue.ts';
import { item, page, paragraph, table } from './markdown.ts';

/** docs/events.md: everything that the gateway reports of itself. */
export function eventsPage(): string {
  const entries = Object.entries(events);
  return page('Events', 'src/events/catalogue.ts', [
    paragraph(
      'Everything that the gateway reports of itself is an event with one of these names. Each ' +
        'event is counted in the metric `gatewatt_events_total`, except FrameAdmitted, which is ' +
        'counted in `gatewatt_frames_total`; and each is written to the log as one JSON object a ' +
        'line, unless its level is `none` or below `gateway.logLevel`.',
    ),
    paragraph(
      'A log line has `level`, `time` (ISO 8601, UTC), `gateway` (the value of `gateway.id`), ' +
        '`event` (the name below) and the fields of the event. Where there is a `code`, ' +
        '[errors.md](errors.md) explains it.',
    ),
    paragraph(
      'What chargers and strangers can cause is limited, for each source and in all: the rest is ' +
        'counted, and EventsSuppressed says how many were left out. The metrics count all of them.',
    ),
    table(
      ['event', 'level'],
      entries.map(([name, { level }]) => [`[${name}](#${name.toLowerCase()})`, level]),
    ),
    ...entries.flatMap(([name, { level, meaning, remedy }]) => [
      `## ${name}`,
      [paragraph(meaning), '', item(`Level: ${level}`), item(`What to do: ${remedy}`)].join('\n'),
    ]),
  ]);
}
