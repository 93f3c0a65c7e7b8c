// Installs the dependencies when they are missing or older than the lock file, and says so.
// Runs before everything else, on whatever Node is there, so it uses nothing but Node itself.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const lockFile = path.join(root, 'package-lock.json');
// npm writes this file last, so an installation that was interrupted does not count.
const installedMark = path.join(root, 'node_modules', '.package-lock.json');
const nodeBinary = path.join(root, 'node_modules', '.bin', 'node');

const isCurrent =
  existsSync(installedMark) &&
  existsSync(nodeBinary) &&
  statSync(installedMark).mtimeMs >= statSync(lockFile).mtimeMs;

if (!isCurrent) {
  console.error('gatewatt: installing dependencies, once ...');
  // Not `npm ci`: it refuses a lock file without the binaries for other platforms, and which of
  // them a lock file has depends on the registry that it was made with. With --no-save the lock
  // file decides the versions just the same and is not written.
  const options = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawnSync('npm', ['install', ...options], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.status !== 0) {
    console.error('gatewatt: the installation failed; run "npm install" to see why');
    process.exit(1);
  }
  console.error('gatewatt: dependencies are installed');
}
