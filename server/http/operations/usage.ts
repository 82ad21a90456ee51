/** `/v1/projects/{project}/keys/{key}/usage`. */
import { z } from 'zod';
import type { ApiKeyStore } from '../../api-keys/api-key-store.ts';
import type { Clock } from '../../clock.ts';
import { USAGE_DAYS } from '../../usage/old-usage.ts';
import type { HourOfUse, UsageStore } from '../../usage/usage-store.ts';
import { instant, toTime } from '../instant.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { Problem } from '../problem.ts';
import { invalidField } from '../refusals.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const count = z.int();

const usageSchema = z
  .object({
    data: z
      .array(z.object({ hour: z.iso.datetime(), exchanges: count, refreshes: count, denials: count }))
      .meta({ description: 'By hour, UTC; hours without any use are left out' }),
    totals: z.object({ exchanges: count, refreshes: count, denials: count }),
  })
  .meta({ id: 'Usage' });

const querySchema = z.strictObject({
  since: instant.optional().meta({ description: 'The hour it lies in is the first. Default: a day before until' }),
  until: instant.optional().meta({ description: 'Hours that begin before it. Default: now' }),
});

const sum = (hours: readonly HourOfUse[], name: 'exchanges' | 'refreshes' | 'denials'): number =>
  hours.reduce((total, hour) => total + hour[name], 0);

/** @throws {Problem} validation_failed */
function readPeriod({ since, until }: z.output<typeof querySchema>, nowMs: number) {
  const untilMs = until ?? nowMs;
  const sinceMs = since ?? untilMs - DAY_MS;
  if (sinceMs >= untilMs) throw invalidField('since', 'must be before until');
  if (untilMs - sinceMs > USAGE_DAYS * DAY_MS)
    throw invalidField('since', `must be at most ${USAGE_DAYS} days before until`);
  return { sinceMs: Math.floor(sinceMs / HOUR_MS) * HOUR_MS, untilMs };
}

export function createUsageOperations({
  apiKeys,
  usage,
  clock,
}: {
  readonly apiKeys: Pick<ApiKeyStore, 'findInProject'>;
  readonly usage: Pick<UsageStore, 'hoursOfKey'>;
  readonly clock: Clock;
}): readonly Operation[] {
  const show = projectOperation({
    id: 'getApiKeyUsage',
    method: 'GET',
    path: '/projects/{project}/keys/{key}/usage',
    tag: 'API keys',
    summary: 'Show how often an API key was used, by the hour',
    description: `Counts are seconds behind, and kept for ${USAGE_DAYS} days.`,
    action: 'read',
    resource: 'api-key',
    query: querySchema,
    answers: { 200: usageSchema },
    async handle({ params, query }, { project }) {
      const { sinceMs, untilMs } = readPeriod(query, clock.nowMs());
      const key = await apiKeys.findInProject(project.id, params['key'] ?? '');
      if (key === null) throw new Problem('not_found', 'no such API key in this project');
      const hours = await usage.hoursOfKey(key.id, sinceMs, untilMs);
      return {
        status: 200,
        body: {
          data: hours.map(({ hourAtMs, ...counts }) => ({ hour: toTime(hourAtMs), ...counts })),
          totals: {
            exchanges: sum(hours, 'exchanges'),
            refreshes: sum(hours, 'refreshes'),
            denials: sum(hours, 'denials'),
          },
        },
      };
    },
  });
  return [show];
}
