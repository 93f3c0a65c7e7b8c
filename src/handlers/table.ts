import type { OcppVersion, Peer } from '../ocpp/version.ts';
import type { CallHandler, ReplyHandler } from './handler.ts';
import { keepPending } from './keep-pending.ts';
import { paceLimitReplies, paceLoadChanges } from './pace-load-changes.ts';
import { withholdCredentials, withholdReportedCredentials } from './withhold-credentials.ts';

/** Every handler of replies. At most one handles a reply. */
export const replyHandlers: readonly ReplyHandler[] = [
  withholdCredentials,
  keepPending,
  paceLimitReplies,
];

/** Every handler of calls. At most one handles a call. */
export const callHandlers: readonly CallHandler[] = [withholdReportedCredentials, paceLoadChanges];

/** The handler for replies of `from` to `action`, if there is one. */
export function replyHandlerFor(
  version: OcppVersion,
  action: string,
  from: Peer,
): ReplyHandler | undefined {
  return replyHandlers.find(
    (handler) => handler.from === from && handler.actions[version].includes(action),
  );
}

/** The handler for calls of `action` by `from`, if there is one. */
export function callHandlerFor(
  version: OcppVersion,
  action: string,
  from: Peer,
): CallHandler | undefined {
  return callHandlers.find(
    (handler) => handler.from === from && handler.actions[version].includes(action),
  );
}
