import type { Command } from 'commander';
import { addProjectCommand, type ClientOptions, openProject, SERVICE_HELP } from '../client-command.ts';
import {
  addCreateCommand,
  addEditCommand,
  addListCommand,
  addRemoveCommand,
  addShowCommand,
  cell,
  type ObjectKind,
  textOrNull,
} from '../object-commands.ts';
import type { Output } from '../output.ts';

interface WorkspaceJson {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  readonly created_at: string;
}

interface WorkspaceOptions extends ClientOptions {
  readonly name?: string;
  readonly slug?: string;
  readonly description?: string;
}

const WORKSPACES: ObjectKind<ClientOptions, WorkspaceJson> = {
  noun: 'workspace',
  plural: 'workspaces',
  argument: ['workspace', 'id or slug of the workspace'],
  addCommand: addProjectCommand,
  async open(options) {
    const { api, path } = await openProject(options);
    return { api, path: (id) => (id === undefined ? path('workspaces') : path('workspaces', id)) };
  },
  toRow: ({ id, slug, name, created_at }) => ({ id, slug, name, created: cell(created_at) }),
  toFields: (workspace) => ({ ...workspace }),
};

export function addWorkspacesCommands(program: Command, output: Output): void {
  const group = program
    .command('workspaces')
    .helpCommand(false)
    .description('Workspaces: parts of a project, in which a role can be given.')
    .addHelpText('after', SERVICE_HELP);
  addListCommand(group, output, WORKSPACES);
  addCreateCommand<WorkspaceOptions, WorkspaceJson>(group, output, WORKSPACES, {
    description: 'Creates a workspace.',
    toBody: ({ name, slug, description }) => ({ name, slug, description }),
  })
    .requiredOption('--name <name>', 'for people')
    .option('--slug <slug>', 'stands for the id and in permissions, and never changes (default: made from the name)')
    .option('--description <text>', 'what it is for');
  addShowCommand(group, output, WORKSPACES);
  addEditCommand<WorkspaceOptions, WorkspaceJson>(group, output, WORKSPACES, ({ name, description }) => ({
    name,
    description: textOrNull(description),
  }))
    .option('--name <name>', 'another name; the slug stays')
    .option('--description <text>', "what it is for; '' for nothing");
  addRemoveCommand(group, output, WORKSPACES, {
    description: 'Deletes a workspace in which no role is given; asks first.',
    consequence: '',
  });
}
