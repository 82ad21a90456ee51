import type { Command } from 'commander';
import { addClientCommand, type ClientOptions, collect, openService, SERVICE_HELP } from '../client-command.ts';
import { addListOptions, type EditedList, editList, listEditOf } from '../list-options.ts';
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

interface ProjectJson {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  readonly audiences: readonly string[];
  readonly created_at: string;
}

interface CreateOptions extends ClientOptions {
  readonly name: string;
  readonly slug?: string;
  readonly description?: string;
  readonly audience?: readonly string[];
}

const AUDIENCE_LIST: EditedList = { whole: 'audience', entry: 'audience', list: 'audiences', value: '<uri>' };

const PROJECTS: ObjectKind<ClientOptions, ProjectJson> = {
  noun: 'project',
  plural: 'projects',
  argument: ['project', 'id or slug of the project'],
  addCommand: addClientCommand,
  async open(options) {
    const api = await openService(options);
    return { api, path: (id) => (id === undefined ? '/v1/projects' : `/v1/projects/${encodeURIComponent(id)}`) };
  },
  toRow: ({ id, slug, name, audiences, created_at }) => ({
    id,
    slug,
    name,
    audiences: audiences.join(' ') || '-',
    created: cell(created_at),
  }),
  toFields: (project) => ({ ...project }),
};

function addEditProjectCommand(group: Command, output: Output): void {
  const command = addEditCommand<ClientOptions & Partial<CreateOptions>, ProjectJson>(
    group,
    output,
    PROJECTS,
    (options, current) => {
      const edit = listEditOf(options, AUDIENCE_LIST);
      const audiences = editList(current.audiences, edit, AUDIENCE_LIST);
      return { name: options.name, description: textOrNull(options.description), audiences };
    },
  )
    .option('--name <name>', 'another name; the slug stays')
    .option('--description <text>', "what it is for; '' for nothing");
  addListOptions(command, AUDIENCE_LIST);
}

export function addProjectsCommands(program: Command, output: Output): void {
  const group = program
    .command('projects')
    .helpCommand(false)
    .description('Projects of a running service: those that the API key may see.')
    .addHelpText('after', SERVICE_HELP);
  addListCommand(group, output, PROJECTS);
  addCreateCommand<CreateOptions, ProjectJson>(group, output, PROJECTS, {
    description: 'Creates a project; you become its administrator.',
    toBody: ({ name, slug, description, audience }) => ({ name, slug, description, audiences: audience }),
  })
    .requiredOption('--name <name>', 'for people')
    .option('--slug <slug>', 'stands for the id, and never changes (default: made from the name)')
    .option('--description <text>', 'what it is for')
    .option('--audience <uri>', 'aud of its access tokens (default: the issuer); may be repeated', collect);
  addShowCommand(group, output, PROJECTS);
  addEditProjectCommand(group, output);
  addRemoveCommand(group, output, PROJECTS, {
    description: 'Deletes a project that has no API keys; asks first.',
    consequence: 'Its roles, workspaces and members go with it.',
  });
}
