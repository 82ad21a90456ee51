/** Signing in to the console, and out. */
import type { SecretHasher } from '../api-keys/secret-hasher.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Clock } from '../clock.ts';
import { type AttemptLimit, accountName, addressName } from './attempt-limit.ts';
import type { ConsoleSession } from './console-session.ts';
import type { ConsoleSessionStore } from './console-session-store.ts';
import { makeAttempt, takeAttempt } from './counted-attempt.ts';
import { isPasswordOf, normalizePassword } from './password.ts';
import { normalizeEmail } from './user.ts';
import type { UserStore } from './user-store.ts';
import { originOf, ownEvent, type SignedIn, sessionFor, type Visitor } from './visitor.ts';

/** Wrong password or unknown e-mail: which of them is not told. */
export class SignInFailed extends Error {}

export interface SignInDependencies {
  readonly users: Pick<UserStore, 'findByEmail'>;
  readonly sessions: Pick<ConsoleSessionStore, 'begin' | 'end'>;
  readonly accountLimit: AttemptLimit;
  readonly addressLimit: AttemptLimit;
  readonly secretHasher: Pick<SecretHasher, 'compare'>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
}

export function createSignIn({
  users,
  sessions,
  accountLimit,
  addressLimit,
  secretHasher,
  audit,
  clock,
}: SignInDependencies) {
  return {
    /** @throws {SignInFailed | SignInLocked | SecretHasherBusy | DependencyUnavailable} */
    async signIn(credentials: { email: string; password: string }, visitor: Visitor): Promise<SignedIn> {
      const email = normalizeEmail(credentials.email);
      const found = await users.findByEmail(email);
      const objectId = found?.id ?? 'unknown';
      const addressOf = addressName(visitor.ip);
      const address = { limit: addressLimit, name: addressOf, objectId: addressOf };
      const account = { limit: accountLimit, name: accountName(email), objectId };
      // The address first: one that is locked out locks nobody else out.
      await takeAttempt(address, visitor, audit);
      const { count } = await takeAttempt(account, visitor, audit);
      const fail = (): never => {
        if (count === 1) audit.record('user.sign_in_failed', originOf(visitor, null), { projectId: null, objectId });
        throw new SignInFailed();
      };
      const password = normalizePassword(credentials.password);
      const isRight = await makeAttempt([address, account], () => isPasswordOf(found, password, secretHasher));
      if (!isRight || found === null) return fail();
      await Promise.all([addressLimit.giveBack(address.name), accountLimit.clear(account.name)]);
      const signedIn = sessionFor(found.id, visitor, clock);
      // bcrypt took a while, in which the password may have been changed.
      const isBegun = await sessions.begin(signedIn.session, ({ passwordHash }) =>
        passwordHash === found.passwordHash ? ownEvent(clock, 'user.signed_in', found.id, visitor) : null,
      );
      return isBegun ? signedIn : fail();
    },

    async signOut({ tokenHash, userId }: ConsoleSession, visitor: Visitor): Promise<void> {
      await sessions.end(tokenHash, ownEvent(clock, 'user.signed_out', userId, visitor));
    },
  };
}

export type SignIn = ReturnType<typeof createSignIn>;
