/* Keyturn with as many keys and live sessions as wanted. */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { permissionSetDigest } from '../../../dist/server/api-keys/permission-set.js';
import { SERVICES } from '../../services.mjs';
import { PERMISSIONS, startKeyturn } from '../harness/keyturn.mjs';
import { requestBytes } from '../harness/load.mjs';
import { insertKeys, keyIdOf, secretOf } from './numbered-keys.mjs';
import { createRefreshTokens, writeSessions } from './numbered-sessions.mjs';
import { redisCpuUs, sqlCpuReader } from './server-cpu.mjs';

/** Keys that are in use at a time; they lie evenly among all. */
const KEYS_IN_USE = 1_000;
const PATTERN = 'pattern';

/**
 * Each on a Redis of its own: two numbered databases of one would share its heap, and the large one would slow the small.
 * The SQL databases share a server, because no exchange asks it.
 */
export async function startFilledKeyturn(bench, { name, keyCount, sessionCount }) {
  const { find, start, startInDocker } = SERVICES.redis;
  const redisServer = await (find() ? start() : startInDocker());
  const databaseUrl = await bench.database(name);
  const masterKey = randomBytes(32).toString('base64');
  const env = { KEYTURN_MASTER_KEY: masterKey };
  const keyturn = await startKeyturn({ databaseUrl, redisUrl: redisServer.url, env });
  await keyturn.createKey({ name: PATTERN });
  const redis = new Redis(redisServer.url);
  const sqlCpuUs = await sqlCpuReader(databaseUrl);

  const keyNumbers = Array.from({ length: KEYS_IN_USE }, (_, index) => 1 + index * (keyCount / KEYS_IN_USE));
  const keyIds = keyNumbers.map(keyIdOf);
  const permissionSet = permissionSetDigest(PERMISSIONS);
  const resetSessions = () => writeSessions(redisServer.url, { count: sessionCount, keyIds, permissionSet });
  const exchange = (number) => requestBytes(keyturn.exchange({ client_secret: secretOf(number) }));

  return {
    keyturn,
    databaseUrl,
    keyCount,
    sessionCount,
    call: createCaller(keyturn),
    resetSessions,
    insertKeys: () => insertKeys(databaseUrl, { pattern: PATTERN, count: keyCount }),
    /** Processor time that all have taken until now, in microseconds; the differences are what counts. */
    cpuUs: async () => ({ keyturn: keyturn.cpuUs(), redis: await redisCpuUs(redis), sql: sqlCpuUs() }),
    /** Ends with an empty Redis. */
    async bytesOfSession() {
      const usedBytes = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))[1]);
      const filled = await usedBytes();
      const sessions = await redis.dbsize();
      await redis.flushall('SYNC');
      return (filled - (await usedBytes())) / sessions;
    },
    requests: {
      /** Exchanges of the keys in use. */
      exchange: inTurn(keyNumbers.map(exchange)),
      /** Exchanges of all keys, in an order without locality. */
      exchangeOfAny: counting((use) => exchange(1 + ((use * 611_953) % keyCount))),
      refresh: refreshes(keyturn, createRefreshTokens({ masterKey, count: sessionCount, keyIds })),
    },
    async stop() {
      redis.disconnect();
      await keyturn.stop();
      await redisServer.stop();
    },
  };
}

const counting = (requestOf) => {
  let use = -1;
  return () => {
    use += 1;
    return requestOf(use);
  };
};
const inTurn = (requests) => counting((use) => requests[use % requests.length]);

function refreshes(keyturn, tokenOf) {
  const { path, headers } = keyturn.exchange({});
  return counting((use) =>
    requestBytes({ path, headers, body: `grant_type=refresh_token&refresh_token=${tokenOf(use)}` }),
  );
}

/** Asks as the administrator; bodies are forms at the token endpoint and JSON elsewhere. */
function createCaller({ port, administrator }) {
  let authorization = null;
  async function send(method, path, { headers, body }) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  }
  async function signIn() {
    const { client_secret } = administrator;
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_secret });
    return `Bearer ${(await send('POST', '/oauth/token', { body })).access_token}`;
  }
  const caller = async (method, path, fields) => {
    if (path === '/oauth/token') return send(method, path, { body: new URLSearchParams(fields) });
    const headers = { authorization: await caller.authorization(), 'content-type': 'application/json' };
    return send(method, path, { headers, body: fields && JSON.stringify(fields) });
  };
  caller.authorization = async () => {
    authorization ??= await signIn();
    return authorization;
  };
  return caller;
}
