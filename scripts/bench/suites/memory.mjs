/* What a session takes of Redis's memory, what Keyturn takes of the machine's, and what a key takes in its cache. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Redis } from 'ioredis';
import { startKeyturn } from '../harness/keyturn.mjs';
import { openConnection, requestBytes } from '../harness/load.mjs';
import { atMost, figureRow } from '../harness/rounds.mjs';

/** Just past a power of two: Redis has doubled its tables, and each session pays for as many empty places as it ever will. */
const SESSIONS = 33_000;
const NARROWED_SESSIONS = 8_300;
const REFRESHES = 3;
/** Sessions that are refreshed until their generation has one digit more, and sampled by MEMORY USAGE. */
const SAMPLE = 1_000;
const REFRESHES_OF_SAMPLE = 10;
const TEN_PERMISSIONS = Array.from({ length: 10 }, (_, index) => `read:credential/prod-database-${index}`);
const CACHED_KEYS = 10_000;
const MB = 2 ** 20;

/** A database of the Redis server that nobody uses. */
async function emptyDatabase(redisUrl) {
  for (let number = 15; number > 0; number -= 1) {
    const url = new URL(redisUrl);
    url.pathname = `/${number}`;
    const redis = new Redis(url.href);
    if ((await redis.dbsize()) === 0) return { url: url.href, redis };
    redis.disconnect();
  }
  throw new Error('the Redis server has no empty database between 1 and 15');
}

/** Of the whole server; the highest of a second, since it also clears up after itself meanwhile. */
async function usedMemory(redis) {
  let highest = 0;
  for (let look = 0; look < 5; look += 1) {
    await delay(200);
    highest = Math.max(highest, Number(/used_memory:(\d+)/.exec(await redis.info('memory'))[1]));
  }
  return highest;
}

/** Sends the requests of `bodies` over a few connections; gives the refresh token of each answer, in the same order. */
async function refreshTokensFor(port, connections, bodies) {
  const tokens = new Array(bodies.length);
  let next = 0;
  const drive = async () => {
    const connection = await openConnection(port);
    while (next < bodies.length) {
      const index = next;
      next += 1;
      const { status, body } = await connection.send(
        requestBytes({
          path: '/oauth/token',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: bodies[index],
        }),
      );
      const token = /"refresh_token":"([^"]+)"/.exec(body.latin1Slice())?.[1];
      if (status !== 200 || token === undefined) throw new Error(`an answer of ${status} without a refresh token`);
      tokens[index] = token;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: connections }, drive));
  return tokens;
}

function createSessions({ port, connections, redis }) {
  const begin = (count, parameters) =>
    refreshTokensFor(port, connections, new Array(count).fill(`grant_type=client_credentials&${parameters}`));
  const refresh = (tokens) =>
    refreshTokensFor(
      port,
      connections,
      tokens.map((token) => `grant_type=refresh_token&refresh_token=${token}`),
    );
  return {
    begin,
    /** Tokens of the same sessions after `times` rotations. */
    async refresh(tokens, times) {
      let newest = tokens;
      for (let time = 0; time < times; time += 1) newest = await refresh(newest);
      return newest;
    },
    async assertCount(count) {
      const found = await redis.eval("return #redis.call('KEYS', 'kt:ses_*')", 0);
      if (found !== count) throw new Error(`Redis holds ${found} sessions instead of ${count}`);
    },
  };
}

/** MEMORY USAGE of some sessions: what Redis itself says that key and value take, without their places in its tables. */
async function sampleUsage(redis, count) {
  const names = await redis.eval("return redis.call('KEYS', 'kt:ses_*')", 0);
  const step = Math.max(1, Math.floor(names.length / count));
  const sampled = names.filter((_, index) => index % step === 0);
  return Promise.all(sampled.map((name) => redis.memory('USAGE', name)));
}

async function measureWhole({ redis, sessions, key, keyturn }) {
  const rows = [];
  // The administrator, who made the key, has a session too.
  await redis.flushdb();
  const before = await usedMemory(redis);
  const perSession = async () => ((await usedMemory(redis)) - before) / SESSIONS;

  const first = await sessions.begin(SESSIONS, `client_secret=${key.client_secret}`);
  const afterExchange = await perSession();
  rows.push(figureRow(`Redis bytes a session, ${SESSIONS} exchanged`, [afterExchange]));

  const refreshed = await sessions.refresh(first, REFRESHES);
  await sessions.refresh(refreshed.slice(0, SAMPLE), REFRESHES_OF_SAMPLE);
  await sessions.assertCount(SESSIONS);
  const afterRefreshes = await perSession();
  rows.push(figureRow(`Redis bytes a session, each refreshed ${REFRESHES} times and more`, [afterRefreshes]));
  rows.push(figureRow('MEMORY USAGE of a session, bytes', await sampleUsage(redis, SAMPLE)));
  rows.push(figureRow('RSS of Keyturn after that load, MB', [keyturn.memory() / MB]));
  return { rows, bytes: Math.max(afterExchange, afterRefreshes) };
}

