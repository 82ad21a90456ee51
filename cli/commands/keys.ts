import type { Command } from 'commander';
import { SERVICE_HELP } from '../client-command.ts';
import { addShowCommand } from '../object-commands.ts';
import type { Output } from '../output.ts';
import { addCreateKeyCommand } from './keys/create-key.ts';
import { addEditKeyCommand } from './keys/edit-key.ts';
import { addExplainKeyCommand } from './keys/explain-key.ts';
import { addKeySessionsCommands } from './keys/key-sessions.ts';
import { addKeyUsageCommand } from './keys/key-usage.ts';
import { addKeyValidityCommands } from './keys/key-validity.ts';
import { API_KEYS, addListKeysCommand } from './keys/list-keys.ts';
import { addRegenerateKeyCommand } from './keys/regenerate-key.ts';
import { addRemoveKeysCommand } from './keys/remove-keys.ts';

export function addKeysCommands(program: Command, output: Output): void {
  const group = program
    .command('keys')
    .helpCommand(false)
    .description('API keys of a running service.')
    .addHelpText('after', SERVICE_HELP);
  addListKeysCommand(group, output);
  addCreateKeyCommand(group, output);
  addShowCommand(group, output, API_KEYS);
  addEditKeyCommand(group, output);
  addRegenerateKeyCommand(group, output);
  addKeyValidityCommands(group, output);
  addRemoveKeysCommand(group, output);
  addExplainKeyCommand(group, output);
  addKeySessionsCommands(group, output);
  addKeyUsageCommand(group, output);
}
