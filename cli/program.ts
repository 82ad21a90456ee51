import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addAuditCommands } from './commands/audit.ts';
import { addBootstrapCommand } from './commands/bootstrap.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addKeysCommands } from './commands/keys.ts';
import { addMembersCommands } from './commands/members.ts';
import { addMigrateCommand } from './commands/migrate.ts';
import { addProjectsCommands } from './commands/projects.ts';
import { addRolesCommands } from './commands/roles.ts';
import { addServeCommand } from './commands/serve.ts';
import { addSigningKeysCommands } from './commands/signing-keys.ts';
import { addUsersCommands } from './commands/users.ts';
import { addWorkspacesCommands } from './commands/workspaces.ts';
import type { Output } from './output.ts';

/** From the sources and from `dist/` the package stands at different distances. */
function packageVersion(): string {
  const candidates = ['../package.json', '../../package.json'].map((path) => new URL(path, import.meta.url));
  const found = candidates.find((url) => existsSync(url));
  return found === undefined ? 'unknown' : JSON.parse(readFileSync(found, 'utf8')).version;
}

/** Every command. Parsing throws what a command threw, and CommanderError for wrong arguments. */
export function createProgram(output: Output): Command {
  const program = new Command('keyturn')
    .description('Turns long-lived API keys into short-lived credentials.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp({ helpWidth: 110 })
    // main.ts prints the errors, and nobody but main.ts ends the process.
    .configureOutput({
      writeErr: (text) => {
        if (!output.isJson) process.stderr.write(text);
      },
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 usage, 3 denied, 4 not authenticated, 5 unreachable.\n' +
        'Data goes to stdout, notes and errors to stderr. Secrets come from the environment, a file or stdin.',
    );
  addServeCommand(program, output);
  addMigrateCommand(program, output);
  addBootstrapCommand(program, output);
  addSigningKeysCommands(program, output);
  addKeysCommands(program, output);
  addRolesCommands(program, output);
  addProjectsCommands(program, output);
  addWorkspacesCommands(program, output);
  addMembersCommands(program, output);
  addUsersCommands(program, output);
  addAuditCommands(program, output);
  addCompletionCommand(program, output);
  return program;
}
