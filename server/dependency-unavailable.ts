/** `stores`: several together took too long. */
export type Dependency = 'database' | 'redis' | 'signing_keys' | 'stores';

/**
 * A store could not answer in time, or answered that it can't serve: the request may or may not have taken effect there.
 * Adapters throw it for connection loss, time-outs, READONLY, OOM, MISCONF, CLUSTERDOWN and the like; HTTP answers 503
 * with `Retry-After`, never 401 and never a success.
 */
export class DependencyUnavailable extends Error {
  readonly dependency: Dependency;

  constructor(dependency: Dependency, cause: unknown) {
    super(`${dependency} is unavailable`, { cause });
    this.name = 'DependencyUnavailable';
    this.dependency = dependency;
  }
}
