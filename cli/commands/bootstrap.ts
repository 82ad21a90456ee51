import { type Command, InvalidArgumentError } from 'commander';
import { jsonOption } from '../json-option.ts';
import type { Output } from '../output.ts';

// Loaded when asked for: the stores and the service take longer to load than all the rest.
const load = () => import('../local/bootstrap.ts');

function parseEmail(text: string): string {
  if (text.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an e-mail address.');
}

export function addBootstrapCommand(program: Command, output: Output): void {
  program
    .command('bootstrap')
    .description(
      'Gives an empty store its first project, an administrator key and a set-up link (for a later version’s console).',
    )
    .option('--email <email>', 'e-mail address of the first administrator', parseEmail)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nMigrates first. On a store that is not empty it changes nothing and exits 1.\n' +
        '\nExamples:\n  $ keyturn bootstrap --json --email ada@example.com > first-key.json',
    )
    .action(async (options) => (await load()).bootstrapStore(output, options));
}
