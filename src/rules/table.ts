import { actionDirection } from './action-direction.ts';
import { messageFormat } from './message-format.ts';
import { messageIdMatching } from './message-id.ts';
import { payloadSchema } from './payload.ts';
import type { Rule } from './rule.ts';
import { secureFirmware } from './secure-firmware.ts';
import { signature } from './signature.ts';

/** PNNL-35706 Table 1, in its order. `docs/message-rules.md` is generated from it. */
export const rules: readonly Rule[] = [
  signature,
  messageFormat,
  actionDirection,
  messageIdMatching,
  payloadSchema,
  secureFirmware,
];
