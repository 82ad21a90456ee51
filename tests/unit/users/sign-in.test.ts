import { describe, expect, it } from '@jest/globals';
import { SecretHasherBusy } from '../../../server/api-keys/secret-hasher.ts';
import type { AttemptLimit, AttemptLimitRule } from '../../../server/users/attempt-limit.ts';
import { ACCOUNT_RULE, ADDRESS_RULE } from '../../../server/users/attempt-limit.ts';
import { SignInLocked } from '../../../server/users/counted-attempt.ts';
import { createSignIn, type SignInDependencies, SignInFailed } from '../../../server/users/sign-in.ts';
import type { Account } from '../../../server/users/user.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const PASSWORD = 'meadow-Trombone-41-lantern';
const VISITOR = { ip: null, userAgent: null, requestId: 'req_1' };

function heldLimit(rule: AttemptLimitRule): AttemptLimit & { countOf(name: string): number } {
  const counts = new Map<string, number>();
  const countOf = (name: string) => counts.get(name) ?? 0;
  return {
    rule,
    countOf,
    async take(name) {
      const count = countOf(name) + 1;
      counts.set(name, count);
      return { isAllowed: count <= rule.maxAttempts, count, remainingMs: 1_000 };
    },
    giveBack: async (name) => void counts.set(name, countOf(name) - 1),
    clear: async (name) => void counts.delete(name),
  };
}

function signInOf(stored: Account | null, secretHasher: SignInDependencies['secretHasher'], current = stored) {
  const events: string[] = [];
  const limits = { accountLimit: heldLimit(ACCOUNT_RULE), addressLimit: heldLimit(ADDRESS_RULE) };
  const signIn = createSignIn({
    ...limits,
    users: { findByEmail: async () => stored },
    sessions: {
      begin: async (_session, decide) => (current ? decide(current) !== null : false),
    } as SignInDependencies['sessions'],
    secretHasher,
    audit: { record: (type) => void events.push(type) },
    clock: createFakeClock(),
  });
  const attempt = (password = PASSWORD) => signIn.signIn({ email: 'ada@example.com', password }, VISITOR);
  return { attempt, events, ...limits };
}

const ADA: Account = {
  id: 'usr_ada',
  email: 'ada@example.com',
  name: 'Ada',
  permissions: [],
  passwordHash: 'hash of ada',
  lastSignInAtMs: null,
  version: 1,
  createdAtMs: 0,
  updatedAtMs: 0,
};
const hashing = (compare: (secret: string, hash: string) => Promise<boolean>) => ({ compare });

describe('signing in', () => {
  it('does not count what the hasher had no turn for', async () => {
    let isBusy = true;
    const { attempt, addressLimit } = signInOf(
      ADA,
      hashing(async () => {
        if (isBusy) throw new SecretHasherBusy();
        return true;
      }),
    );
    for (let count = 0; count < 300; count += 1) await expect(attempt()).rejects.toThrow(SecretHasherBusy);
    expect(addressLimit.countOf('unknown')).toBe(0);
    isBusy = false;
    expect((await attempt()).session).toMatchObject({ userId: 'usr_ada' });
    expect(addressLimit.countOf('unknown')).toBe(0);
  });

  it('compares once, with a hash of the same cost, whatever is wrong', async () => {
    const passwordless = { ...ADA, passwordHash: null };
    for (const [stored, password] of [
      [ADA, PASSWORD],
      [ADA, 'x'.repeat(200)],
      [passwordless, PASSWORD],
      [null, PASSWORD],
    ] as const) {
      const hashes: string[] = [];
      const { attempt } = signInOf(
        stored,
        hashing(async (_secret, hash) => {
          hashes.push(hash);
          // Even where nobody's password were found: there is nobody to be.
          return stored !== ADA;
        }),
      );
      await expect(attempt(password)).rejects.toThrow(SignInFailed);
      const expected = stored === ADA ? 'hash of ada' : expect.stringMatching(/^\$2b\$12\$[./A-Za-z0-9]{53}$/);
      expect(hashes).toEqual([expected]);
    }
  });

  it('begins nothing when the password was changed while it was compared', async () => {
    const { attempt } = signInOf(
      ADA,
      hashing(async () => true),
      { ...ADA, passwordHash: 'a new one' },
    );
    await expect(attempt()).rejects.toThrow(SignInFailed);
  });

  it('tells of the first failure and of the lock-out, and not of each', async () => {
    const { attempt, events } = signInOf(
      ADA,
      hashing(async () => false),
    );
    for (let count = 0; count < 10; count += 1) await expect(attempt()).rejects.toThrow(SignInFailed);
    for (let count = 0; count < 20; count += 1) await expect(attempt()).rejects.toThrow(SignInLocked);
    expect(events).toEqual(['user.sign_in_failed', 'user.locked_out']);
  });
});
