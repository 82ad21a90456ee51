import { Argument, type Command } from 'commander';
import { bashCompletion } from '../completion/bash-completion.ts';
import { listCommands } from '../completion/command-tree.ts';
import { fishCompletion } from '../completion/fish-completion.ts';
import { zshCompletion } from '../completion/zsh-completion.ts';
import { jsonOption } from '../json-option.ts';
import type { Output } from '../output.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export function addCompletionCommand(program: Command, output: Output): void {
  program
    .command('completion')
    .description('Prints a script that completes these commands and their options in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nIt is made of the commands alone and asks no service.\n' +
        '\nExamples:\n  $ source <(keyturn completion bash)    # in ~/.bashrc; zsh: in ~/.zshrc after compinit\n' +
        '  $ keyturn completion fish | source     # in ~/.config/fish/config.fish',
    )
    .action((shell: keyof typeof SCRIPTS) => {
      const script = SCRIPTS[shell](listCommands(program));
      output.result(script, script.trimEnd());
    });
}
