import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditTrail } from '../../db/sql/audit-trail.ts';
import { SqlConsoleSessionStore } from '../../db/sql/sql-console-session-store.ts';
import { SqlUserStore } from '../../db/sql/sql-user-store.ts';
import type { PageRequest } from '../../server/page.ts';
import type { Account } from '../../server/users/user.ts';
import { EmailTaken } from '../../server/users/user-store.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { aLink, anAccount, anEvent, aSession, NOW_MS } from './user-records.ts';

const unreachable = (): never => {
  throw new Error('nothing is decided here');
};

const FIRST_PAGE: PageRequest<'created_at' | 'email'> = { limit: 50, sort: 'email', isDescending: false, after: null };

describe.each(sqlDatabases)('UserStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlUserStore;
  let sessions: SqlConsoleSessionStore;

  beforeEach(async () => {
    sql = await open();
    const trail = new AuditTrail(() => [{ id: 'test', key: Buffer.alloc(32) }]);
    store = new SqlUserStore(sql.database, trail);
    sessions = new SqlConsoleSessionStore(sql.database, trail);
  });
  afterEach(() => sql.close());

  async function inserted(fields: Partial<Account> = {}): Promise<Account> {
    const account = anAccount(fields);
    await store.insert(account, aLink(), [anEvent('user.created', account.id)]);
    return account;
  }
  const eventTypes = (objectId: string): Promise<string[]> =>
    sql.database.run((knex) => knex('audit_events').where({ object_id: objectId }).orderBy('sequence').pluck('type'));
  const liveLinks = (userId: string): Promise<string[]> =>
    sql.database.run((knex) =>
      knex('setup_links').where({ user_id: userId }).whereNull('used_at_ms').pluck('token_hash'),
    );
  const signedIn = async (userId: string) => {
    const session = aSession(userId);
    await sessions.begin(session, ({ id }) => anEvent('user.signed_in', id));
    return session.tokenHash;
  };
  const sessionsOf = (userId: string): Promise<string[]> =>
    sql.database.run((knex) => knex('console_sessions').where({ user_id: userId }).pluck('token_hash'));

  it('finds what was inserted, by id and by e-mail address, with its event', async () => {
    const account = await inserted();
    expect(await store.find(account.id)).toEqual(account);
    expect(await store.findByEmail(account.email ?? '')).toEqual(account);
    expect(await store.findByEmail((account.email ?? '').toUpperCase())).toBeNull();
    expect(await eventTypes(account.id)).toEqual(['user.created']);
  });

  it('refuses an e-mail address that is taken, and writes nothing', async () => {
    const { email } = await inserted();
    const second = anAccount({ email });
    await expect(store.insert(second, aLink(), [anEvent('user.created', second.id)])).rejects.toThrow(EmailTaken);
    expect(await eventTypes(second.id)).toEqual([]);
    const third = await inserted();
    const edit = store.update(third.id, (object) => ({
      object: { ...object, email },
      event: anEvent('user.updated', third.id),
    }));
    await expect(edit).rejects.toThrow(EmailTaken);
    expect(await store.find(third.id)).toEqual(third);
  });

  it('lists by the beginning of the e-mail address, whatever characters are in it', async () => {
    for (const email of ['a_b@x.example', 'a%b@x.example', 'aab@x.example', 'é@x.example']) await inserted({ email });
    const emails = async (emailBeginning?: string) =>
      (await store.list({ emailBeginning }, FIRST_PAGE)).items.map(({ email }) => email);
    expect(await emails('a_')).toEqual(['a_b@x.example']);
    expect(await emails('a%')).toEqual(['a%b@x.example']);
    expect(await emails('a')).toEqual(['a%b@x.example', 'a_b@x.example', 'aab@x.example']);
    expect(await emails('é')).toEqual(['é@x.example']);
    expect(await emails()).toHaveLength(4);
  });

  it('counts each of ten parallel edits, and none that changes nothing', async () => {
    const { id } = await inserted();
    await Promise.all(
      Array.from({ length: 10 }, () =>
        store.update(id, (object) => ({
          object: { ...object, name: `${object.name}+` },
          event: anEvent('user.updated', id),
        })),
      ),
    );
    expect(await store.update(id, (object) => ({ object, event: null }))).toMatchObject({ version: 11 });
    expect(await store.find(id)).toMatchObject({ name: `Ada${'+'.repeat(10)}`, version: 11 });
    expect(await store.update('usr_absent', () => unreachable())).toBeNull();
  });

  it('a link works once, of two at once for one', async () => {
    const account = anAccount();
    const link = aLink();
    await store.insert(account, link, []);
    expect(await store.findInvited(link.tokenHash, NOW_MS)).toEqual(account);
    const before = await signedIn(account.id);
    const use = (passwordHash: string) =>
      store.setUp(link.tokenHash, aSession(account.id), (current) => ({
        account: { ...current, passwordHash, version: current.version + 1 },
        events: [anEvent('user.password_set', account.id)],
      }));
    const results = await Promise.all([use('one'), use('two'), use('three')]);
    expect(results.filter(Boolean)).toHaveLength(1);
    const winner = ['one', 'two', 'three'][results.indexOf(true)];
    expect(await store.find(account.id)).toMatchObject({ passwordHash: winner, version: 2, lastSignInAtMs: NOW_MS });
    expect(await eventTypes(account.id)).toEqual(['user.signed_in', 'user.password_set']);
    expect(await store.findInvited(link.tokenHash, NOW_MS)).toBeNull();
    const left = await sessionsOf(account.id);
    expect(left).toHaveLength(1);
    expect(left).not.toContain(before);
  });

  it('a link ends with its time and with a newer one', async () => {
    const account = anAccount();
    const [first, second] = [aLink(), aLink()];
    await store.insert(account, first, []);
    expect(await store.findInvited(first.tokenHash, first.expiresAtMs)).toBeNull();
    const late = { ...aSession(account.id), createdAtMs: first.expiresAtMs };
    expect(await store.setUp(first.tokenHash, late, () => unreachable())).toBe(false);
    expect(await store.invite(account.id, second, ({ id }) => anEvent('user.invited', id))).toBe(true);
    expect(await liveLinks(account.id)).toEqual([second.tokenHash]);
    expect(await store.invite('usr_absent', aLink(), ({ id }) => anEvent('user.invited', id))).toBe(false);
  });

  it('a new password ends all sessions but the one kept, and the links', async () => {
    const { id } = await inserted({ passwordHash: 'old' });
    const { id: otherId } = await inserted();
    const [kept] = await Promise.all([signedIn(id), signedIn(id), signedIn(otherId)]);
    const written = await store.setPassword(id, String(kept), (current) => ({
      object: { ...current, passwordHash: 'new' },
      event: anEvent('user.password_set', id),
    }));
    expect(written).toMatchObject({ passwordHash: 'new' });
    expect(await sessionsOf(id)).toEqual([kept]);
    expect(await liveLinks(id)).toEqual([]);
    expect(await sessionsOf(otherId)).toHaveLength(1);
  });

  it('goes with memberships, links and sessions, and tells the projects', async () => {
    const { id } = await inserted();
    await signedIn(id);
    const times = { created_at_ms: 1, updated_at_ms: 1, version: 1 };
    await sql.database.run((knex) =>
      knex('projects').insert({ id: 'prj_1', slug: 's', name: 'n', audiences: '[]', created_at_ms: 1 }),
    );
    await sql.database.run((knex) => knex('members').insert({ project_id: 'prj_1', user_id: id, ...times }));
    expect(await store.membershipsOf(id)).toEqual([
      { projectId: 'prj_1', projectSlug: 's', projectName: 'n', roles: [] },
    ]);
    let told: readonly string[] = [];
    const isDeleted = await store.delete(id, (_account, projectIds) => {
      told = projectIds;
      return [anEvent('user.deleted', id)];
    });
    expect(isDeleted).toBe(true);
    expect(told).toEqual(['prj_1']);
    expect(await store.find(id)).toBeNull();
    expect([await sessionsOf(id), await liveLinks(id), await store.membershipsOf(id)]).toEqual([[], [], []]);
    expect(await store.delete(id, () => [])).toBe(false);
  });
});
