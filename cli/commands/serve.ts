import { type Command, InvalidArgumentError } from 'commander';
import { jsonOption } from '../json-option.ts';
import type { Output } from '../output.ts';

// Loaded when asked for: the stores and the service take longer to load than all the rest.
const load = () => import('../local/serve.ts');

/** Far above what a machine has use for; each takes memory and up to ten connections to the database. */
const MAX_WORKERS = 128;

function parseWorkers(text: string): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MAX_WORKERS) return count;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_WORKERS}.`);
}

export function addServeCommand(program: Command, output: Output): void {
  program
    .command('serve')
    .description(
      'Runs the service until SIGTERM or SIGINT, on embedded storage under ./data unless DATABASE_URL says otherwise.',
    )
    .option('--workers <number>', 'processes on the one port; about as many as there are cores', parseWorkers, 1)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nAn empty embedded store gets its first API key, which is printed once (not with NODE_ENV=production: there, and\n' +
        'with another DATABASE_URL, keyturn bootstrap makes it). With --json, stdout has one line when the service is\n' +
        'ready: {"issuer","port","bootstrapped"}; the log then goes to stderr.\n' +
        'SIGTERM and SIGINT finish the requests in flight and exit 0; a second one ends at once with 1.\n' +
        'With --workers, one that crashes is replaced, and SIGHUP replaces all, one after the other, so that no request\n' +
        'is lost: with the code that then stands on the disk, and the environment that the first process was given.\n' +
        '\nExamples:\n  $ keyturn serve\n  $ PORT=9000 KEYTURN_LOG_LEVEL=warn keyturn serve --workers 4',
    )
    .action(async (options) => (await load()).serve(output, options));
}
