/** Config to a listening service, and back down without dropping a request. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { migrateToHead } from '../db/sql/migrate.ts';
import { type Bootstrapped, bootstrap } from './access-control/bootstrap.ts';
import { systemClock } from './clock.ts';
import { composeService, type Service } from './compose.ts';
import { composeStorage, type Storage } from './compose-storage.ts';
import type { Config } from './config.ts';
import { closeServer, retireServer } from './http/close-server.ts';
import type { Logger } from './logging.ts';
import { createMetrics, type Metrics } from './metrics.ts';

/** In production load balancers are given this long to see `/readyz` say no before connections are refused. */
const NOTICE_MS = 3_000;
/**
 * Connections stay with the worker that they were given to, and one that comes later, for a worker that crashed, begins
 * with none. Ended now and then they spread anew.
 */
const REQUESTS_A_CONNECTION = 10_000;

export interface RunningService {
  readonly port: number;
  /** What an empty embedded store was given; null otherwise. To be shown once. */
  readonly bootstrapped: Bootstrapped | null;
  /** Refuses new connections, finishes the requests in flight (10 seconds at most), closes the stores. */
  stop(): Promise<void>;
}

/** One of several processes on a port. */
export interface RunningWorker extends Omit<RunningService, 'bootstrapped'> {
  /** As {@link RunningService.stop}, where others go on serving the port: no client notices. */
  retire(): Promise<void>;
}

/** A store that is ready for the processes which will serve it. */
export interface PreparedStore {
  /** Once they do: the first key of an empty embedded store. Closes what was opened. */
  finish(): Promise<Bootstrapped | null>;
  /** Instead of {@link finish}, when they can't. */
  abandon(): Promise<void>;
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/**
 * Gives an empty embedded store its first key. In production, and on a shared database, `keyturn bootstrap` does that:
 * what `serve` prints ends up in somebody's log.
 */
async function bootstrapIfEmpty(config: Config, storage: Storage, logger: Logger): Promise<Bootstrapped | null> {
  if (!(await storage.projects.isEmpty())) return null;
  if (config.isEmbedded && !config.isProduction)
    return bootstrap({ ...storage, clock: systemClock }, { issuer: config.issuer, email: null });
  logger.warn('the store is empty: make the first key with keyturn bootstrap');
  return null;
}

async function migrate(storage: Storage, logger: Logger): Promise<void> {
  const { applied } = await migrateToHead(storage.database);
  if (applied.length > 0) logger.info({ applied }, 'database migrated');
}

function warnOfUnknownSettings({ unknownSettings }: Config, logger: Logger): void {
  if (unknownSettings.length > 0)
    logger.warn({ names: unknownSettings }, 'these settings mean nothing to Keyturn; are they misspelt?');
}

const serversOf = ({ server, opsServer }: Service): readonly Server[] =>
  opsServer === null ? [server] : [server, opsServer];

async function stop(service: Service, config: Config): Promise<void> {
  service.drain();
  if (config.isProduction) await delay(NOTICE_MS);
  for (const server of serversOf(service)) await closeServer(server);
  await service.close();
}

async function retire(service: Service): Promise<void> {
  await Promise.all(serversOf(service).map(retireServer));
  // Not before: /readyz speaks for all processes, and the others stay.
  service.drain();
  await Promise.all(serversOf(service).map(closeServer));
  await service.close();
}

interface OpenService {
  readonly service: Service;
  readonly port: number;
}

/** Migrates, composes and listens, then does what is left to do; closes everything where one of these fails. */
async function openService<Result>(
  config: Config,
  surroundings: { readonly logger: Logger; readonly metrics: Metrics; readonly secretThreads?: number },
  finish: (open: OpenService) => Promise<Result> | Result,
): Promise<Result> {
  const storage = composeStorage(config, surroundings);
  let service: Service | null = null;
  try {
    await migrate(storage, surroundings.logger);
    service = await composeService(config, surroundings, storage);
    const port = await listen(service.server, config.port, config.host);
    if (service.opsServer !== null && config.opsPort !== null)
      await listen(service.opsServer, config.opsPort, config.host);
    return await finish({ service, port });
  } catch (error) {
    service?.server.close();
    service?.opsServer?.close();
    await (service ?? storage).close();
    throw error;
  }
}

/**
 * Starts the service and resolves once it listens.
 *
 * @throws {DependencyUnavailable} when the database can't be reached.
 */
export function startService(config: Config, logger: Logger): Promise<RunningService> {
  warnOfUnknownSettings(config, logger);
  return openService(config, { logger, metrics: createMetrics() }, async ({ service, port }) => {
    // Last, because the key is shown once: nothing after this may fail.
    const bootstrapped = await bootstrapIfEmpty(config, service.storage, logger);
    logger.info({ host: config.host, port, issuer: config.issuer }, 'ready');
    return { port, bootstrapped, stop: () => stop(service, config) };
  });
}

/**
 * As {@link startService}, for one of several processes on a store that {@link prepareStore} has prepared. It migrates
 * too, which costs two reads at head: a worker that comes later may be of a newer version.
 *
 * @throws {DependencyUnavailable} when the database can't be reached.
 */
export function startWorker(config: Config, logger: Logger, metrics: Metrics): Promise<RunningWorker> {
  // There are about as many workers as cores, and event loops need them too.
  return openService(config, { logger, metrics, secretThreads: 1 }, ({ service, port }) => {
    service.server.maxRequestsPerSocket = REQUESTS_A_CONNECTION;
    return { port, stop: () => stop(service, config), retire: () => retire(service) };
  });
}

/**
 * What happens once, however many processes serve: the schema, the master key, the first signing key.
 *
 * @throws {DependencyUnavailable} when the database can't be reached.
 */
export async function prepareStore(config: Config, logger: Logger): Promise<PreparedStore> {
  warnOfUnknownSettings(config, logger);
  const storage = composeStorage(config, { logger });
  try {
    await migrate(storage, logger);
    await storage.signingKeys.load();
  } catch (error) {
    await storage.close();
    throw error;
  }
  return {
    abandon: () => storage.close(),
    async finish() {
      try {
        return await bootstrapIfEmpty(config, storage, logger);
      } finally {
        await storage.close();
      }
    },
  };
}
