import type { Command } from 'commander';
import { jsonOption } from '../json-option.ts';
import type { Output } from '../output.ts';

// Loaded when asked for: the stores and the service take longer to load than all the rest.
const load = () => import('../local/signing-keys.ts');

export function addSigningKeysCommands(program: Command, output: Output): void {
  const group = program
    .command('signing-keys')
    .helpCommand(false)
    .description('The keys that sign access tokens. Works on DATABASE_URL itself, with the settings of the service.');
  group
    .command('list')
    .description('Lists every signing key with its state and times; changes nothing.')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nStates: pending (published, not yet used), active (signs), retiring (verifies only), retired.',
    )
    .action(async () => (await load()).listSigningKeys(output));
  group
    .command('rotate')
    .description('Publishes a new signing key, which takes over 15 minutes later; says when.')
    .addOption(jsonOption())
    .addHelpText('after', '\nKEYTURN_MASTER_KEY and KEYTURN_SIGNING_ALG must be those of the service.')
    .action(async () => (await load()).rotateSigningKey(output));
  group
    .command('revoke')
    .description('Takes a signing key out of the key set at once, as after a leak; makes another where none is left.')
    .argument('<kid>', 'the key, as signing-keys list names it')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  $ keyturn signing-keys revoke 2Yj8GdM1J1c5o8m0aW3Rk7m9t0qU4c6X1n8b5e2f7hA')
    .action(async (kid) => (await load()).revokeSigningKey(output, kid));
}
