/** Setting the own password: the first one by a link, each further one by the one before. */
import type { SecretHasher } from '../api-keys/secret-hasher.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Clock } from '../clock.ts';
import { type AttemptLimit, accountName } from './attempt-limit.ts';
import type { ConsoleSession } from './console-session.ts';
import { makeAttempt, takeAttempt } from './counted-attempt.ts';
import {
  assertAcceptablePassword,
  type EstimateStrength,
  isPasswordOf,
  normalizePassword,
  UnacceptablePassword,
} from './password.ts';
import { hashToken } from './setup-link.ts';
import { type Account, normalizeEmail } from './user.ts';
import type { UserStore } from './user-store.ts';
import { ownEvent, type SignedIn, sessionFor, type Visitor } from './visitor.ts';

/** The link was never made, is used, or has expired. */
export class SetupLinkSpent extends Error {}
/** The current password, which a change of it takes. */
export class WrongPassword extends Error {}
/** The user of this link has no e-mail address yet. */
export class EmailMissing extends Error {}

export interface PasswordSettingDependencies {
  readonly users: Pick<UserStore, 'findInvited' | 'setUp' | 'setPassword'>;
  readonly accountLimit: AttemptLimit;
  readonly secretHasher: Pick<SecretHasher, 'hash' | 'compare'>;
  readonly estimateStrength: EstimateStrength;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
}

export function createPasswordSetting({
  users,
  accountLimit,
  secretHasher,
  estimateStrength,
  audit,
  clock,
}: PasswordSettingDependencies) {
  async function hashAcceptable(password: string, owner: Pick<Account, 'email' | 'name'>): Promise<string> {
    await assertAcceptablePassword(password, owner, estimateStrength);
    return secretHasher.hash(password);
  }

  /** Counted as a sign-in: whoever has found an open session guesses no more often. */
  async function assertCurrent(account: Account, password: string, visitor: Visitor): Promise<void> {
    const name = accountName(account.email ?? account.id);
    const counted = { limit: accountLimit, name, objectId: account.id };
    await takeAttempt(counted, visitor, audit);
    const isRight = await makeAttempt([counted], () => isPasswordOf(account, password, secretHasher));
    if (!isRight) throw new WrongPassword();
    await accountLimit.clear(name);
  }

  return {
    /**
     * @param chosen name and e-mail: null where what is known stays
     * @throws {SetupLinkSpent | EmailMissing | EmailTaken | UnacceptablePassword | SecretHasherBusy | DependencyUnavailable}
     */
    async setUp(
      { token, ...chosen }: { token: string; name: string | null; email: string | null; password: string },
      visitor: Visitor,
    ): Promise<SignedIn> {
      const tokenHash = hashToken(token);
      // Before anything that costs: only who has a link makes us hash.
      const invited = await users.findInvited(tokenHash, clock.nowMs());
      if (invited === null) throw new SetupLinkSpent();
      const { id } = invited;
      const email = invited.email ?? (chosen.email && normalizeEmail(chosen.email));
      if (email === null) throw new EmailMissing();
      const name = chosen.name ?? invited.name;
      const passwordHash = await hashAcceptable(normalizePassword(chosen.password), { email, name });
      const signedIn = sessionFor(id, visitor, clock);
      const isDone = await users.setUp(tokenHash, signedIn.session, (current) => {
        const versioned = { version: current.version + 1, updatedAtMs: clock.nowMs() };
        return {
          account: { ...current, email: current.email ?? email, name, passwordHash, ...versioned },
          events: [ownEvent(clock, 'user.password_set', id, visitor), ownEvent(clock, 'user.signed_in', id, visitor)],
        };
      });
      if (!isDone) throw new SetupLinkSpent();
      return signedIn;
    },

    /**
     * Ends all other sessions of the user.
     *
     * @throws {WrongPassword | SignInLocked | UnacceptablePassword | SecretHasherBusy | DependencyUnavailable}
     */
    async change(
      account: Account,
      { tokenHash }: ConsoleSession,
      passwords: { readonly current: string; readonly next: string },
      visitor: Visitor,
    ): Promise<void> {
      const [current, next] = [normalizePassword(passwords.current), normalizePassword(passwords.next)];
      await assertCurrent(account, current, visitor);
      if (next === current) throw new UnacceptablePassword('must not be the current one');
      const passwordHash = await hashAcceptable(next, account);
      await users.setPassword(account.id, tokenHash, (found) => {
        if (found.passwordHash !== account.passwordHash) throw new WrongPassword();
        const object = { ...found, passwordHash, version: found.version + 1, updatedAtMs: clock.nowMs() };
        return { object, event: ownEvent(clock, 'user.password_set', found.id, visitor) };
      });
    },
  };
}

export type PasswordSetting = ReturnType<typeof createPasswordSetting>;
