import type { Command } from 'commander';
import { addProjectCommand, type ClientOptions, openProject } from '../../client-command.ts';
import type { Output } from '../../output.ts';
import { parsePastTime } from '../../parse-time.ts';
import { formatTable } from '../../table.ts';
import { parseKeyId } from './api-key-json.ts';

interface CountsJson {
  readonly exchanges: number;
  readonly refreshes: number;
  readonly denials: number;
}

interface UsageJson {
  readonly data: readonly (CountsJson & { readonly hour: string })[];
  readonly totals: CountsJson;
}

interface UsageOptions extends ClientOptions {
  readonly since?: string;
  readonly until?: string;
}

const COUNTS = ['exchanges', 'refreshes', 'denials'] as const;

async function showUsage(output: Output, id: string, { since, until, ...options }: UsageOptions): Promise<void> {
  const { api, path } = await openProject(options);
  const query = new URLSearchParams({ ...(since && { since }), ...(until && { until }) });
  const usage = await api.request<UsageJson>('GET', `${path('keys', id, 'usage')}?${query}`);
  const countsOf = (counts: CountsJson) => COUNTS.map((name) => String(counts[name]));
  const rows = usage.data.map((hour) => [hour.hour, ...countsOf(hour)]);
  output.result(usage, formatTable(['hour', ...COUNTS], [...rows, ['total', ...countsOf(usage.totals)]]));
}

export function addKeyUsageCommand(group: Command, output: Output): void {
  addProjectCommand(group, 'usage', 'Shows how often an API key was used, hour by hour (UTC), up to 90 days back.')
    .argument('<key>', 'id of the key (key_…)', parseKeyId)
    .option('--since <time>', 'from then on: 7d, 2027-01-31 (default: the last 24 hours)', parsePastTime)
    .option('--until <time>', 'until then (default: now)', parsePastTime)
    .action((id, options) => showUsage(output, id, options));
}
