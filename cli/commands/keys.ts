import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../../server/clock.ts';
import type { toApiKeyJson } from '../../server/http/api-key-schemas.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import { clientApiKey, readSecret, serviceUrl } from '../client-settings.ts';
import { CommandFailure } from '../command-failure.ts';
import { confirm } from '../confirm.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { jsonOption } from '../json-option.ts';
import type { Output } from '../output.ts';
import { formatFields, formatTable } from '../table.ts';

type ApiKeyJson = ReturnType<typeof toApiKeyJson>;

interface ClientOptions {
  readonly apiKeyFile?: string;
  readonly project?: string;
}

interface CreateOptions extends ClientOptions {
  readonly name: string;
  readonly description?: string;
  readonly permission?: readonly string[];
  readonly allowIp?: readonly string[];
  readonly expiresAt?: string;
  readonly chosenSecretFile?: string;
  readonly refreshTokens: boolean;
  readonly refreshRequiresClientAuth?: boolean;
}

interface Keys {
  readonly api: ApiClient;
  /** Of the API key in use. */
  readonly ownId: string;
  /** Of the list, or of one key. */
  path(id?: string): string;
}

async function openKeys({ apiKeyFile, project }: ClientOptions): Promise<Keys> {
  const api = createApiClient(serviceUrl(), await clientApiKey(apiKeyFile));
  const me = await api.request<{ key_id: string; project_id: string }>('GET', '/v1/me');
  const list = `/v1/projects/${encodeURIComponent(project ?? me.project_id)}/keys`;
  return { api, ownId: me.key_id, path: (id) => (id === undefined ? list : `${list}/${encodeURIComponent(id)}`) };
}

function stateOf({ is_valid, expires_at }: Pick<ApiKeyJson, 'is_valid' | 'expires_at'>): string {
  if (!is_valid) return 'revoked';
  return expires_at !== null && Date.parse(expires_at) <= systemClock.nowMs() ? 'expired' : 'valid';
}

function fieldsOf(key: ApiKeyJson): Record<string, unknown> {
  const { is_valid, roles, ...shown } = key;
  return { state: stateOf(key), ...shown };
}

async function create(output: Output, options: CreateOptions): Promise<void> {
  const { apiKeyFile, chosenSecretFile } = options;
  if (apiKeyFile === '-' && chosenSecretFile === '-')
    throw new CommandFailure(EXIT_CODES.usage, 'usage', 'only one of the two secrets can come from stdin');
  const { api, path } = await openKeys(options);
  const created = await api.request<ApiKeyJson & { client_secret: string }>('POST', path(), {
    name: options.name,
    description: options.description,
    permissions: options.permission,
    ip_allowlist: options.allowIp,
    expires_at: options.expiresAt,
    client_secret: chosenSecretFile === undefined ? undefined : await readSecret(chosenSecretFile),
    refresh_tokens: options.refreshTokens,
    refresh_requires_client_auth: options.refreshRequiresClientAuth,
  });
  const { client_secret, ...key } = created;
  const isChosen = chosenSecretFile !== undefined;
  output.result(created, formatFields({ ...fieldsOf(key), ...(isChosen ? {} : { client_secret }) }));
  if (!isChosen) output.note('The client_secret is the API key; it is shown only now.');
  if (created.permissions.length === 0)
    output.note('It has no permissions: its tokens say who it is, and allow nothing.');
  if (options.allowIp?.some((entry) => !created.ip_allowlist.includes(entry)))
    output.note(`The IP allowlist was stored as ${created.ip_allowlist.join(' ')}.`);
}

async function list(output: Output, options: ClientOptions): Promise<void> {
  const { api, path } = await openKeys(options);
  const keys: ApiKeyJson[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = new URLSearchParams({ limit: '200', ...(cursor === '' ? {} : { cursor }) });
    const page: { data: ApiKeyJson[]; next_cursor: string | null } = await api.request('GET', `${path()}?${query}`);
    keys.push(...page.data);
    cursor = page.next_cursor;
  }
  const rows = keys.map((key) => [
    key.id,
    key.name,
    key.client_id,
    stateOf(key),
    String(key.permissions.length),
    key.last_used_at ?? 'never',
    key.hint,
  ]);
  output.result(keys, formatTable(['id', 'name', 'client_id', 'state', 'permissions', 'last used', 'hint'], rows));
}

async function show(output: Output, id: string, options: ClientOptions): Promise<void> {
  const { api, path } = await openKeys(options);
  const key = await api.request<ApiKeyJson>('GET', path(id));
  output.result(key, formatFields(fieldsOf(key)));
}

