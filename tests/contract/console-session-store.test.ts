import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditTrail } from '../../db/sql/audit-trail.ts';
import { SqlConsoleSessionStore } from '../../db/sql/sql-console-session-store.ts';
import { SqlUserStore } from '../../db/sql/sql-user-store.ts';
import type { ConsoleSession } from '../../server/users/console-session.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { aLink, anAccount, anEvent, aSession, NOW_MS } from './user-records.ts';

const MINUTE_MS = 60_000;

describe.each(sqlDatabases)('ConsoleSessionStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlConsoleSessionStore;
  const account = anAccount({ passwordHash: 'hash' });

  beforeEach(async () => {
    sql = await open();
    const trail = new AuditTrail(() => [{ id: 'test', key: Buffer.alloc(32) }]);
    store = new SqlConsoleSessionStore(sql.database, trail);
    await new SqlUserStore(sql.database, trail).insert(account, aLink(), []);
  });
  afterEach(() => sql.close());

  async function begun(fields: Partial<ConsoleSession> = {}): Promise<ConsoleSession> {
    const session = { ...aSession(account.id), ...fields };
    expect(await store.begin(session, ({ id }) => anEvent('user.signed_in', id))).toBe(true);
    return session;
  }
  const eventTypes = (): Promise<string[]> =>
    sql.database.run((knex) => knex('audit_events').orderBy('sequence').pluck('type'));

  it('finds a session with its user, whose last sign-in it was', async () => {
    const session = await begun();
    expect(await store.find(session.tokenHash)).toEqual({ session, account: { ...account, lastSignInAtMs: NOW_MS } });
    expect(await store.find(session.tokenHash.toLowerCase())).toBeNull();
    expect(await eventTypes()).toEqual(['user.signed_in']);
  });

  it('begins nothing when the password is no longer the one, nor for nobody', async () => {
    const session = aSession(account.id);
    expect(await store.begin(session, () => null)).toBe(false);
    expect(await store.begin(aSession('usr_absent'), ({ id }) => anEvent('user.signed_in', id))).toBe(false);
    expect(await store.find(session.tokenHash)).toBeNull();
    expect(await eventTypes()).toEqual([]);
  });

  it('never sets back when it was seen', async () => {
    const { tokenHash } = await begun();
    await store.touch(tokenHash, NOW_MS + 2 * MINUTE_MS);
    await store.touch(tokenHash, NOW_MS + MINUTE_MS);
    expect((await store.find(tokenHash))?.session.lastSeenAtMs).toBe(NOW_MS + 2 * MINUTE_MS);
  });

  it('ends once, with one event', async () => {
    const { tokenHash } = await begun();
    const ends = await Promise.all([1, 2].map(() => store.end(tokenHash, anEvent('user.signed_out', account.id))));
    expect(ends.filter(Boolean)).toHaveLength(1);
    expect(await store.find(tokenHash)).toBeNull();
    expect(await eventTypes()).toEqual(['user.signed_in', 'user.signed_out']);
  });

  it('sweeps what is idle or over, and nothing else', async () => {
    const nowMs = NOW_MS + 31 * MINUTE_MS;
    const idle = await begun();
    const over = await begun({ lastSeenAtMs: nowMs, expiresAtMs: nowMs });
    const live = await begun({ lastSeenAtMs: NOW_MS + 2 * MINUTE_MS });
    expect(await store.deleteEnded(nowMs, 1)).toBe(1);
    expect(await store.deleteEnded(nowMs, 10)).toBe(1);
    expect(await store.deleteEnded(nowMs, 10)).toBe(0);
    expect(await store.find(idle.tokenHash)).toBeNull();
    expect(await store.find(over.tokenHash)).toBeNull();
    expect(await store.find(live.tokenHash)).not.toBeNull();
  });
});
