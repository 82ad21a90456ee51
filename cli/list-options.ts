/** Lists that an edit replaces, empties, or changes one by one: permissions, addresses, roles, audiences. */
import { type Command, Option } from 'commander';
import { collect } from './client-command.ts';
import { CommandFailure } from './command-failure.ts';
import { EXIT_CODES } from './exit-codes.ts';

export interface EditedList {
  /** Option that names the whole list, and one entry when something is created: `allow-ip`. */
  readonly whole: string;
  /** One entry, in options and messages: `ip` makes `--add-ip` and `--remove-ip`. */
  readonly entry: string;
  /** The list: `allowlist` makes `--no-allowlist`. */
  readonly list: string;
  /** What an entry looks like: `<cidr>`. */
  readonly value: string;
  /** Checks and adds an entry; default: takes any. */
  readonly collect?: (value: string, earlier?: readonly string[]) => readonly string[];
  /** An entry as the service stores it; default: as it was given. */
  readonly stored?: (text: string) => string;
}

export interface ListEdit {
  readonly whole?: readonly string[] | undefined;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** commander's own way from `add-ip` to `addIp`. */
const attributeOf = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

export function addListOptions(
  command: Command,
  { whole, entry, list, value, collect: collectEntry = collect }: EditedList,
): Command {
  const others = [`add-${entry}`, `remove-${entry}`].map(attributeOf);
  const repeated = (name: string, description: string) =>
    new Option(`--${name} ${value}`, `${description}; may be repeated`).argParser(collectEntry);
  return command
    .addOption(repeated(whole, `replace the ${list}`).conflicts([...others, list]))
    .addOption(repeated(`add-${entry}`, `add to the ${list}`))
    .addOption(repeated(`remove-${entry}`, `take from the ${list}`))
    .addOption(new Option(`--no-${list}`, `empty the ${list}`).conflicts(others));
}

/** What was asked for, from the options that {@link addListOptions} has added. */
export function listEditOf(options: object, { whole, entry, list }: EditedList): ListEdit {
  const values = options as Readonly<Record<string, unknown>>;
  const given = (name: string) => values[attributeOf(name)] as readonly string[] | undefined;
  return {
    whole: values[list] === false ? [] : given(whole),
    added: given(`add-${entry}`) ?? [],
    removed: given(`remove-${entry}`) ?? [],
  };
}

/**
 * The list after the edit, each entry once; undefined when nothing was asked for.
 *
 * @throws {CommandFailure} when what is to be removed is not there: whoever mistypes it would believe that it is gone
 */
export function editList(
  current: readonly string[],
  edit: ListEdit,
  { list, entry, stored = String }: EditedList,
): readonly string[] | undefined {
  if (edit.whole !== undefined) return [...new Set(edit.whole)];
  const [added, removed] = [edit.added.map(stored), edit.removed.map(stored)];
  if (added.length + removed.length === 0) return undefined;
  const absent = removed.filter((text) => !current.includes(text));
  if (absent.length > 0) {
    const message = `the ${list} has no ${entry} ${absent.join(', ')}; it has ${current.join(', ') || 'none'}`;
    throw new CommandFailure(EXIT_CODES.failed, 'nothing_to_remove', message);
  }
  return [...new Set([...current.filter((text) => !removed.includes(text)), ...added])];
}
