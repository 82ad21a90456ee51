import type { Command } from 'commander';
import { addProjectCommand, type ClientOptions, openProject, SERVICE_HELP } from '../client-command.ts';
import { CommandFailure } from '../command-failure.ts';
import { editObject } from '../edit-object.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { addListOptions, listEditOf } from '../list-options.ts';
import {
  addCreateCommand,
  addListCommand,
  addRemoveCommand,
  addShowCommand,
  cell,
  type ObjectKind,
} from '../object-commands.ts';
import type { Output } from '../output.ts';
import {
  type AssignmentJson,
  collectAssignment,
  editAssignments,
  formatAssignment,
  ROLE_LIST,
  toAssignment,
} from '../role-assignments.ts';
import { formatFields } from '../table.ts';

interface MemberJson {
  readonly user_id: string;
  readonly email: string | null;
  readonly name: string;
  readonly roles: readonly AssignmentJson[];
  readonly permissions: readonly string[];
}

interface AddOptions extends ClientOptions {
  readonly user?: string;
  readonly email?: string;
  readonly role?: readonly string[];
}

const MEMBERS: ObjectKind<ClientOptions, MemberJson> = {
  noun: 'member',
  plural: 'members',
  argument: ['user', 'id of the user (usr_…)'],
  addCommand: addProjectCommand,
  async open(options) {
    const { api, path } = await openProject(options);
    return { api, path: (id) => (id === undefined ? path('members') : path('members', id)) };
  },
  toRow: ({ user_id, email, name, roles }) => ({
    user: user_id,
    email: cell(email),
    name,
    roles: roles.map(formatAssignment).join(' ') || '-',
  }),
  toFields: (member) => ({ ...member, roles: member.roles.map(formatAssignment) }),
};

function addAddMemberCommand(group: Command, output: Output): void {
  addCreateCommand<AddOptions, MemberJson>(group, output, MEMBERS, {
    name: 'add',
    description: 'Makes a user a member of the project.',
    toBody({ user, email, role = [] }) {
      if ((user === undefined) === (email === undefined))
        throw new CommandFailure(EXIT_CODES.usage, 'usage', 'name the user by one of --user and --email');
      return { user_id: user, email, roles: role.map(toAssignment) };
    },
  })
    .option('--user <user>', 'id of the user (usr_…)')
    .option('--email <email>', 'e-mail address of the user, who must exist; members invite makes one')
    .option('--role <role[@workspace]>', 'role to give them; may be repeated', collectAssignment);
}

interface InviteOptions extends ClientOptions {
  readonly email: string;
  readonly name: string;
  readonly role?: readonly string[];
}

async function inviteMember(output: Output, { email, name, role = [], ...options }: InviteOptions): Promise<void> {
  const { api, path } = await openProject(options);
  const invitation = await api.request<{ invitation_url: string | null; roles: readonly AssignmentJson[] }>(
    'POST',
    path('invitations'),
    { email, name, roles: role.map(toAssignment) },
  );
  output.result(invitation, formatFields({ ...invitation, roles: invitation.roles.map(formatAssignment) }));
  output.note(
    invitation.invitation_url === null
      ? 'This user has been set up elsewhere: there is no link, and nothing to do.'
      : 'The invitation_url works once and is shown only now: whoever opens it sets the password.',
  );
}

function addInviteMemberCommand(group: Command, output: Output): void {
  addProjectCommand(
    group,
    'invite',
    'Makes somebody a member by e-mail address; for a new user, prints a one-time link.',
  )
    .requiredOption('--email <email>', 'e-mail address to sign in with')
    .requiredOption('--name <name>', 'of a new user, for people')
    .option('--role <role[@workspace]>', 'role to give them; may be repeated', collectAssignment)
    .action((options) => inviteMember(output, options));
}

async function editMember(output: Output, id: string, options: ClientOptions): Promise<void> {
  const project = await openProject(options);
  const edit = listEditOf(options, ROLE_LIST);
  const edited = await editObject<MemberJson>(project.api, project.path('members', id), async ({ roles }) => ({
    roles: await editAssignments(project, roles, edit),
  }));
  output.result(edited, formatFields(MEMBERS.toFields(edited)));
}

export function addMembersCommands(program: Command, output: Output): void {
  const group = program
    .command('members')
    .helpCommand(false)
    .description('Members: the users of a project, and their roles in it.')
    .addHelpText('after', SERVICE_HELP);
  addListCommand(group, output, MEMBERS);
  addAddMemberCommand(group, output);
  addInviteMemberCommand(group, output);
  addShowCommand(group, output, MEMBERS);
  const edit = addProjectCommand(group, 'edit', 'Changes the roles of a member.')
    .argument('<user>', 'id of the user (usr_…)')
    .action((id, options) => editMember(output, id, options));
  addListOptions(edit, ROLE_LIST);
  addRemoveCommand(group, output, MEMBERS, {
    description: 'Takes a user out of the project; asks first.',
    consequence: 'The user stays; what they may do in this project does not.',
  });
}
