/** What the command line ends with. Scripts depend on these. */
export const exitCodes = {
  ok: 0,
  /** The command was understood and failed. */
  failed: 1,
  /** The command or its configuration was not understood. */
  usage: 2,
} as const;
