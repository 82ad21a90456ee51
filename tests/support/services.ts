import { describe, it } from '@jest/globals';
import { findMariadb, findRedis } from '../../scripts/services.mjs';

const VARIABLES = {
  mariadb: 'TEST_DATABASE_URL',
  redis: 'TEST_REDIS_URL',
  'redis-cluster': 'TEST_REDIS_CLUSTER_URL',
  'redis-sentinel': 'TEST_REDIS_SENTINEL_URL',
} as const;

export type ServiceName = keyof typeof VARIABLES;

/** URL of a server that the run has started and all suites share; null where there is none. */
export function serviceUrl(name: ServiceName): string | null {
  return process.env[VARIABLES[name]] ?? null;
}

/** A suite on a shared server; where there is none it is reported as skipped, with the reason in its name. */
export function describeOn(service: ServiceName, name: string, body: (url: string) => void): void {
  const url = serviceUrl(service);
  if (url !== null) describe(name, () => body(url));
  else skip(name, `no ${service} could be had`);
}

/** A suite that starts servers of its own, to kill and stop them: needs the binary, Docker is not enough. */
export function describeWithOwn(service: 'mariadb' | 'redis', name: string, body: () => void): void {
  const isThere = service === 'redis' ? findRedis() !== null : findMariadb() !== null;
  if (isThere) describe(name, body);
  else skip(name, `no ${service} binary to start`);
}

function skip(name: string, reason: string): void {
  describe.skip(`${name} [NOT RUN: ${reason}]`, () => {
    it('needs what is missing', () => {});
  });
}
