/** What the commands on projects, workspaces, roles, members and users have in common: list, show, edit, rm. */
import { type Command, InvalidArgumentError } from 'commander';
import type { ApiClient } from './api-client.ts';
import { type ConfirmOptions, YES } from './client-command.ts';
import { confirm } from './confirm.ts';
import { type Change, editObject } from './edit-object.ts';
import type { Output } from './output.ts';
import { readList } from './read-list.ts';
import { formatFields, formatTable } from './table.ts';

/** Objects of one kind, where the options of a command say. */
export interface Collection {
  readonly api: ApiClient;
  /** Of the list, or of one. */
  path(id?: string): string;
}

export interface ObjectKind<Options, T> {
  /** `role`, in sentences. */
  readonly noun: string;
  /** `roles` */
  readonly plural: string;
  /** What names one in the arguments, and what that is. */
  readonly argument: readonly [name: string, description: string];
  /** Checks it; default: takes anything, and lets the service judge. Throws {@link InvalidArgumentError}. */
  readonly parseId?: (text: string) => string;
  /** With the options of {@link open}. */
  addCommand(group: Command, name: string, description: string): Command;
  open(options: Options): Promise<Collection>;
  /** Cells of a list, by heading. */
  toRow(object: T): Readonly<Record<string, string>>;
  /** Lines of one, by name. */
  toFields(object: T): Readonly<Record<string, unknown>>;
}

function argumentOf<Options, T>({ argument: [name, description], parseId = String }: ObjectKind<Options, T>) {
  return [`<${name}>`, description, parseId] as const;
}

export function parseMost(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}

export function printList<T>(
  output: Output,
  kind: Pick<ObjectKind<never, T>, 'toRow' | 'plural'>,
  list: {
    readonly items: readonly T[];
    readonly isCut: boolean;
  },
): void {
  const rows = list.items.map(kind.toRow);
  const [first] = rows;
  const text =
    first === undefined
      ? ''
      : formatTable(
          Object.keys(first),
          rows.map((row) => Object.values(row)),
        );
  output.result(list.items, text);
  if (first === undefined) output.note(`No ${kind.plural}.`);
  if (list.isCut) output.note('There are more; --limit says how many are shown.');
}

/** @param toQuery filters of the API, from the options that the caller adds */
export function addListCommand<Options extends object, T>(
  group: Command,
  output: Output,
  kind: ObjectKind<Options, T>,
  toQuery: (options: Options) => Readonly<Record<string, string | undefined>> = () => ({}),
): Command {
  return kind
    .addCommand(group, 'list', `Lists the ${kind.plural}.`)
    .option('--limit <number>', 'show this many at most (default: all)', parseMost)
    .action(async (options: Options & { readonly limit?: number }) => {
      const { api, path } = await kind.open(options);
      const list = await readList<T>(api, path(), toQuery(options), options.limit ?? Number.POSITIVE_INFINITY);
      printList(output, kind, list);
    });
}

export function addShowCommand<Options, T>(group: Command, output: Output, kind: ObjectKind<Options, T>): Command {
  return kind
    .addCommand(group, 'show', `Shows the ${kind.noun}.`)
    .argument(...argumentOf(kind))
    .action(async (id: string, options: Options) => {
      const { api, path } = await kind.open(options);
      const object = await api.request<T>('GET', path(id));
      output.result(object, formatFields(kind.toFields(object)));
    });
}

/** @param toBody what the API takes, from the options that the caller adds */
export function addCreateCommand<Options, T>(
  group: Command,
  output: Output,
  kind: ObjectKind<Options, T>,
  {
    name = 'create',
    description,
    toBody,
  }: {
    readonly name?: string;
    readonly description: string;
    readonly toBody: (options: Options) => object;
  },
): Command {
  return kind.addCommand(group, name, description).action(async (options: Options) => {
    const body = toBody(options);
    const { api, path } = await kind.open(options);
    const created = await api.request<T>('POST', path(), body);
    output.result(created, formatFields(kind.toFields(created)));
  });
}

/** @param toChange what is to be changed, from the options that the caller adds */
export function addEditCommand<Options, T>(
  group: Command,
  output: Output,
  kind: ObjectKind<Options, T>,
  toChange: (options: Options, current: T) => Change | Promise<Change>,
): Command {
  return kind
    .addCommand(group, 'edit', `Changes what is named of the ${kind.noun}, and nothing else.`)
    .argument(...argumentOf(kind))
    .action(async (id: string, options: Options) => {
      const { api, path } = await kind.open(options);
      const edited = await editObject<T>(api, path(id), (current) => toChange(options, current));
      output.result(edited, formatFields(kind.toFields(edited)));
    });
}

/** @param consequence of the deletion, in a sentence for the question */
export function addRemoveCommand<Options extends object, T>(
  group: Command,
  output: Output,
  kind: ObjectKind<Options, T>,
  { description, consequence }: { readonly description: string; readonly consequence: string },
): Command {
  return kind
    .addCommand(group, 'rm', description)
    .argument(...argumentOf(kind))
    .option(...YES)
    .action(async (id: string, options: Options & ConfirmOptions) => {
      if (!options.yes) await confirm(`Delete the ${kind.noun} ${id}? ${consequence}`);
      const { api, path } = await kind.open(options);
      await api.request('DELETE', path(id));
      output.result({ id, deleted: true }, `${id} is deleted`);
    });
}

/** An empty text empties the field. */
export const textOrNull = (text: string | undefined): string | null | undefined => (text === '' ? null : text);

/** `-` where there is none. */
export const cell = (value: unknown): string => (value === null || value === undefined ? '-' : String(value));