async function setValidity(output: Output, id: string, isValid: boolean, { api, path }: Keys): Promise<void> {
  const key = await api.request<ApiKeyJson>('PATCH', path(id), { is_valid: isValid });
  output.result(key, `${key.id} (${JSON.stringify(key.name)}) is ${stateOf(key)}`);
}

/** Whoever revokes the key in hand can't restore it. */
async function revoke(output: Output, id: string, options: ClientOptions & { readonly yes?: boolean }): Promise<void> {
  const keys = await openKeys(options);
  if (!options.yes && keys.ownId === id)
    await confirm('This is the API key that you are using; only another one can restore it. Revoke it?');
  await setValidity(output, id, false, keys);
}

async function remove(output: Output, id: string, options: ClientOptions & { readonly yes?: boolean }): Promise<void> {
  if (!options.yes) await confirm(`Delete ${id} for good? Whatever uses it stops working.`);
  const { api, path } = await openKeys(options);
  await api.request('DELETE', path(id));
  output.result({ id, deleted: true }, `${id} is deleted`);
}

function parseKeyId(text: string): string {
  if (/^key_[0-9a-z]{26}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be the id of a key (key_…), not its client_id; keys list shows both.');
}

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

function addKeyCommand(group: Command, name: string, description: string): Command {
  return group
    .command(name)
    .description(description)
    .option('--project <project>', 'id or slug of the project (default: the project of the API key)')
    .option(
      '--api-key-file <path>',
      'file with the API key, - for stdin (default: KEYTURN_API_KEY or KEYTURN_API_KEY_FILE)',
    )
    .addOption(jsonOption());
}

function addCreateCommand(group: Command, output: Output): void {
  addKeyCommand(group, 'create', 'Creates an API key and prints its secret, once.')
    .requiredOption('--name <name>', 'unique in the project, 1 to 100 characters')
    .option('--description <text>', 'what it is for')
    .option('--permission <permission>', 'such as read:credential/prod-*; may be repeated', collect)
    .option('--allow-ip <cidr>', 'address or CIDR that may use the key (default: any); may be repeated', collect)
    .option('--expires-at <time>', 'RFC 3339, such as 2027-01-31T18:00:00Z (default: never)')
    .option('--chosen-secret-file <path>', 'file with a secret of your own, - for stdin (default: one is generated)')
    .option('--no-refresh-tokens', 'exchanges of this key give an access token only')
    .option('--refresh-requires-client-auth', 'a refresh must present the key too')
    .addHelpText(
      'after',
      "\nExamples:\n  $ keyturn keys create --name ci-runner --permission 'read:credential/prod-*' --allow-ip 203.0.113.0/24\n" +
        '  $ pass show keyturn | keyturn keys create --api-key-file - --name nightly --json',
    )
    .action((options) => create(output, options));
}

export function addKeysCommands(program: Command, output: Output): void {
  const group = program
    .command('keys')
    .helpCommand(false)
    .description('API keys of a running service.')
    .addHelpText(
      'after',
      '\nThe service is at KEYTURN_URL (default: KEYTURN_ISSUER, else http://127.0.0.1:8080).\n' +
        'The API key comes from KEYTURN_API_KEY, the file KEYTURN_API_KEY_FILE, or --api-key-file.',
    );
  addCreateCommand(group, output);
  addKeyCommand(group, 'list', 'Lists the API keys of a project, all pages of them.').action((options) =>
    list(output, options),
  );
  addKeyCommand(group, 'show', 'Shows an API key.')
    .argument('<id>', 'id of the key (key_…)', parseKeyId)
    .action((id, options) => show(output, id, options));
  addKeyCommand(group, 'revoke', 'Makes an API key invalid, until it is restored.')
    .argument('<id>', 'id of the key (key_…), not its client_id', parseKeyId)
    .option('--yes', 'do not ask when it is the key in use; needed then where there is no terminal')
    .action((id, options) => revoke(output, id, options));
  addKeyCommand(group, 'restore', 'Makes a revoked API key valid again.')
    .argument('<id>', 'id of the key (key_…)', parseKeyId)
    .action(async (id, options) => setValidity(output, id, true, await openKeys(options)));
  addKeyCommand(group, 'delete', 'Deletes an API key for good; asks first.')
    .argument('<id>', 'id of the key (key_…)', parseKeyId)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .action((id, options) => remove(output, id, options));
}
