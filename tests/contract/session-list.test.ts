import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SqlSessionStore } from '../../db/sql/sql-session-store.ts';
import { newId } from '../../server/random.ts';
import type { ListedSession, NewSession, SessionStore } from '../../server/sessions/session-store.ts';
import { openRedisSessions } from '../support/redis-sessions.ts';
import { describeOn } from '../support/services.ts';
import { sqlDatabases } from '../support/sql-databases.ts';
import { newSession, presenting } from './session-store.ts';

type Opened = Pick<Awaited<ReturnType<typeof openRedisSessions>>, 'store' | 'close'>;

/** @param isIndexed false: pages may be short, and come in no order */
function describeList(name: string, isIndexed: boolean, open: () => Promise<Opened>): void {
  describe(`SessionStore.listOfKey on ${name}`, () => {
    let opened: Opened;
    let store: SessionStore;
    const keyId = newId('key');
    const otherKeyId = newId('key');
    let sessions: NewSession[];
    let others: NewSession[];

    const begin = async (count: number, ofKey: string): Promise<NewSession[]> => {
      const begun = Array.from({ length: count }, () => newSession({ keyId: ofKey }));
      for (const session of begun) await store.begin(session);
      return begun;
    };

    beforeAll(async () => {
      opened = await open();
      store = opened.store;
      sessions = await begin(230, keyId);
      others = await begin(40, otherKeyId);
    });
    afterAll(() => opened?.close());

    async function walk(ofKey: string, limit: number): Promise<ListedSession[]> {
      const found: ListedSession[] = [];
      for (let cursor: string | null = null, pages = 0; ; pages += 1) {
        const page = await store.listOfKey(ofKey, { limit, cursor });
        expect(page.sessions.length).toBeLessThanOrEqual(limit);
        expect(page.exceedsTotalCount).toBe(isIndexed ? false : page.nextCursor !== null);
        expect(page.totalCount).toBe(isIndexed ? sessionsOf(ofKey).length : page.sessions.length);
        if (isIndexed && page.nextCursor !== null) expect(page.sessions).toHaveLength(limit);
        found.push(...page.sessions);
        cursor = page.nextCursor;
        if (cursor === null) return found;
        expect(cursor.length).toBeLessThan(1_000);
        expect(pages).toBeLessThan(10_000);
      }
    }

    const sessionsOf = (ofKey: string) => [...sessions, ...others].filter((session) => session.keyId === ofKey);
    const idsOf = (listed: readonly { readonly id: string }[]) => listed.map(({ id }) => id);

    it.each([1, 7, 100, 200])('gives those of the key, and no others, %i at a time', async (limit) => {
      const found = idsOf(await walk(keyId, limit));
      const expected = idsOf(sessions).toReversed();
      // What SCAN gives twice is the same session.
      expect(isIndexed ? found : [...new Set(found)].sort().reverse()).toEqual(expected);
      expect(new Set(idsOf(await walk(otherKeyId, limit)))).toEqual(new Set(idsOf(others)));
    });

    it('ends for a key that has none', async () => {
      expect(await walk(newId('key'), 50)).toEqual([]);
    });

    it('tells what has become of each', async () => {
      const ofKey = newId('key');
      const fresh = newSession({ keyId: ofKey, ip: null, refreshTokenSeconds: 600 });
      const refreshed = newSession({ keyId: ofKey, sessionMaxSeconds: 86_400 });
      const revoked = newSession({ keyId: ofKey });
      for (const session of [fresh, refreshed, revoked]) await store.begin(session);
      await store.revoke(revoked.id);
      await store.rotate(presenting(refreshed, { ip: '2001:db8::7', refreshTokenSeconds: 1_200 }));
      const found: ListedSession[] = [];
      let cursor: string | null = null;
      do {
        const page = await store.listOfKey(ofKey, { limit: 50, cursor });
        found.push(...page.sessions);
        cursor = page.nextCursor;
      } while (cursor !== null);
      const byId = new Map(found.map((session) => [session.id, session]));
      expect([...byId.keys()].sort()).toEqual([fresh.id, refreshed.id].sort());
      const [begun, rotated] = [byId.get(fresh.id), byId.get(refreshed.id)];
      expect(begun).toMatchObject({ generation: 1, lastIp: null, lastRefreshedAtMs: null, endsAtMs: null });
      expect(rotated).toMatchObject({ generation: 2, lastIp: '2001:db8::7' });
      const endOf = (session: ListedSession | undefined) => Number(session?.expiresAtMs);
      // Both were written within a minute, by one clock.
      expect(endOf(rotated) - endOf(begun)).toBeGreaterThan(540_000);
      expect(endOf(rotated) - endOf(begun)).toBeLessThan(660_000);
      expect(endOf(rotated) - Number(rotated?.lastRefreshedAtMs)).toBeGreaterThan(1_140_000);
      expect(Number(rotated?.endsAtMs) - endOf(rotated)).toBeGreaterThan(80_000_000);
    });

    it.each(['', 'x', '0.0.x', '-1.0', '0.99999999999999999999', 'ses_', `ses_${'u'.repeat(26)}`, "ses_' OR 1=1 --"])(
      'refuses the cursor %j',
      async (cursor) => {
        await expect(store.listOfKey(keyId, { limit: 5, cursor })).rejects.toMatchObject({
          name: 'InvalidSessionCursor',
        });
      },
    );

    it('gives nothing of other keys, whatever the cursor says', async () => {
      const id = others[0]?.id ?? '';
      const made = isIndexed ? id : `0.-.${id.slice(4)}`;
      const page = await store.listOfKey(newId('key'), { limit: 5, cursor: made });
      expect(page.sessions).toEqual([]);
    });
  });
}

for (const { name, open } of sqlDatabases) {
  describeList(name, true, async () => {
    const { database, close } = await open();
    return { store: new SqlSessionStore(database), close };
  });
}

for (const service of ['redis', 'redis-cluster', 'redis-sentinel'] as const) {
  describeOn(service, service, (url) => describeList(service, false, () => openRedisSessions(url)));
}
