import type { Command } from 'commander';
import { addProjectCommand, type ClientOptions, collect, openProject, SERVICE_HELP } from '../client-command.ts';
import { addListOptions, editList, listEditOf } from '../list-options.ts';
import {
  addCreateCommand,
  addEditCommand,
  addListCommand,
  addRemoveCommand,
  addShowCommand,
  type ObjectKind,
  textOrNull,
} from '../object-commands.ts';
import type { Output } from '../output.ts';
import { PERMISSION_LIST } from '../permission-list.ts';

interface RoleJson {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  readonly permissions: readonly string[];
  readonly is_built_in: boolean;
}

interface RoleOptions extends ClientOptions {
  readonly name?: string;
  readonly slug?: string;
  readonly description?: string;
  readonly permission?: readonly string[];
}

const ROLES: ObjectKind<ClientOptions, RoleJson> = {
  noun: 'role',
  plural: 'roles',
  argument: ['role', 'id or slug of the role'],
  addCommand: addProjectCommand,
  async open(options) {
    const { api, path } = await openProject(options);
    return { api, path: (id) => (id === undefined ? path('roles') : path('roles', id)) };
  },
  toRow: ({ id, slug, name, is_built_in, permissions }) => ({
    id,
    slug,
    name,
    'built in': is_built_in ? 'yes' : 'no',
    permissions: permissions.join(' ') || '-',
  }),
  toFields: (role) => ({ ...role }),
};

function addEditRoleCommand(group: Command, output: Output): void {
  const command = addEditCommand<RoleOptions, RoleJson>(group, output, ROLES, (options, current) => {
    const edit = listEditOf(options, PERMISSION_LIST);
    return {
      name: options.name,
      description: textOrNull(options.description),
      permissions: editList(current.permissions, edit, PERMISSION_LIST),
    };
  })
    .option('--name <name>', 'another name; the slug stays')
    .option('--description <text>', "what it is for; '' for nothing");
  addListOptions(command, PERMISSION_LIST).addHelpText(
    'after',
    '\nEvery API key and member that has it changes with it.',
  );
}

export function addRolesCommands(program: Command, output: Output): void {
  const group = program
    .command('roles')
    .helpCommand(false)
    .description('Roles: named sets of permissions, given to API keys and members.')
    .addHelpText('after', SERVICE_HELP);
  addListCommand(group, output, ROLES);
  addCreateCommand<RoleOptions, RoleJson>(group, output, ROLES, {
    description: 'Creates a role.',
    toBody: ({ name, slug, description, permission }) => ({ name, slug, description, permissions: permission }),
  })
    .requiredOption('--name <name>', 'for people')
    .option('--slug <slug>', 'stands for the id, and never changes (default: made from the name)')
    .option('--description <text>', 'what it is for')
    .option('--permission <permission>', 'such as read:credential/prod-*; may be repeated', collect);
  addShowCommand(group, output, ROLES);
  addEditRoleCommand(group, output);
  addRemoveCommand(group, output, ROLES, {
    description: 'Deletes a role that nobody has; asks first.',
    consequence: '',
  });
}
