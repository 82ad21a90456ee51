import type { Command } from 'commander';
import { addClientCommand, type ClientOptions, collect, openService, SERVICE_HELP } from '../client-command.ts';
import { addListOptions, editList, listEditOf } from '../list-options.ts';
import {
  addEditCommand,
  addListCommand,
  addRemoveCommand,
  addShowCommand,
  cell,
  type ObjectKind,
} from '../object-commands.ts';
import type { Output } from '../output.ts';
import { PERMISSION_LIST } from '../permission-list.ts';
import { formatFields } from '../table.ts';

interface UserJson {
  readonly id: string;
  readonly email: string | null;
  readonly name: string;
  readonly permissions: readonly string[];
  readonly created_at: string;
}

interface InvitedJson {
  /** One-time, not stored. */
  readonly invitation_url: string;
}

interface UserOptions extends ClientOptions {
  readonly email?: string;
  readonly name?: string;
  readonly permission?: readonly string[];
}

const USERS: ObjectKind<ClientOptions, UserJson> = {
  noun: 'user',
  plural: 'users',
  argument: ['user', 'id of the user (usr_…)'],
  addCommand: addClientCommand,
  async open(options) {
    const api = await openService(options);
    return { api, path: (id) => (id === undefined ? '/v1/users' : `/v1/users/${encodeURIComponent(id)}`) };
  },
  toRow: ({ id, email, name, created_at }) => ({ id, email: cell(email), name, created: created_at }),
  toFields: (user) => ({ ...user }),
};

function printInvitation(output: Output, answer: InvitedJson & Readonly<Record<string, unknown>>): void {
  output.result(answer, formatFields(answer));
  output.note('The invitation_url works once and is shown only now: whoever opens it sets the password.');
}

async function createUser(output: Output, { email, name, permission, ...options }: UserOptions): Promise<void> {
  const { api, path } = await USERS.open(options);
  printInvitation(output, await api.request('POST', path(), { email, name, permissions: permission }));
}

async function inviteUser(output: Output, id: string, options: ClientOptions): Promise<void> {
  const { api, path } = await USERS.open(options);
  printInvitation(output, await api.request('POST', `${path(id)}/invitation`));
}

function addEditUserCommand(group: Command, output: Output): void {
  const command = addEditCommand<UserOptions, UserJson>(group, output, USERS, (options, current) => {
    const edit = listEditOf(options, PERMISSION_LIST);
    const permissions = editList(current.permissions, edit, PERMISSION_LIST);
    return { email: options.email, name: options.name, permissions };
  })
    .option('--email <email>', 'another e-mail address')
    .option('--name <name>', 'another name');
  addListOptions(command, PERMISSION_LIST);
}

export function addUsersCommands(program: Command, output: Output): void {
  const group = program
    .command('users')
    .helpCommand(false)
    .description('Users of the whole installation.')
    .addHelpText('after', SERVICE_HELP);
  addListCommand<ClientOptions & { readonly query?: string }, UserJson>(group, output, USERS, ({ query }) => ({
    q: query,
  })).option('--query <text>', 'beginning of the e-mail address');
  addClientCommand(group, 'create', 'Creates a user and prints a one-time invitation link.')
    .requiredOption('--email <email>', 'e-mail address to sign in with')
    .requiredOption('--name <name>', 'for people')
    .option(
      '--permission <permission>',
      'on the installation: *:keyturn-installation (default: none); may be repeated',
      collect,
    )
    .action((options) => createUser(output, options));
  addShowCommand(group, output, USERS);
  addEditUserCommand(group, output);
  addClientCommand(group, 'invite', 'Makes a new invitation link for a user; earlier ones that were not used end.')
    .argument('<user>', 'id of the user (usr_…)')
    .action((id, options) => inviteUser(output, id, options));
  addRemoveCommand(group, output, USERS, {
    description: 'Deletes a user; asks first.',
    consequence: 'Their memberships go; API keys that they own stay.',
  });
}
