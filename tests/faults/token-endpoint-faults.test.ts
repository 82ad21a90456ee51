import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { openDatabase } from '../../db/sql/database.ts';
import { migrateToHead } from '../../db/sql/migrate.ts';
import { type ServerWithUrl, startMariadb, startRedis } from '../../scripts/services.mjs';
import { type Keyturn, type Reply, readReply, startKeyturn } from '../support/keyturn-server.ts';
import { type KeyturnStorage, newMasterKey } from '../support/keyturn-storage.ts';
import { ANSWER_MS, eventually } from '../support/redis-fault.ts';
import { describeWithOwn } from '../support/services.ts';

/** In which an instance knows what another has changed. */
const SEEN_MS = 1_000;

/** Answers within the bound; else the reply says how long it took. */
async function inTime(work: () => Promise<Reply>): Promise<Reply> {
  const started = performance.now();
  const reply = await work();
  expect(performance.now() - started).toBeLessThan(ANSWER_MS);
  return reply;
}

function expectUnavailable(reply: Reply): void {
  expect(reply).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
  expect(reply.headers.get('retry-after')).toMatch(/^[1-9]$/);
  expect(reply.headers.get('cache-control')).toBe('no-store');
}

describeWithOwn('mariadb', 'the service when its stores fail', () => {
  let mariadb: ServerWithUrl;
  let redis: ServerWithUrl;
  let storage: KeyturnStorage;
  let keyturn: Keyturn;
  let other: Keyturn;

  beforeAll(async () => {
    [mariadb, redis] = await Promise.all([
      startMariadb(),
      startRedis({ settings: { appendonly: 'yes', appendfsync: 'always' } }),
    ]);
    const database = openDatabase(mariadb.url);
    await migrateToHead(database);
    await database.close();
    const environment = { DATABASE_URL: mariadb.url, REDIS_URL: redis.url, KEYTURN_MASTER_KEY: newMasterKey() };
    storage = { environment, close: async () => {} };
    keyturn = await startKeyturn(storage);
    other = await startKeyturn(storage);
  }, 60_000);
  afterAll(async () => {
    await keyturn?.close();
    await other?.close();
    await Promise.all([mariadb?.stop(), redis?.stop()]);
  });

  const health = async (path: string) => readReply(await fetch(keyturn.url + path));
  const me = (accessToken: string) => keyturn.api('GET', '/v1/me', undefined, accessToken);
  const untilReady = () => eventually(async () => expect((await health('/readyz')).status).toBe(200), 10_000);

  it.each([
    ['Redis is stopped', () => redis, 'stop', 'sessions'],
    ['Redis hangs', () => redis, 'hang', 'sessions'],
    ['MariaDB is stopped', () => mariadb, 'stop', 'database'],
    ['MariaDB hangs', () => mariadb, 'hang', 'database'],
  ] as const)(
    'when %s: 503 in time where it is needed, the rest goes on, and afterwards no spent token is good',
    async (_, serverOf, how, check) => {
      const server = serverOf();
      const isDatabase = check === 'database';
      const { clientSecret: uncached } = await keyturn.createKey();
      const { body: first } = await keyturn.exchange();
      const { body: second } = await keyturn.refresh(first.refresh_token);
      const { body: kept } = await keyturn.exchange();

      if (how === 'stop') await server.kill();
      else server.pause();
      try {
        const [exchanged, refreshed, scoped, unknown] = await Promise.all([
          inTime(() => keyturn.exchange()),
          inTime(() => keyturn.refresh(kept.refresh_token)),
          inTime(() => keyturn.refresh(second.refresh_token, { scope: 'not-a-permission' })),
          inTime(() => keyturn.exchange(uncached)),
        ]);
        expectUnavailable(unknown);
        // No database is asked for a key that is cached.
        if (isDatabase) expect([exchanged, refreshed, scoped].map(({ status }) => status)).toEqual([200, 200, 400]);
        else for (const reply of [exchanged, refreshed, scoped]) expectUnavailable(reply);
        expect((await inTime(() => me(first.access_token))).status).toBe(200);
        expect((await inTime(() => health('/livez'))).status).toBe(200);
        const ready = await inTime(() => health('/readyz'));
        expect(ready).toMatchObject({
          status: 503,
          body: { status: 'unavailable', checks: { [check]: 'unavailable' } },
        });
        expect((await health('/.well-known/jwks.json')).status).toBe(200);
        const keys = await inTime(() => keyturn.api('GET', '/v1/projects/default/keys', undefined, first.access_token));
        expect([keys.status, keys.headers.has('retry-after')]).toEqual(isDatabase ? [503, true] : [200, false]);
      } finally {
        if (how === 'stop') await server.restart();
        else server.resume();
      }

      await untilReady();
      expect((await keyturn.exchange()).status).toBe(200);
      expect((await keyturn.exchange(uncached)).status).toBe(200);
      expect((await keyturn.refresh(second.refresh_token)).status).toBe(200);
      for (const spent of [first, second]) {
        const reply = await keyturn.refresh(spent.refresh_token);
        expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      }
    },
  );

  it('serves cached keys for a minute after they were read while MariaDB is stopped, then answers 503', async () => {
    const { clientSecret } = await keyturn.createKey();
    let { body } = await keyturn.exchange(clientSecret);
    const readAtMs = performance.now();
    const clock = jest.spyOn(performance, 'now');
    await mariadb.kill();
    try {
      for (const ageMs of [20_000, 40_000, 59_000]) {
        clock.mockReturnValue(readAtMs + ageMs);
        expect((await keyturn.exchange(clientSecret)).status).toBe(200);
        const refreshed = await keyturn.refresh(body.refresh_token);
        expect(refreshed.status).toBe(200);
        body = refreshed.body;
      }
      clock.mockReturnValue(readAtMs + 60_000);
      expectUnavailable(await keyturn.exchange(clientSecret));
      expectUnavailable(await keyturn.refresh(body.refresh_token));
    } finally {
      clock.mockRestore();
      await mariadb.restart();
    }
    await untilReady();
    expect((await keyturn.refresh(body.refresh_token)).status).toBe(200);
  });

  it('answers 503, never 401, to whoever may or may not be known while MariaDB is stopped', async () => {
    const { clientSecret } = await keyturn.createKey();
    await mariadb.kill();
    try {
      expectUnavailable(await keyturn.exchange(clientSecret));
      const basic = { authorization: `Basic ${Buffer.from('ghost:Chosen-Secret-1').toString('base64')}` };
      expectUnavailable(await keyturn.token({ grant_type: 'client_credentials' }, basic));
      // What no store is needed for is refused as ever.
      expect((await keyturn.exchange('ktk_x')).status).toBe(401);
      expect((await keyturn.refresh('ktr_x')).status).toBe(400);
    } finally {
      await mariadb.restart();
    }
    await untilReady();
    expect((await keyturn.exchange(clientSecret)).status).toBe(200);
  });

  it('refuses a key on one instance within a second of its revocation, or deletion, on the other', async () => {
    const ready = async () => (await fetch(`${other.url}/readyz`)).status;
    await eventually(async () => expect(await ready()).toBe(200), 10_000);
    for (const [method, json] of [['PATCH', { is_valid: false }], ['DELETE']] as const) {
      const { id, clientSecret } = await keyturn.createKey();
      const { body } = await other.exchange(clientSecret);
      const path = `/v1/projects/default/keys/${id}`;
      const token = (await keyturn.exchange()).body.access_token;
      expect((await keyturn.api(method, path, json, token)).status).toBeLessThan(300);
      await eventually(async () => expect((await other.exchange(clientSecret)).status).toBe(401), SEEN_MS);
      expect(await other.refresh(body.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
  });
});
