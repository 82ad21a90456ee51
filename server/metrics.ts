import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { DependencyUnavailable } from './dependency-unavailable.ts';

/** Seconds; from what a cached lookup takes up to the bound at which a store counts as down. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5];

export interface MetricsOptions {
  /**
   * Number of this process among those that share a port; becomes a label of all it measures. Null, the default: it is
   * alone. Sums over processes would fall when one of them ends, which Prometheus takes for a counter that began anew.
   */
  readonly worker?: number | null;
  /** What `/metrics` answers. Default: the metrics of this process. */
  readonly exposition?: () => Promise<string>;
}

/** Of an object of a class, or of a plain one. */
function methodNamesOf(store: object): string[] {
  const prototype = Object.getPrototypeOf(store);
  const names = Object.getOwnPropertyNames(prototype === Object.prototype ? store : prototype);
  return names.filter((name) => name !== 'constructor' && typeof Reflect.get(store, name) === 'function');
}

/**
 * Prometheus metrics. Labels are closed sets: never a key, a client or an address, which would have no bound and tell
 * who is calling.
 */
export function createMetrics({ worker = null, exposition }: MetricsOptions = {}) {
  const registry = new Registry();
  if (worker !== null) registry.setDefaultLabels({ worker: String(worker) });
  collectDefaultMetrics({ register: registry, prefix: 'keyturn_' });
  const tokenRequests = new Counter({
    name: 'keyturn_token_requests_total',
    help: 'Requests of the token endpoint by grant type and outcome: ok, or the reason of the refusal',
    labelNames: ['grant_type', 'outcome'],
    registers: [registry],
  });
  const tokenDuration = new Histogram({
    name: 'keyturn_token_request_duration_seconds',
    help: 'Time from the whole request read to the answer written',
    labelNames: ['grant_type'],
    buckets: BUCKETS,
    registers: [registry],
  });
  const storeDuration = new Histogram({
    name: 'keyturn_store_duration_seconds',
    help: 'Time of a store operation',
    labelNames: ['store', 'operation', 'outcome'],
    buckets: BUCKETS,
    registers: [registry],
  });

  return {
    contentType: registry.contentType,
    /** Of this process alone. */
    own: (): Promise<string> => registry.metrics(),
    /** What `/metrics` answers. */
    exposition: exposition ?? (() => registry.metrics()),

    observeToken(grantType: string, outcome: string, seconds: number): void {
      tokenRequests.inc({ grant_type: grantType, outcome });
      tokenDuration.observe({ grant_type: grantType }, seconds);
    },

    /** `store` with the time of each of its methods, which are all asynchronous, measured under `name`. */
    measured<Store extends object>(name: string, store: Store): Store {
      const measuredMethods = methodNamesOf(store).map((operation) => {
        const method = Reflect.get(store, operation) as (...args: unknown[]) => Promise<unknown>;
        const observe = (startedMs: number, outcome: string): void =>
          storeDuration.observe({ store: name, operation, outcome }, (performance.now() - startedMs) / 1000);
        const measuredMethod = async (...args: unknown[]): Promise<unknown> => {
          const startedMs = performance.now();
          try {
            const result = await method.apply(store, args);
            observe(startedMs, 'ok');
            return result;
          } catch (error) {
            observe(startedMs, error instanceof DependencyUnavailable ? 'unavailable' : 'error');
            throw error;
          }
        };
        return [operation, measuredMethod];
      });
      return Object.fromEntries(measuredMethods) as Store;
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

/** What the process that watches over the workers knows of them. */
export function createWorkerMetrics(serving: () => number) {
  const registry = new Registry();
  new Gauge({
    name: 'keyturn_workers',
    help: 'Worker processes that serve now',
    registers: [registry],
    collect() {
      this.set(serving());
    },
  });
  const crashes = new Counter({
    name: 'keyturn_worker_crashes_total',
    help: 'Worker processes that ended though nobody asked them to',
    registers: [registry],
  });
  return { own: (): Promise<string> => registry.metrics(), crashed: (): void => crashes.inc() };
}
