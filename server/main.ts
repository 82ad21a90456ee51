/** Config to a listening service, and back down without dropping a request. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { migrateToHead } from '../db/sql/migrate.ts';
import { type Bootstrapped, bootstrap } from './access-control/bootstrap.ts';
import { systemClock } from './clock.ts';
import { composeService, composeStorage, type Service, type Storage } from './compose.ts';
import type { Config } from './config.ts';
import { closeUnusedConnections } from './http/http-server.ts';
import type { Logger } from './logging.ts';
import { createMetrics } from './metrics.ts';

const DRAIN_MS = 10_000;
/** In production load balancers are given this long to see `/readyz` say no before connections are refused. */
const NOTICE_MS = 3_000;

export interface RunningService {
  readonly port: number;
  /** What an empty embedded store was given; null otherwise. To be shown once. */
  readonly bootstrapped: Bootstrapped | null;
  /** Refuses new connections, finishes the requests in flight (10 seconds at most), closes the stores. */
  stop(): Promise<void>;
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

async function closeServer(server: Server): Promise<void> {
  const isClosed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  closeUnusedConnections(server);
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await isClosed;
  clearTimeout(timer);
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

async function stop(service: Service, config: Config): Promise<void> {
  service.drain();
  if (config.isProduction) await delay(NOTICE_MS);
  await closeServer(service.server);
  if (service.opsServer !== null) await closeServer(service.opsServer);
  await service.close();
}

/**
 * Starts the service and resolves once it listens.
 *
 * @throws {DependencyUnavailable} when the database can't be reached.
 */
export async function startService(config: Config, logger: Logger): Promise<RunningService> {
  if (config.unknownSettings.length > 0)
    logger.warn({ names: config.unknownSettings }, 'these settings mean nothing to Keyturn; are they misspelt?');
  const metrics = createMetrics();
  const storage = composeStorage(config, { logger, metrics });
  let service: Service | null = null;
  try {
    const { applied } = await migrateToHead(storage.database);
    if (applied.length > 0) logger.info({ applied }, 'database migrated');
    service = await composeService(config, { logger, metrics }, storage);
    const port = await listen(service.server, config.port, config.host);
    if (service.opsServer !== null && config.opsPort !== null) {
      await listen(service.opsServer, config.opsPort, config.host);
    }
    // Last, because the key is shown once: nothing after this may fail.
    const bootstrapped = await bootstrapIfEmpty(config, storage, logger);
    logger.info({ host: config.host, port, issuer: config.issuer }, 'ready');
    const running = service;
    return { port, bootstrapped, stop: () => stop(running, config) };
  } catch (error) {
    service?.server.close();
    service?.opsServer?.close();
    await (service ?? storage).close();
    throw error;
  }
}
