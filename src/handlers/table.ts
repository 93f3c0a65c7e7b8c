import type { OcppVersion, Peer } from '../ocpp/version.ts';
import type { ReplyHandler } from './handler.ts';
import { withholdCredentials } from './withhold-credentials.ts';

/** Every handler. At most one handles a message. */
export const replyHandlers: readonly ReplyHandler[] = [withholdCredentials];

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
