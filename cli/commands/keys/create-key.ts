import type { Command } from 'commander';
import { addProjectCommand, type ClientOptions, collect, openProject } from '../../client-command.ts';
import { readChosenSecret } from '../../client-settings.ts';
import type { Output } from '../../output.ts';
import { parseExpiry, toExpiry } from '../../parse-time.ts';
import { collectAssignment, toAssignment } from '../../role-assignments.ts';
import { allowlistNote, type CreatedApiKeyJson } from './api-key-json.ts';
import { printSecretOnce } from './print-secret-once.ts';

interface CreateOptions extends ClientOptions {
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
  readonly permission?: readonly string[];
  readonly role?: readonly string[];
  readonly allowIp?: readonly string[];
  readonly expiresAt?: string;
  readonly chosenSecretFile?: string;
  readonly refreshTokens: boolean;
  readonly refreshRequiresClientAuth?: boolean;
}

async function createKey(output: Output, options: CreateOptions): Promise<void> {
  const { chosenSecretFile, allowIp = [] } = options;
  const clientSecret = await readChosenSecret(options);
  const { api, path } = await openProject(options);
  const created = await api.request<CreatedApiKeyJson>('POST', path('keys'), {
    name: options.name,
    description: options.description,
    owner_id: options.owner,
    permissions: options.permission,
    roles: options.role?.map(toAssignment),
    ip_allowlist: options.allowIp,
    expires_at: toExpiry(options.expiresAt),
    client_secret: clientSecret,
    refresh_tokens: options.refreshTokens,
    refresh_requires_client_auth: options.refreshRequiresClientAuth,
  });
  printSecretOnce(output, created, chosenSecretFile !== undefined);
  if (created.effective_permissions.length === 0)
    output.note('It has no permissions: its tokens say who it is, and allow nothing.');
  const stored = allowlistNote(allowIp, created);
  if (stored !== undefined) output.note(stored);
}

export function addCreateKeyCommand(group: Command, output: Output): void {
  addProjectCommand(group, 'create', 'Creates an API key and prints its secret, once.')
    .requiredOption('--name <name>', 'unique in the project, 1 to 100 characters')
    .option('--description <text>', 'what it is for')
    .option('--owner <user>', 'id of the user answerable for it (default: you)')
    .option('--permission <permission>', 'such as read:credential/prod-*; may be repeated', collect)
    .option(
      '--role <role[@workspace]>',
      'role to give it, in the whole project or in a workspace; may be repeated',
      collectAssignment,
    )
    .option('--allow-ip <cidr>', 'address or CIDR that may use the key (default: any); may be repeated', collect)
    .option('--expires-at <time>', '2027-01-31T18:00:00Z, 2027-01-31 or 90d (default: never)', parseExpiry)
    .option('--chosen-secret-file <path>', 'file with a secret of your own, - for stdin (default: one is generated)')
    .option('--no-refresh-tokens', 'exchanges of this key give an access token only')
    .option('--refresh-requires-client-auth', 'a refresh must present the key too')
    .addHelpText(
      'after',
      "\nExamples:\n  $ keyturn keys create --name ci-runner --permission 'read:credential/prod-*' --allow-ip 203.0.113.0/24\n" +
        '  $ keyturn keys create --name deploy --role deployer@staging --expires-at 90d\n' +
        '  $ pass show keyturn | keyturn keys create --api-key-file - --name nightly --json',
    )
    .action((options) => createKey(output, options));
}
