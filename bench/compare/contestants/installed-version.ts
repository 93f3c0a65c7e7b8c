import { spawnSync } from 'node:child_process';

/** What `command` says of its version, by the first group of `pattern`; undefined if there is none. */
export function installedVersion(
  command: string,
  args: readonly string[],
  pattern: RegExp,
): string | undefined {
  const { error, stderr, stdout } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  return error === undefined ? pattern.exec(`${stdout}${stderr}`)?.[1] : undefined;
}
