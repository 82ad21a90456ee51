import { type Command, InvalidArgumentError } from 'commander';
import { CommandFailure } from '../command-failure.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { jsonOption } from '../json-option.ts';
import type { Output } from '../output.ts';
import { addAuditListCommand } from './audit-list.ts';

interface VerifyOptions {
  readonly sinceSequence?: number;
  readonly mac?: string;
}

function parseSequence(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(text);
}

/** Both or neither. */
function headOf({ sinceSequence: sequence, mac }: VerifyOptions) {
  if (sequence !== undefined && mac !== undefined) return { sequence, mac };
  if (sequence === undefined && mac === undefined) return null;
  throw new CommandFailure(EXIT_CODES.usage, 'usage', '--since-sequence and --mac go together: both are in the head');
}

export function addAuditCommands(program: Command, output: Output): void {
  const group = program
    .command('audit')
    .helpCommand(false)
    .description('Who did what to which object, when, from which address.');
  group
    .command('verify')
    .description(
      'Finds out whether an audit event was edited, deleted, moved or put there. Works on DATABASE_URL itself.',
    )
    .option('--since-sequence <number>', 'sequence of an earlier head, which must still be in the chain', parseSequence)
    .option('--mac <mac>', 'mac of that head')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nPrints the head of the chain: keep it elsewhere. Whoever can write to the database can cut off the newest events\n' +
        'and the record of them; only a head of before shows that.\n\n' +
        'KEYTURN_MASTER_KEY must be that of the service.\n\n' +
        'Examples:\n  $ keyturn audit verify --json\n' +
        '  $ keyturn audit verify --since-sequence 1041 --mac 1f0c2a9b.Zr0…',
    )
    .action(async (options: VerifyOptions) => {
      const earlierHead = headOf(options);
      const { verifyAudit } = await import('../local/audit-verify.ts');
      await verifyAudit(output, earlierHead);
    });
  addAuditListCommand(group, output);
}
