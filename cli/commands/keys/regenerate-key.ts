import { type Command, InvalidArgumentError } from 'commander';
import { addProjectCommand, type ClientOptions, type ConfirmOptions, openProject } from '../../client-command.ts';
import { readChosenSecret } from '../../client-settings.ts';
import { confirm } from '../../confirm.ts';
import type { Output } from '../../output.ts';
import { parseDuration } from '../../parse-time.ts';
import { type CreatedApiKeyJson, parseKeyId } from './api-key-json.ts';
import { printSecretOnce } from './print-secret-once.ts';

interface RegenerateOptions extends ClientOptions, ConfirmOptions {
  /** Seconds. */
  readonly overlap: number;
  readonly chosenSecretFile?: string;
}

/** What the API takes, in its unit. */
const MAX_OVERLAP_SECONDS = 604_800;

function parseOverlap(text: string): number {
  const seconds = parseDuration(text);
  // The API would say it in seconds, which nobody has typed.
  if (seconds > MAX_OVERLAP_SECONDS) throw new InvalidArgumentError('It must be 7d at most.');
  return seconds;
}

async function regenerateKey(output: Output, id: string, options: RegenerateOptions): Promise<void> {
  const { overlap, chosenSecretFile, yes } = options;
  if (overlap === 0 && !yes)
    await confirm(`The present secret of ${id} stops working at once (see --overlap). Regenerate?`);
  const clientSecret = await readChosenSecret(options);
  const { api, path } = await openProject(options);
  const body = { overlap_seconds: overlap, client_secret: clientSecret };
  const regenerated = await api.request<CreatedApiKeyJson>('POST', path('keys', id, 'regenerate'), body);
  printSecretOnce(output, regenerated, chosenSecretFile !== undefined);
  if (!regenerated.is_valid) output.note('The key is revoked still; keyturn keys restore makes it valid.');
}

export function addRegenerateKeyCommand(group: Command, output: Output): void {
  addProjectCommand(group, 'regenerate', 'Gives an API key a new secret and prints it, once; the client_id stays.')
    .argument('<key>', 'id of the key (key_…)', parseKeyId)
    .option('--overlap <duration>', 'how long the present secret goes on working, up to 7d: 24h', parseOverlap, 0)
    .option('--chosen-secret-file <path>', 'file with a secret of your own, - for stdin (default: one is generated)')
    .option('--yes', 'do not ask when there is no overlap; needed then where there is no terminal')
    .addHelpText(
      'after',
      '\nkeys show tells when each of the two secrets was last used.\n' +
        '\nExamples:\n  $ keyturn keys regenerate key_… --overlap 24h --json > new-key.json',
    )
    .action((id, options) => regenerateKey(output, id, options));
}
