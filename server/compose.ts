/** The only wiring of ports to adapters. */
import type { Server } from 'node:http';
import { createVerifier } from '@keyturn/lib';
import { connectRedis, type RedisConnection } from '../db/redis/connect-redis.ts';
import { RedisSessionStore } from '../db/redis/redis-session-store.ts';
import { AuditTrail } from '../db/sql/audit-trail.ts';
import { type Database, openDatabase } from '../db/sql/database.ts';
import { SqlApiKeyStore } from '../db/sql/sql-api-key-store.ts';
import { SqlAuditEventStore } from '../db/sql/sql-audit-event-store.ts';
import { SqlChangeStore } from '../db/sql/sql-change-store.ts';
import { SqlConsoleSessionStore } from '../db/sql/sql-console-session-store.ts';
import { SqlMemberStore } from '../db/sql/sql-member-store.ts';
import { SqlPermissionCatalogStore } from '../db/sql/sql-permission-catalog-store.ts';
import { SqlProjectStore } from '../db/sql/sql-project-store.ts';
import { SqlRoleStore } from '../db/sql/sql-role-store.ts';
import { SqlSessionStore } from '../db/sql/sql-session-store.ts';
import { SqlSigningKeyStore } from '../db/sql/sql-signing-key-store.ts';
import { SqlUsageStore } from '../db/sql/sql-usage-store.ts';
import { SqlUserStore } from '../db/sql/sql-user-store.ts';
import { SqlWorkspaceStore } from '../db/sql/sql-workspace-store.ts';
import type { MemberStore } from './access-control/member-store.ts';
import type { PermissionCatalogStore } from './access-control/permission-catalog-store.ts';
import type { ProjectStore } from './access-control/project-store.ts';
import type { RoleStore } from './access-control/role-store.ts';
import type { WorkspaceStore } from './access-control/workspace-store.ts';
import { createApiKeyCache } from './api-keys/api-key-cache.ts';
import type { ApiKeyStore } from './api-keys/api-key-store.ts';
import type { SecretHasher } from './api-keys/secret-hasher.ts';
import type { AuditEventStore } from './audit/audit-event.ts';
import { type AuditLog, createAuditLog } from './audit/audit-log.ts';
import { createDenialLog } from './audit/denial-log.ts';
import { createChangeFollower } from './changes/change-follower.ts';
import type { ChangeStore } from './changes/change-store.ts';
import { type Clock, monotonicClock, systemClock } from './clock.ts';
import { composeManagement } from './compose-management.ts';
import { composePeople } from './compose-people.ts';
import { composeTokenEndpoint } from './compose-token-endpoint.ts';
import type { Config } from './config.ts';
import { configuredMasterKeys } from './configured-master-keys.ts';
import { createBcryptPool } from './crypto/bcrypt-pool.ts';
import { createSigningKeyPairs } from './crypto/key-pairs.ts';
import type { MasterKeys } from './crypto/master-key.ts';
import { createApp, createOpsApp } from './http/app.ts';
import { createHttpServer } from './http/http-server.ts';
import { createHealthRoutes } from './http/routes/health.ts';
import { createTokenRoute } from './http/token-route.ts';
import type { Logger } from './logging.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { redactSecrets } from './redact.ts';
import type { SessionStore } from './sessions/session-store.ts';
import { takingTurns } from './sessions/session-turns.ts';
import { createSigningKeyRing, type SigningKeyRing } from './signing-keys/signing-key-ring.ts';
import { createSweeper, type Sweeper } from './sweeper.ts';
import { deletesOldUsage } from './usage/old-usage.ts';
import type { UsageStore } from './usage/usage-store.ts';
import { createUseRecorder } from './usage/use-recorder.ts';
import type { ConsoleSessionStore } from './users/console-session-store.ts';
import type { UserStore } from './users/user-store.ts';

/** What every command that touches the stores needs; nothing is connected until it is asked for. */
export interface Storage {
  readonly database: Database;
  readonly apiKeys: ApiKeyStore;
  readonly changes: ChangeStore;
  readonly projects: ProjectStore;
  readonly workspaces: WorkspaceStore;
  readonly roles: RoleStore;
  readonly members: MemberStore;
  readonly permissionCatalogs: PermissionCatalogStore;
  readonly users: UserStore;
  readonly consoleSessions: ConsoleSessionStore;
  readonly audit: AuditLog;
  readonly auditEvents: AuditEventStore;
  readonly usage: UsageStore;
  readonly signingKeys: SigningKeyRing;
  readonly secretHasher: SecretHasher;
  readonly masterKeys: MasterKeys;
  close(): Promise<void>;
}

/** About a second of one worker: who would wait longer is better told to come back. */
const MAX_QUEUED_SECRETS = 4;

interface Surroundings {
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
  /** Most threads for chosen secrets. Default: that of {@link createBcryptPool}, for a process alone. */
  readonly secretThreads?: number;
}

export function composeStorage(
  config: Config,
  { logger, clock = systemClock, metrics, secretThreads }: Surroundings,
): Storage {
  const database = openDatabase(config.databaseUrl);
  // Its own connection: a flood of lookups must not keep this instance from hearing of a revocation.
  const changesDatabase = openDatabase(config.databaseUrl, { poolMax: 1 });
  const measured = <Store extends object>(name: string, store: Store): Store => metrics?.measured(name, store) ?? store;
  const masterKeys = configuredMasterKeys(config, logger);
  const secretHasher = createBcryptPool({
    maxQueued: MAX_QUEUED_SECRETS,
    ...(secretThreads === undefined ? {} : { maxWorkers: secretThreads }),
  });
  const trail = new AuditTrail(() => masterKeys.auditMacKeys());
  const auditEvents = measured('audit_events', new SqlAuditEventStore(database, trail));
  const audit = createAuditLog({
    events: auditEvents,
    clock,
    onLost: (error, event) => logger.error({ err: error, event }, 'audit event not stored'),
  });
  const signingKeys = createSigningKeyRing({
    store: measured('signing_keys', new SqlSigningKeyStore(database)),
    keyPairs: createSigningKeyPairs(masterKeys),
    clock,
    algorithm: config.signingAlgorithm,
    rotationDays: config.signingRotationDays,
    accessTokenSeconds: config.accessTokenSeconds,
    onChange: async ({ type, kid }, origin) => {
      logger.info({ type, kid }, 'signing keys changed');
      await audit.recordNow(type, origin, { projectId: null, objectId: kid });
    },
    onError: (error) => logger.error({ err: error }, 'signing keys not reloaded'),
  });
  return {
    database,
    apiKeys: measured('api_keys', new SqlApiKeyStore(database, trail)),
    changes: measured('changes', new SqlChangeStore(changesDatabase)),
    projects: measured('projects', new SqlProjectStore(database, trail)),
    workspaces: measured('workspaces', new SqlWorkspaceStore(database, trail)),
    roles: measured('roles', new SqlRoleStore(database, trail)),
    members: measured('members', new SqlMemberStore(database, trail)),
    permissionCatalogs: measured('permission_catalogs', new SqlPermissionCatalogStore(database, trail)),
    users: measured('users', new SqlUserStore(database, trail)),
    consoleSessions: measured('console_sessions', new SqlConsoleSessionStore(database, trail)),
    audit,
    auditEvents,
    usage: measured('usage', new SqlUsageStore(database)),
    signingKeys,
    secretHasher,
    masterKeys,
    async close() {
      await signingKeys.stop();
      await audit.close();
      await Promise.allSettled([secretHasher.close(), changesDatabase.close(), database.close()]);
    },
  };
}

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
