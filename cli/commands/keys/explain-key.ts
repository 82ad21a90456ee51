import type { Command } from 'commander';
import { addProjectCommand, type ClientOptions, openProject } from '../../client-command.ts';
import type { Output } from '../../output.ts';
import { printable } from '../../output.ts';
import { parseKeyId } from './api-key-json.ts';

interface ExplanationJson {
  readonly allowed: boolean;
  readonly rule: unknown;
  /** A sentence. */
  readonly reason: string;
}

interface ExplainOptions extends ClientOptions {
  readonly ip?: string;
}

async function explainKey(output: Output, id: string, permission: string, options: ExplainOptions): Promise<void> {
  const { api, path } = await openProject(options);
  const body = { permission, ip: options.ip };
  const explanation = await api.request<ExplanationJson>('POST', path('keys', id, 'explain'), body);
  const { allowed, reason } = explanation;
  output.result(explanation, `${allowed ? 'allowed' : 'denied'}: ${printable(reason)}`);
}

export function addExplainKeyCommand(group: Command, output: Output): void {
  addProjectCommand(
    group,
    'explain',
    'Says whether an API key may do something, and which rule decides; uses nothing up.',
  )
    .argument('<key>', 'id of the key (key_…)', parseKeyId)
    .argument('<permission>', 'what it would do: read:credential/prod-db')
    .option('--ip <address>', 'the address that it would come from')
    .addHelpText(
      'after',
      '\nIt exits 0 whatever the answer is.\n' +
        '\nExamples:\n  $ keyturn keys explain key_… read:credential/prod-db --ip 203.0.113.9',
    )
    .action((id, permission, options) => explainKey(output, id, permission, options));
}
