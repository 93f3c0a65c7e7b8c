/** An error of the operating system, in words that say what to do. */
export function describeSystemError(error: unknown): string {
  const { code, address, port, path } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly port?: number;
  };
  const place = port === undefined ? (path ?? 'a file') : `${address ?? ''}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${place} is in use by another program; choose another port or stop that program`;
    case 'EADDRNOTAVAIL':
      return `${place} is not an address of this machine`;
    case 'EACCES':
      return `${place} is not allowed for this user`;
    case 'ENOENT':
      return `${place} does not exist`;
    case 'ENOTDIR':
      return `${place} is not a directory`;
    default:
      return error instanceof Error ? error.message : 'unknown reason';
  }
}
