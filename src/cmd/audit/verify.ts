import { Command, InvalidArgumentError } from 'commander';
import { type AuditPosition, type AuditVerdict, verifyChain } from '../../audit/verify.ts';
import { jsonText } from '../charger/json-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore } from '../on-store.ts';
import { printable } from '../text-table.ts';
import { noSuchChain } from './no-such-chain.ts';
import { progressOnTerminal } from './progress.ts';

interface VerifyCommandOptions {
  readonly config: string;
  readonly chain?: string;
  readonly expect?: AuditPosition;
  readonly json?: true;
}

const help = `
Whoever can write to the database can rewrite the whole log so that it is consistent again. So note
the last line of this command in another place from time to time, and give it to --expect later.

Examples:
  gatewatt audit verify -c gatewatt.yaml
  gatewatt audit verify -c gatewatt.yaml --expect 4711:0b5e...9f

Exit codes: 0 intact; 1 broken, no such log, or the store failed; 2 wrong usage.
`;

/** `gatewatt audit verify`. */
export function auditVerifyCommand(): Command {
  return new Command('verify')
    .summary('verify that nobody has changed the audit log')
    .description(
      'Reads the audit log from end to end, and names the first record that was changed, removed\n' +
        'or put in. A running gateway is not disturbed.',
    )
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .option('--chain <id>', 'the log of another gateway on the same database (default: gateway.id)')
    .option(
      '--expect <sequence:hash>',
      'a record that was noted elsewhere and must still be there',
      readPosition,
    )
    .option('--json', 'one JSON value for programs')
    .addHelpText('after', help)
    .action(async (options: VerifyCommandOptions) => {
      process.exitCode = await verify(options);
    });
}

function verify(options: VerifyCommandOptions): Promise<number> {
  return onStore(options.config, async ({ config, store }) => {
    const chain = options.chain ?? config.gateway.id;
    const verdict = await verifyChain(store, chain, {
      expected: options.expect,
      onProgress: progressOnTerminal('records verified'),
    });
    if (verdict === undefined) {
      complain(await noSuchChain(store, chain));
      return exitCodes.failed;
    }
    if (options.json === true) process.stdout.write(jsonText(verdict));
    else tell(verdict);
    return verdict.ok ? exitCodes.ok : exitCodes.failed;
  });
}

function tell(verdict: AuditVerdict): void {
  const log = `the audit log of ${printable(verdict.chain)}`;
  if (!verdict.ok) {
    complain(`gatewatt: ${log} is BROKEN at record ${verdict.sequence}: ${verdict.problem}`);
    return;
  }
  const { count, head } = verdict;
  const records = count === 1 ? '1 record' : `${count} records`;
  process.stdout.write(`${log} is intact: ${records}\n${head.sequence}:${head.hash}\n`);
}

function readPosition(text: string): AuditPosition {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/i.exec(text.trim());
  if (match === null) {
    throw new InvalidArgumentError(
      'It must be SEQUENCE:HASH, as the last line of an earlier gatewatt audit verify.',
    );
  }
  return { sequence: Number(match[1]), hash: (match[2] ?? '').toLowerCase() };
}
