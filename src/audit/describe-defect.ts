/**
 * An error that should not have been, for operators: its kind and code. Messages of databases can
 * hold values, and values are for nobody's log.
 */
export function describeDefect(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error';
  const { code, errcode } = error as Error & {
    readonly code?: unknown;
    readonly errcode?: unknown;
  };
  const shown = [code, errcode].find((it) => /^[\w-]{1,40}$/.test(String(it ?? '')));
  return shown === undefined ? error.name : `${error.name} ${String(shown)}`;
}
