import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openDatabase } from '../../db/sql/database.ts';
import { migrateToHead } from '../../db/sql/migrate.ts';
import { type ServerWithUrl, startMariadb, startRedis } from '../../scripts/services.mjs';
import { type Keyturn, type Reply, startKeyturn } from '../support/keyturn-server.ts';
import { newMasterKey } from '../support/keyturn-storage.ts';
import { describeWithOwn } from '../support/services.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** The service answers within 1.5 s; here it shares two cores with its stores, its client and other suites. */
const BOUND_MS = 2_000;

/** Each answer of a store late by itself within its time-out: what adds up is several of them in one request. */
describeWithOwn('mariadb', 'the service on slow stores', () => {
  let servers: ServerWithUrl[] = [];
  let sqlProxy: TcpProxy;
  let redisProxy: TcpProxy;
  let onRedis: Keyturn;
  let onSqlAlone: Keyturn;

  beforeAll(async () => {
    const [mariadb, redis] = await Promise.all([startMariadb(), startRedis()]);
    servers = [mariadb, redis];
    const database = openDatabase(mariadb.url);
    await migrateToHead(database);
    await database.close();
    sqlProxy = await startTcpProxy(mariadb.port);
    redisProxy = await startTcpProxy(redis.port);
    const sql = { DATABASE_URL: mariadb.url.replace(String(mariadb.port), String(sqlProxy.port)) };
    const environment = { ...sql, KEYTURN_MASTER_KEY: newMasterKey() };
    const storage = { environment, close: async () => {} };
    onSqlAlone = await startKeyturn(storage);
    const withRedis = { REDIS_URL: `redis://127.0.0.1:${redisProxy.port}` };
    onRedis = await startKeyturn(storage, { environment: withRedis });
  }, 60_000);
  afterAll(async () => {
    await onSqlAlone?.close();
    await onRedis?.close();
    await Promise.all([sqlProxy?.close(), redisProxy?.close(), ...servers.map((server) => server.stop())]);
  });

  async function inTime(work: Promise<Reply>): Promise<number> {
    const started = performance.now();
    const { status, headers } = await work;
    expect(performance.now() - started).toBeLessThan(BOUND_MS);
    if (status === 503) expect(headers.get('retry-after')).toMatch(/^[1-9]$/);
    return status;
  }

  it.each([500, 700, 1000])(
    '%d ms each: every answer is in time, a result or 503',
    async (milliseconds) => {
      for (const keyturn of [onSqlAlone, onRedis]) {
        const { body: session } = await keyturn.exchange();
        const { body: other } = await keyturn.exchange();
        const { clientId, clientSecret } = await keyturn.createKey();
        sqlProxy.delayAnswers(milliseconds);
        redisProxy.delayAnswers(milliseconds);
        try {
          const { clientSecret: secret } = keyturn.administrator;
          // Two calls, on connections that stand: half a second each is no reason to refuse.
          if (milliseconds === 500) expect(await inTime(keyturn.exchange())).toBe(200);
          const statuses = await Promise.all([
            inTime(keyturn.exchange()),
            inTime(keyturn.refresh(session.refresh_token)),
            inTime(keyturn.refresh(other.refresh_token, { scope: '*:*', client_secret: secret })),
            inTime(
              keyturn.token({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
            ),
            inTime(keyturn.api('GET', '/v1/projects/default/keys')),
            inTime(keyturn.api('POST', '/v1/projects/default/keys', { name: `slow ${milliseconds} ${keyturn.url}` })),
          ]);
          for (const status of statuses) expect([200, 201, 503]).toContain(status);
        } finally {
          sqlProxy.delayAnswers(0);
          redisProxy.delayAnswers(0);
        }
      }
    },
    60_000,
  );
});
