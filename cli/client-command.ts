/** What the commands that talk to a running service have in common. */
import type { Command } from 'commander';
import { type ApiClient, createApiClient } from './api-client.ts';
import { clientApiKey, serviceUrl } from './client-settings.ts';
import { jsonOption } from './json-option.ts';

export interface ClientOptions {
  readonly apiKeyFile?: string;
  readonly project?: string;
}

export interface ConfirmOptions {
  readonly yes?: boolean;
}

/** For the help of every group of such commands. */
export const SERVICE_HELP =
  '\nThe service is at KEYTURN_URL (default: KEYTURN_ISSUER, else http://127.0.0.1:8080).\n' +
  'The API key comes from KEYTURN_API_KEY, the file KEYTURN_API_KEY_FILE, or --api-key-file.';

/** Of commands on what belongs to no project. */
export function addClientCommand(group: Command, name: string, description: string): Command {
  return group
    .command(name)
    .description(description)
    .option(
      '--api-key-file <path>',
      'file with the API key, - for stdin (default: KEYTURN_API_KEY or KEYTURN_API_KEY_FILE)',
    )
    .addOption(jsonOption());
}

/** Of commands in a project. */
export function addProjectCommand(group: Command, name: string, description: string): Command {
  return addClientCommand(group, name, description).option(
    '--project <project>',
    'id or slug of the project (default: the project of the API key)',
  );
}

/** Of commands that ask first. */
export const YES = ['--yes', 'do not ask; needed where there is no terminal'] as const;

/** Of options that may be repeated. */
export const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

export async function openService({ apiKeyFile }: ClientOptions): Promise<ApiClient> {
  return createApiClient(serviceUrl(), await clientApiKey(apiKeyFile));
}

export interface OpenProject {
  readonly api: ApiClient;
  /** Of something in the project: `path('keys', id)`. */
  path(...segments: readonly string[]): string;
  /** Id of the API key in use. */
  ownKeyId(): Promise<string>;
}

export async function openProject(options: ClientOptions): Promise<OpenProject> {
  const api = await openService(options);
  let me: Promise<{ readonly key_id: string; readonly project_id: string }> | null = null;
  function readMe() {
    me ??= api.request('GET', '/v1/me');
    return me;
  }
  const project = options.project ?? (await readMe()).project_id;
  return {
    api,
    path: (...segments) => `/v1/${['projects', project, ...segments].map(encodeURIComponent).join('/')}`,
    ownKeyId: async () => (await readMe()).key_id,
  };
}
