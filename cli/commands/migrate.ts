import type { Command } from 'commander';
import { jsonOption } from '../json-option.ts';
import type { Output } from '../output.ts';

// Loaded when asked for: the stores and the service take longer to load than all the rest.
const load = () => import('../local/migrate.ts');

export function addMigrateCommand(program: Command, output: Output): void {
  program
    .command('migrate')
    .description('Brings the schema of DATABASE_URL to head; safe when several instances start at once.')
    .option('--status', 'list migrations, applied and pending, and change nothing')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ DATABASE_URL_FILE=/run/secrets/database keyturn migrate\n  $ keyturn migrate --status --json',
    )
    .action(async (options) => (await load()).migrate(output, options));
}
