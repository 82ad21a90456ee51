/** Wires what people at the console need: users, sign-in, their sessions. */
import type { RedisConnection } from '../db/redis/connect-redis.ts';
import { RedisAttemptLimit } from '../db/redis/redis-attempt-limit.ts';
import type { Database } from '../db/sql/database.ts';
import { deleteEndedAttempts, SqlAttemptLimit } from '../db/sql/sql-attempt-limit.ts';
import type { MemberStore } from './access-control/member-store.ts';
import type { RoleStore } from './access-control/role-store.ts';
import type { SecretHasher } from './api-keys/secret-hasher.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { Clock } from './clock.ts';
import { createStrengthEstimator } from './crypto/password-strength.ts';
import { createConsoleAuthentication } from './http/console-session.ts';
import type { Operation } from './http/operation.ts';
import { createInvitationOperations } from './http/operations/invitations.ts';
import { createMeOperations } from './http/operations/me.ts';
import { createSessionOperations } from './http/operations/session.ts';
import { createUserOperations } from './http/operations/users.ts';
import type { Logger } from './logging.ts';
import { createSweeper, type Sweeper } from './sweeper.ts';
import { ACCOUNT_RULE, ADDRESS_RULE, type AttemptLimitRule } from './users/attempt-limit.ts';
import type { ConsoleSessionStore } from './users/console-session-store.ts';
import { createUserManagement } from './users/manage-users.ts';
import { createPasswordSetting } from './users/set-password.ts';
import { createSignIn } from './users/sign-in.ts';
import type { UserStore } from './users/user-store.ts';

export interface People extends ReturnType<typeof createConsoleAuthentication> {
  readonly operations: readonly Operation[];
  readonly sweeper: Sweeper;
}

/** Of the stores, what people need. */
interface PeopleStorage {
  readonly database: Database;
  readonly users: UserStore;
  readonly consoleSessions: ConsoleSessionStore;
  readonly members: MemberStore;
  readonly roles: RoleStore;
  readonly secretHasher: SecretHasher;
  readonly audit: AuditLog;
}

export function composePeople(
  { database, users, consoleSessions, members, roles, secretHasher, audit }: PeopleStorage,
  {
    redis,
    clock,
    issuer,
    logger,
  }: {
    readonly redis: RedisConnection | null;
    readonly clock: Clock;
    readonly issuer: string;
    readonly logger: Logger;
  },
): People {
  const limitOf = (rule: AttemptLimitRule) =>
    redis === null ? new SqlAttemptLimit(database, rule) : new RedisAttemptLimit(redis, rule);
  const accountLimit = limitOf(ACCOUNT_RULE);
  const shared = { users, accountLimit, secretHasher, audit, clock };
  const addressLimit = limitOf(ADDRESS_RULE);
  const signIn = createSignIn({ ...shared, sessions: consoleSessions, addressLimit });
  const passwordSetting = createPasswordSetting({ ...shared, estimateStrength: createStrengthEstimator() });
  const management = createUserManagement({ users, members, clock, issuer });
  return {
    ...createConsoleAuthentication({ sessions: consoleSessions, members, clock, issuer }),
    operations: [
      ...createMeOperations({ users }),
      ...createSessionOperations({ signIn, passwordSetting, users, issuer }),
      ...createUserOperations({ management }),
      ...createInvitationOperations({ management, users, members, roles, clock }),
    ],
    sweeper: createSweeper({
      async deleteExpired(limit) {
        const sessionCount = await consoleSessions.deleteEnded(clock.nowMs(), limit);
        return Math.max(sessionCount, await deleteEndedAttempts(database, limit));
      },
      onError: (error) => logger.warn({ err: error }, 'ended console sessions not swept'),
    }),
  };
}
