import type { Command } from 'commander';
import { createProgram } from '../../cli/program.ts';

const INTRODUCTION = `# Commands

<!-- Made from the commands' own help by tests/cli/reference.test.ts: UPDATE_REFERENCE=1 npx jest tests/cli/reference -->

The package has one binary, \`keyturn\` (in a checkout: \`npx keyturn\`). Data goes to stdout, notes and errors to stderr.
With \`--json\`, stdout has one JSON value, and a failure is one JSON object on stderr with \`code\` and \`message\`.

| exit code | meaning |
|---|---|
| 0 | ok |
| 1 | failed |
| 2 | usage: arguments or settings are wrong, nothing was tried |
| 3 | denied: the API key lacks a permission (403) |
| 4 | not authenticated: the API key is wrong, revoked or expired (401) |
| 5 | unreachable: the service, the database or Redis does not answer |

Secrets come from the environment, a file or stdin, never from an argument. \`serve\`, \`migrate\`, \`bootstrap\`,
\`signing-keys\` and \`audit verify\` take the settings of the service; all others talk to a running service over HTTP.
[Manage API keys from a terminal](../how-to/manage-keys.md) shows them at work.
`;

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trim();
}

function withSubcommands(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...withSubcommands(child)]);
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** The whole of docs/reference/cli.md. */
export function renderReference(): string {
  const program = createProgram({ isJson: false, result() {}, note() {}, failure() {} });
  const sections = withSubcommands(program).map((command) => {
    return `## ${nameOf(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}
