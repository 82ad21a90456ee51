import { type Command, Option } from 'commander';
import { addProjectCommand, type ClientOptions, openProject } from '../../client-command.ts';
import { cell, type ObjectKind, parseMost, printList } from '../../object-commands.ts';
import type { Output } from '../../output.ts';
import { parseFutureTime, parsePastTime } from '../../parse-time.ts';
import { readList } from '../../read-list.ts';
import { roleIdOf, workspaceIdOf } from '../../role-assignments.ts';
import { type ApiKeyJson, fieldsOf, parseKeyId, stateOf } from './api-key-json.ts';

interface ListOptions extends ClientOptions {
  readonly query?: string;
  readonly owner?: string;
  readonly permission?: string;
  readonly role?: string;
  readonly workspace?: string;
  readonly invalid?: boolean;
  readonly valid?: boolean;
  readonly unusedSince?: string;
  readonly expiresBefore?: string;
  readonly sort?: string;
  readonly limit?: number;
}

const SORTS = ['created_at', 'name', 'last_used_at', 'expires_at'].flatMap((sort) => [sort, `-${sort}`]);

export const API_KEYS: ObjectKind<ClientOptions, ApiKeyJson> = {
  noun: 'API key',
  plural: 'API keys',
  argument: ['key', 'id of the key (key_…)'],
  parseId: parseKeyId,
  addCommand: addProjectCommand,
  async open(options) {
    const { api, path } = await openProject(options);
    return { api, path: (id) => (id === undefined ? path('keys') : path('keys', id)) };
  },
  toRow: (key) => ({
    id: key.id,
    name: key.name,
    client_id: key.client_id,
    state: stateOf(key),
    permissions: String(key.effective_permissions.length),
    expires: cell(key.expires_at),
    'last used': key.last_used_at ?? 'never',
    hint: key.hint,
  }),
  toFields: fieldsOf,
};

async function listKeys(output: Output, { limit = Number.POSITIVE_INFINITY, ...options }: ListOptions): Promise<void> {
  const project = await openProject(options);
  const { role, workspace } = options;
  const query = {
    q: options.query,
    owner_id: options.owner,
    permission: options.permission,
    role_id: role && (await roleIdOf(project, role)),
    workspace_id: workspace && (await workspaceIdOf(project, workspace)),
    is_valid: (options.invalid && 'false') || (options.valid && 'true') || undefined,
    unused_since: options.unusedSince,
    expires_before: options.expiresBefore,
    sort: options.sort,
  };
  printList(output, API_KEYS, await readList<ApiKeyJson>(project.api, project.path('keys'), query, limit));
}

export function addListKeysCommand(group: Command, output: Output): void {
  addProjectCommand(group, 'list', 'Lists the API keys of a project.')
    .option('--query <words>', 'words of the name, or their beginnings; a client_id; an id')
    .option('--owner <user>', 'of this user (usr_…)')
    .option('--permission <permission>', 'that may do this, by a role too: read:credential/prod-db')
    .option('--role <role>', 'that have this role (id or slug)')
    .option('--workspace <workspace>', 'that have a role in this workspace (id or slug)')
    .option('--valid', 'not revoked')
    .addOption(new Option('--invalid', 'revoked').conflicts('valid'))
    .option('--unused-since <time>', 'not used since then: 90d, 2027-01-31', parsePastTime)
    .option('--expires-before <time>', 'that expire before then: 30d, 2027-01-31', parseFutureTime)
    .addOption(new Option('--sort <order>', 'order of the list; - turns it round').choices(SORTS))
    .option('--limit <number>', 'show this many at most (default: all)', parseMost)
    .addHelpText(
      'after',
      '\nSeveral filters must all hold.\n' +
        '\nExamples:\n  $ keyturn keys list --unused-since 90d --sort last_used_at\n' +
        "  $ keyturn keys list --unused-since 180d --json | jq -r '.[].id' | xargs -r keyturn keys rm --yes",
    )
    .action((options) => listKeys(output, options));
}
