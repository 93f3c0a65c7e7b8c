import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { toolEnvironment } from '../../src/connection/isolation/run-tool.ts';

/** Programs of the system that the tests of isolated networks use, and what they are for. */
const programs = ['ip', 'nft', 'nsenter', 'setpriv', 'unshare', 'perl'] as const;

/**
 * Declares tests that make network namespaces.
 *
 * Where that is not possible they are skipped and say so; but they fail where CI=true is set,
 * because there nobody would read it.
 */
export function describeIsolation(name: string, suite: () => void): void {
  const reason = whyNotHere();
  if (reason === undefined) {
    // One after the other: the tests of a file share a site.
    describe(name, { concurrency: false }, suite);
  } else if (process.env['CI'] === 'true') {
    describe(name, () => {
      test('can make network namespaces', () => assert.fail(reason));
    });
  } else {
    describe(name, { skip: reason }, suite);
  }
}

/** Is this program of the system installed? */
export function isInstalled(program: string): boolean {
  return toolEnvironment.PATH.split(':').some((folder) => existsSync(path.join(folder, program)));
}

function whyNotHere(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.geteuid?.() !== 0) return 'network namespaces need root';
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length > 0) {
    return (
      `not installed: ${missing.join(', ')} ` +
      '(on Debian: apt-get install iproute2 nftables util-linux perl-base)'
    );
  }
  // Root of a container may not; and it leaves nothing behind.
  const trial = ['--net', '--mount', '--', 'nft', 'add', 'table', 'inet', 'trial'];
  const { status, stderr } = spawnSync('unshare', trial, { env: toolEnvironment });
  return status === 0 ? undefined : `this system does not let root do it: ${String(stderr).trim()}`;
}
