/** The commands as a shell completes them. */
import type { Command, Option } from 'commander';

export interface CompletedOption {
  /** `--json`, `-h`: as they are typed. */
  readonly flags: readonly string[];
  readonly description: string;
  /** How its value is completed; null: it takes none. */
  readonly value:
    | { readonly kind: 'file' | 'other' }
    | { readonly kind: 'choice'; readonly choices: readonly string[] }
    | null;
}

export interface CompletedCommand {
  /** From the binary on: `keyturn keys list`. */
  readonly path: string;
  readonly subcommands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly CompletedOption[];
  /** Choices of its first argument. */
  readonly choices: readonly string[];
}

function toOption(option: Option): CompletedOption {
  const { description, required, argChoices, flags } = option;
  const typed = [option.short, option.long].filter((flag) => flag !== undefined);
  if (!required) return { flags: typed, description, value: null };
  if (argChoices !== undefined) return { flags: typed, description, value: { kind: 'choice', choices: argChoices } };
  return { flags: typed, description, value: { kind: flags.endsWith('<path>') ? 'file' : 'other' } };
}

/** Every command, the program itself first. */
export function listCommands(command: Command, parentPath = ''): readonly CompletedCommand[] {
  const path = `${parentPath} ${command.name()}`.trim();
  const help = command.createHelp();
  const own = {
    path,
    subcommands: command.commands.map((child) => ({ name: child.name(), description: child.description() })),
    options: help.visibleOptions(command).map(toOption),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  };
  return [own, ...command.commands.flatMap((child) => listCommands(child, path))];
}

/** Flags of options that are followed by a value, in any command: none is a plain switch in another. */
export function flagsWithValue(commands: readonly CompletedCommand[]): readonly string[] {
  const options = commands.flatMap((command) => command.options).filter(({ value }) => value !== null);
  return [...new Set(options.flatMap(({ flags }) => flags))];
}

/** Flags by how their values are completed, each once. */
export function completedValues(commands: readonly CompletedCommand[]) {
  const files = new Set<string>();
  const choices = new Map<string, readonly string[]>();
  for (const { flags, value } of commands.flatMap((command) => command.options)) {
    if (value?.kind === 'file') for (const flag of flags) files.add(flag);
    if (value?.kind === 'choice') for (const flag of flags) choices.set(flag, value.choices);
  }
  return { files: [...files], choices: [...choices] };
}
