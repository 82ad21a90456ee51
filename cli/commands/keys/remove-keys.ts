import type { Command } from 'commander';
import {
  addProjectCommand,
  type ClientOptions,
  type ConfirmOptions,
  type OpenProject,
  openProject,
  YES,
} from '../../client-command.ts';
import { CommandFailure } from '../../command-failure.ts';
import { confirm } from '../../confirm.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import type { Output } from '../../output.ts';
import { formatTable } from '../../table.ts';
import { parseKeyId } from './api-key-json.ts';

interface ResultJson {
  readonly id: string;
  readonly status: string;
  /** Why not, when it was not deleted. */
  readonly code?: string;
}

/** What the service deletes in one request. */
const IDS_PER_REQUEST = 500;

function printResults(output: Output, results: readonly ResultJson[]): void {
  const rows = results.map(({ id, status, code }) => [id, code === undefined ? status : `${status}: ${code}`]);
  output.result({ results }, formatTable(['id', 'result'], rows));
}

async function deleteAll({ api, path }: OpenProject, ids: readonly string[], results: ResultJson[]): Promise<void> {
  for (let start = 0; start < ids.length; start += IDS_PER_REQUEST) {
    const body = { ids: ids.slice(start, start + IDS_PER_REQUEST) };
    const answer = await api.request<{ results: readonly ResultJson[] }>('POST', path('keys', 'bulk-delete'), body);
    results.push(...answer.results);
  }
}

async function removeKeys(
  output: Output,
  given: readonly string[],
  options: ClientOptions & ConfirmOptions,
): Promise<void> {
  const ids = [...new Set(given)];
  const question = ids.length === 1 ? `Delete ${ids[0]} for good?` : `Delete these ${ids.length} API keys for good?`;
  if (!options.yes) await confirm(`${question} Whatever uses them stops working.`);
  const project = await openProject(options);
  const results: ResultJson[] = [];
  try {
    await deleteAll(project, ids, results);
  } finally {
    // When a later request fails, those of the earlier ones are deleted all the same.
    if (results.length > 0) printResults(output, results);
  }
  const left = results.filter(({ status }) => status !== 'deleted').length;
  if (left === 0) return;
  const message = `${left} of ${results.length} API keys were not deleted`;
  throw new CommandFailure(EXIT_CODES.failed, 'not_all_deleted', message);
}

const collectKeyId = (text: string, earlier: readonly string[] = []): readonly string[] => [
  ...earlier,
  parseKeyId(text),
];

export function addRemoveKeysCommand(group: Command, output: Output): void {
  addProjectCommand(group, 'rm', 'Deletes API keys for good, with a result for each; asks first.')
    .argument('<key...>', 'ids of the keys (key_…)', collectKeyId)
    .option(...YES)
    .addHelpText('after', '\nWhen one can’t be deleted, the others are deleted all the same, and it exits 1.')
    .action((ids, options) => removeKeys(output, ids, options));
}
