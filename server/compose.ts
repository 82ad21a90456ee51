/** The only wiring of ports to adapters. */
import type { Server } from 'node:http';
import { createVerifier } from '@keyturn/lib';
import { connectRedis, type RedisConnection } from '../db/redis/connect-redis.ts';
import { RedisSessionStore } from '../db/redis/redis-session-store.ts';
import type { Database } from '../db/sql/database.ts';
import { SqlSessionStore } from '../db/sql/sql-session-store.ts';
import { createApiKeyCache } from './api-keys/api-key-cache.ts';
import { createDenialLog } from './audit/denial-log.ts';
import { createChangeFollower } from './changes/change-follower.ts';
import { monotonicClock, systemClock } from './clock.ts';
import { composeManagement } from './compose-management.ts';
import { composePeople } from './compose-people.ts';
import { composeStorage, type Storage, type Surroundings } from './compose-storage.ts';
import { composeTokenEndpoint } from './compose-token-endpoint.ts';
import type { Config } from './config.ts';
import { createApp, createOpsApp } from './http/app.ts';
import { createHttpServer } from './http/http-server.ts';
import { createHealthRoutes } from './http/routes/health.ts';
import { createTokenRoute } from './http/token-route.ts';
import type { Logger } from './logging.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { redactSecrets } from './redact.ts';
import type { SessionStore } from './sessions/session-store.ts';
import { takingTurns } from './sessions/session-turns.ts';
import { createSweeper, type Sweeper } from './sweeper.ts';
import { deletesOldUsage } from './usage/old-usage.ts';
import { createUseRecorder } from './usage/use-recorder.ts';

interface Sessions {
  readonly store: SessionStore;
  readonly redis: RedisConnection | null;
  readonly sweeper: Sweeper | null;
}

const WARN_PAUSE_MS = 10_000;

/** A connection that is tried again and again says so once in ten seconds. */
function warnSometimes(logger: Logger, message: string): (reason: unknown) => void {
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  return (reason) => {
    if (performance.now() - warnedAtMs < WARN_PAUSE_MS) return;
    warnedAtMs = performance.now();
    logger.warn({ reason: redactSecrets(String(reason)) }, message);
  };
}

function composeSessions(config: Config, database: Database, logger: Logger, metrics: Metrics): Sessions {
  if (config.redisUrl === null) {
    const store = new SqlSessionStore(database);
    const sweeper = createSweeper({
      deleteExpired: (limit) => store.deleteExpired(limit),
      onError: (error) => logger.warn({ err: error }, 'expired sessions not swept'),
    });
    return { store: takingTurns(metrics.measured('sessions', store)), redis: null, sweeper };
  }
  const redis = connectRedis(config.redisUrl, {
    onError: warnSometimes(logger, 'Redis can not be reached as it should'),
  });
  return { store: metrics.measured('sessions', new RedisSessionStore(redis)), redis, sweeper: null };
}

export interface Service {
  readonly server: Server;
  /** Health and metrics alone; null: {@link server} has them. */
  readonly opsServer: Server | null;
  readonly storage: Storage;
  /** From now on `/readyz` says no, and connections are closed after their answer. */
  drain(): void;
  /** Background work ends, what is pending is written, connections are closed, the storage's too. */
  close(): Promise<void>;
}

/** The whole service on a migrated database. Loads, and on a first start makes, the signing keys. */
export async function composeService(
  config: Config,
  surroundings: Surroundings,
  storage: Storage = composeStorage(config, surroundings),
): Promise<Service> {
  const { logger, clock = systemClock, metrics = createMetrics() } = surroundings;
  const { apiKeys, changes, signingKeys, database, audit, usage } = storage;
  const { issuer, trustedProxies } = config;
  // First: it finds out whether the master key is the right one, before anything is derived from it or connected.
  await signingKeys.load();
  const { store: sessions, redis, sweeper } = composeSessions(config, database, logger, metrics);
  const uses = createUseRecorder({
    apiKeys,
    usage,
    clock,
    onError: (error) => logger.warn({ err: error }, 'use of keys not stored yet'),
  });
  const keyCache = createApiKeyCache({ apiKeys, clock: monotonicClock });
  const changeFollower = createChangeFollower({
    changes,
    onChanged: keyCache.forget,
    onError: warnSometimes(logger, 'changes of other instances can not be followed'),
  });
  const { reader } = keyCache;
  const denials = createDenialLog({ audit, clock: monotonicClock });
  const issueToken = composeTokenEndpoint(config, storage, { reader, sessions, uses, denials, clock, logger });
  const usageSweeper = createSweeper({
    deleteExpired: deletesOldUsage(usage, clock),
    onError: (error) => logger.warn({ err: error }, 'old usage not swept'),
  });
  const people = composePeople(storage, { redis, clock, issuer, logger });
  let isDraining = false;
  const healthRoutes = createHealthRoutes({
    checks: [
      { name: 'database', check: () => database.ping() },
      { name: 'sessions', check: () => sessions.ping() },
      { name: 'signing_keys', check: async () => void signingKeys.signer() },
    ],
    metrics,
    isDraining: () => isDraining,
  });
  const { jwks } = signingKeys;
  const app = createApp({
    issuer,
    jwks,
    verifier: createVerifier({ issuer, audience: issuer, jwks, clock }),
    authenticateByCookie: people.authenticateByCookie,
    ...composeManagement(storage, { keyCache, sessions, clock, issuer, people }),
    logger,
    healthRoutes: config.opsPort === null ? healthRoutes : null,
  });
  const tokenRoute = createTokenRoute({ issueToken, metrics, logger, issuer });

  signingKeys.start();
  changeFollower.start();
  sweeper?.start();
  usageSweeper.start();
  people.sweeper.start();
  const shared = { trustedProxies, logger, isDraining: () => isDraining };
  const opsApp = config.opsPort === null ? null : createOpsApp(healthRoutes, { issuer, logger });
  return {
    server: createHttpServer({ ...shared, tokenRoute, app }),
    opsServer: opsApp && createHttpServer({ ...shared, tokenRoute: null, app: opsApp }),
    storage,
    drain() {
      isDraining = true;
    },
    async close() {
      sweeper?.stop();
      usageSweeper.stop();
      people.sweeper.stop();
      denials.close();
      await changeFollower.stop();
      await uses.flush();
      await Promise.allSettled([storage.close(), redis?.close()]);
    },
  };
}
