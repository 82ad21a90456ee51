import type { Knex } from 'knex';
import type { SetupLink } from '../../server/users/setup-link.ts';
import type { Account } from '../../server/users/user.ts';
import { EmailTaken } from '../../server/users/user-store.ts';
import { violatesUnique } from './database-error.ts';

export interface UserRow {
  readonly id: string;
  readonly email: string | null;
  readonly name: string;
  /** Null: written by a version that knew none. */
  readonly permissions: string | null;
  readonly password_hash: string | null;
  readonly last_sign_in_at_ms: number | null;
  readonly version: number;
  readonly created_at_ms: number;
  readonly updated_at_ms: number | null;
}

export function toAccount(row: UserRow): Account {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    permissions: row.permissions === null ? [] : JSON.parse(row.permissions),
    passwordHash: row.password_hash,
    lastSignInAtMs: row.last_sign_in_at_ms,
    version: row.version,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms ?? row.created_at_ms,
  };
}

export function fromAccount(account: Account): UserRow {
  return {
    id: account.id,
    email: account.email,
    name: account.name,
    permissions: JSON.stringify(account.permissions),
    password_hash: account.passwordHash,
    last_sign_in_at_ms: account.lastSignInAtMs,
    version: account.version,
    created_at_ms: account.createdAtMs,
    updated_at_ms: account.updatedAtMs,
  };
}

/**
 * The user, locked: the first lock of every transaction that writes a user, their links or their console sessions, so that
 * no two of them wait for each other. Null when there is none.
 */
export async function lockUser(trx: Knex.Transaction, id: string): Promise<Account | null> {
  const row = await trx<UserRow>('users').where({ id }).forUpdate().first();
  return row ? toAccount(row) : null;
}

export async function insertLink(trx: Knex.Transaction, userId: string, link: SetupLink): Promise<void> {
  await trx('setup_links').insert({
    token_hash: link.tokenHash,
    user_id: userId,
    expires_at_ms: link.expiresAtMs,
    used_at_ms: null,
    created_at_ms: link.createdAtMs,
    created_by: link.createdBy,
  });
}

export async function endLinks(trx: Knex.Transaction, userId: string): Promise<void> {
  await trx('setup_links').where({ user_id: userId }).whereNull('used_at_ms').delete();
}

/** Runs a write of the user's e-mail address. Throws {@link EmailTaken}. */
export async function withUniqueEmail<T>(email: string | null, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (violatesUnique(error, 'users_email', ['users.email'])) throw new EmailTaken(email ?? '');
    throw error;
  }
}
