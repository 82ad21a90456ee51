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
import { SqlSigningKeyStore } from '../db/sql/sql-signing-key-store.ts';
import { SqlUsageStore } from '../db/sql/sql-usage-store.ts';
import { SqlUserStore } from '../db/sql/sql-user-store.ts';
import { SqlWorkspaceStore } from '../db/sql/sql-workspace-store.ts';
import type { MemberStore } from './access-control/member-store.ts';
import type { PermissionCatalogStore } from './access-control/permission-catalog-store.ts';
import type { ProjectStore } from './access-control/project-store.ts';
import type { RoleStore } from './access-control/role-store.ts';
import type { WorkspaceStore } from './access-control/workspace-store.ts';
import type { ApiKeyStore } from './api-keys/api-key-store.ts';
import type { SecretHasher } from './api-keys/secret-hasher.ts';
import type { AuditEventStore } from './audit/audit-event.ts';
import { type AuditLog, createAuditLog } from './audit/audit-log.ts';
import type { ChangeStore } from './changes/change-store.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { configuredMasterKeys } from './configured-master-keys.ts';
import { createBcryptPool } from './crypto/bcrypt-pool.ts';
import { createSigningKeyPairs } from './crypto/key-pairs.ts';
import type { MasterKeys } from './crypto/master-key.ts';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';
import { createSigningKeyRing, type SigningKeyRing } from './signing-keys/signing-key-ring.ts';
import type { UsageStore } from './usage/usage-store.ts';
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

export interface Surroundings {
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
