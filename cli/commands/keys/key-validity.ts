import type { Command } from 'commander';
import {
  addProjectCommand,
  type ClientOptions,
  type ConfirmOptions,
  type OpenProject,
  openProject,
} from '../../client-command.ts';
import { confirm } from '../../confirm.ts';
import type { Output } from '../../output.ts';
import { type ApiKeyJson, parseKeyId, stateOf } from './api-key-json.ts';

async function setValidity(output: Output, id: string, isValid: boolean, { api, path }: OpenProject): Promise<void> {
  const key = await api.request<ApiKeyJson>('PATCH', path('keys', id), { is_valid: isValid });
  output.result(key, `${key.id} (${JSON.stringify(key.name)}) is ${stateOf(key)}`);
}

/** Whoever revokes the key in hand can't restore it. */
async function revoke(output: Output, id: string, options: ClientOptions & ConfirmOptions): Promise<void> {
  const project = await openProject(options);
  if (!options.yes && (await project.ownKeyId()) === id)
    await confirm('This is the API key that you are using; only another one can restore it. Revoke it?');
  await setValidity(output, id, false, project);
}

export function addKeyValidityCommands(group: Command, output: Output): void {
  addProjectCommand(group, 'revoke', 'Makes an API key invalid, until it is restored.')
    .argument('<key>', 'id of the key (key_…), not its client_id', parseKeyId)
    .option('--yes', 'do not ask when it is the key in use; needed then where there is no terminal')
    .action((id, options) => revoke(output, id, options));
  addProjectCommand(group, 'restore', 'Makes a revoked API key valid again.')
    .argument('<key>', 'id of the key (key_…)', parseKeyId)
    .action(async (id, options) => setValidity(output, id, true, await openProject(options)));
}