async function measureNarrowed({ redis, sessions, key }) {
  await redis.flushdb();
  const before = await usedMemory(redis);
  const scope = encodeURIComponent(TEN_PERMISSIONS.join(' '));
  await sessions.begin(NARROWED_SESSIONS, `client_secret=${key.client_secret}&scope=${scope}`);
  await sessions.assertCount(NARROWED_SESSIONS);
  const bytes = ((await usedMemory(redis)) - before) / NARROWED_SESSIONS;
  return [figureRow(`Redis bytes a session narrowed to ${TEN_PERMISSIONS.length} permissions`, [bytes])];
}

/** A row of the database, its texts its own as when a driver has read it. */
function apiKeyRow(clientIdSuffix) {
  return JSON.parse(
    JSON.stringify({
      id: `key_${clientIdSuffix}x`,
      project_id: 'prj_01kaj5q0n2e2rb0000000000000',
      client_id: `nightly-backup_${clientIdSuffix}`,
      client_id_suffix: clientIdSuffix,
      name: 'nightly backup',
      description: null,
      owner_id: 'usr_01kaj5q0n2e2rb0000000000000',
      permissions: JSON.stringify(['read:credential/prod-db', 'read:credential/prod-cache', 'create:backup']),
      ip_allowlist: JSON.stringify(['203.0.113.0/24']),
      expires_at_ms: null,
      is_valid: 1,
      secret_hash: `sha256:${randomBytes(32).toString('base64url')}`,
      secret_version: 1,
      hint: 'a1B2',
      refresh_tokens: 1,
      refresh_requires_client_auth: 0,
      created_at_ms: 1_790_000_000_000,
      created_by: null,
      updated_at_ms: 1_790_000_000_000,
      last_used_at_ms: null,
      last_used_ip: null,
      last_denied_at_ms: null,
      last_denied_reason: null,
      project_audiences: '[]',
      secret_created_at_ms: null,
      secret_last_used_at_ms: null,
      previous_secret_hash: null,
      previous_hint: null,
      previous_secret_created_at_ms: null,
      previous_secret_expires_at_ms: null,
      previous_secret_last_used_at_ms: null,
      version: 1,
    }),
  );
}

/** How much this process's heap, and what hangs from it, grows by Keyturn's cache, and then by each key that this has met. */
async function heapOfKeyCache() {
  const { createApiKeyCache } = await import('../../../dist/server/api-keys/api-key-cache.js');
  const { toApiKeyForExchange } = await import('../../../dist/db/sql/api-key-row.js');
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc');
  const inUse = () => {
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = inUse();
  const { reader } = createApiKeyCache({
    apiKeys: { findByClientIdSuffix: async (suffix) => toApiKeyForExchange(apiKeyRow(suffix), []) },
    clock: { nowMs: () => 0 },
  });
  const withEmptyCache = inUse();
  for (let count = 0; count < CACHED_KEYS; count += 1) {
    const { rules } = await reader.findByClientIdSuffix(String(count).padStart(25, 'k'));
    // What an exchange that narrows asks of a key is worked out then, and kept.
    void [rules.allowlist, rules.permissionSet, rules.permissionSetDigest, ...rules.secretsAt(0)];
  }
  const perKey = (inUse() - withEmptyCache) / CACHED_KEYS;
  // Still referred to here, so that it can't have been collected before.
  if ((await reader.findByClientIdSuffix('0'.padStart(25, 'k'))) === null) throw new Error('the cache is empty');
  return { perKey, emptyMb: (withEmptyCache - before) / MB };
}

export async function run(bench) {
  const { url, redis } = await emptyDatabase(bench.redisUrl);
  const keyturn = await startKeyturn({ databaseUrl: await bench.database('keyturn'), redisUrl: url });
  try {
    const key = await keyturn.createKey({ name: 'bench', permissions: TEN_PERMISSIONS });
    const sessions = createSessions({ port: keyturn.port, connections: bench.connections, redis });
    const idle = figureRow('RSS of Keyturn before the load, MB', [keyturn.memory() / MB]);
    const whole = await measureWhole({ redis, sessions, key, keyturn });
    const narrowed = await measureNarrowed({ redis, sessions, key });
    const heap = [];
    for (let round = 1; round <= bench.rounds; round += 1) heap.push(await heapOfKeyCache());
    return {
      rows: [
        idle,
        ...whole.rows,
        ...narrowed,
        figureRow(
          'heap of the empty key cache, MB',
          heap.map(({ emptyMb }) => emptyMb),
        ),
        figureRow(
          'heap bytes a cached key (3 permissions, 1 CIDR)',
          heap.map(({ perKey }) => perKey),
        ),
      ],
      bars: [atMost('memory: Redis bytes a session, whatever the refreshes', whole.bytes, 300)],
    };
  } finally {
    await redis.flushdb();
    redis.disconnect();
    await keyturn.stop();
  }
}
