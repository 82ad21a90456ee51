import type { Command } from 'commander';
import { jsonOption } from '../json-option.ts';
import type { Output } from '../output.ts';

// Loaded when asked for: the stores and the service take longer to load than all the rest.
const load = () => import('../local/serve.ts');

export function addServeCommand(program: Command, output: Output): void {
  program
    .command('serve')
    .description(
      'Runs the service until SIGTERM or SIGINT, on embedded storage under ./data unless DATABASE_URL says otherwise.',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nAn empty embedded store gets its first API key, which is printed once (not with NODE_ENV=production: there, and\n' +
        'with another DATABASE_URL, keyturn bootstrap makes it). With --json, stdout has one line when the service is\n' +
        'ready: {"issuer","port","bootstrapped"}; the log then goes to stderr.\n' +
        'The first signal finishes the requests in flight and exits 0; a second one ends at once with 1.\n' +
        '\nExamples:\n  $ keyturn serve\n  $ PORT=9000 KEYTURN_LOG_LEVEL=warn keyturn serve',
    )
    .action(async () => (await load()).serve(output));
}
