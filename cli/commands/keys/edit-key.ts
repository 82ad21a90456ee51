import type { Command } from 'commander';
import { addProjectCommand, type ClientOptions, type OpenProject, openProject } from '../../client-command.ts';
import { type Change, editObject } from '../../edit-object.ts';
import { addListOptions, editList, listEditOf } from '../../list-options.ts';
import { textOrNull } from '../../object-commands.ts';
import type { Output } from '../../output.ts';
import { parseExpiry, toExpiry } from '../../parse-time.ts';
import { PERMISSION_LIST } from '../../permission-list.ts';
import { editAssignments, ROLE_LIST } from '../../role-assignments.ts';
import { formatFields } from '../../table.ts';
import { ALLOWLIST, type ApiKeyJson, allowlistNote, fieldsOf, parseKeyId } from './api-key-json.ts';

interface EditOptions extends ClientOptions {
  readonly name?: string;
  readonly description?: string;
  readonly owner?: string;
  readonly expiresAt?: string;
  readonly refreshTokens?: boolean;
  readonly refreshRequiresClientAuth?: boolean;
}

async function toChange(project: OpenProject, options: EditOptions, current: ApiKeyJson): Promise<Change> {
  const editOf = (list: typeof ALLOWLIST) => listEditOf(options, list);
  return {
    name: options.name,
    description: textOrNull(options.description),
    owner_id: options.owner,
    permissions: editList(current.permissions, editOf(PERMISSION_LIST), PERMISSION_LIST),
    roles: await editAssignments(project, current.roles, editOf(ROLE_LIST)),
    ip_allowlist: editList(current.ip_allowlist, editOf(ALLOWLIST), ALLOWLIST),
    expires_at: toExpiry(options.expiresAt),
    refresh_tokens: options.refreshTokens,
    refresh_requires_client_auth: options.refreshRequiresClientAuth,
  };
}

async function editKey(output: Output, id: string, options: EditOptions): Promise<void> {
  const project = await openProject(options);
  const path = project.path('keys', id);
  const edited = await editObject<ApiKeyJson>(project.api, path, (current) => toChange(project, options, current));
  output.result(edited, formatFields(fieldsOf(edited)));
  const { whole = [], added } = listEditOf(options, ALLOWLIST);
  const stored = allowlistNote([...whole, ...added], edited);
  if (stored !== undefined) output.note(stored);
}

export function addEditKeyCommand(group: Command, output: Output): void {
  const command = addProjectCommand(group, 'edit', 'Changes what is named of an API key, and nothing else.')
    .argument('<key>', 'id of the key (key_…)', parseKeyId)
    .option('--name <name>', 'another name; the client_id stays')
    .option('--description <text>', "what it is for; '' for nothing")
    .option('--owner <user>', 'id of the user answerable for it');
  for (const list of [PERMISSION_LIST, ROLE_LIST, ALLOWLIST]) addListOptions(command, list);
  command
    .option('--expires-at <time>', '2027-01-31T18:00:00Z, 2027-01-31, 90d from now, or never', parseExpiry)
    .option('--refresh-tokens', 'exchanges give a refresh token too')
    .option('--no-refresh-tokens', 'exchanges give an access token only')
    .option('--refresh-requires-client-auth', 'a refresh must present the key too')
    .option('--no-refresh-requires-client-auth', 'the refresh token alone is enough')
    .addHelpText(
      'after',
      '\nIt acts at once: the next exchange or refresh has it, with the same secret.\n' +
        '\nExamples:\n  $ keyturn keys edit key_… --add-permission read:credential/prod-db --remove-permission read:credential\n' +
        '  $ keyturn keys edit key_… --add-role viewer@staging --expires-at 30d',
    )
    .action((id, options) => editKey(output, id, options));
}
