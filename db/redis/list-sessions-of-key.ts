import { type ChainableCommander, Cluster, type Redis } from 'ioredis';
import type { Session } from '../../server/sessions/session.ts';
import { InvalidSessionCursor, type ListedSession, type SessionPage } from '../../server/sessions/session-store.ts';
import type { RedisClient, RedisConnection } from './connect-redis.ts';
import { isOfKey, parseSessionRecord, sessionIdOf, sessionKey } from './session-record.ts';

/** How long one page walks. With what a request does beside that, it ends before its deadline. */
const WALK_MS = 500;
/** Keys of one step: a millisecond of Redis, which others wait for. */
const STEP_KEYS = 500;
/** SCAN gives a few keys more than asked for; so many wait in the cursor, which has to fit into a URL. */
const MAX_CARRIED = 20;

/** Where the walk is. */
interface Place {
  /** Of the masters, in order of address; one Redis is its own only master. */
  readonly node: number;
  /** Of its SCAN; null: that is over. */
  readonly scanCursor: string | null;
  /** Ids of sessions that were found and not shown yet. */
  readonly carried: readonly string[];
}

const BEGINNING: Place = { node: 0, scanCursor: '0', carried: [] };

/**
 * Walks all sessions for those of one API key. No index of them is kept: it would cost every exchange a second command and
 * every session half as much memory again, for a list that a person looks at now and then. What SCAN promises holds: what is
 * there from the beginning of the walk to its end is given at least once. While a Cluster gains or loses a master it holds
 * for no walk.
 */
export async function listSessionsOfKey(
  connection: RedisConnection,
  keyId: string,
  { limit, cursor }: { readonly limit: number; readonly cursor: string | null },
): Promise<SessionPage> {
  let place: Place | null = cursor === null ? BEGINNING : parseCursor(cursor);
  const endMs = performance.now() + WALK_MS;
  const sessions = new Map<string, ListedSession>();
  while (place !== null && sessions.size < limit && performance.now() < endMs) {
    const step = await takeStep(connection, keyId, place, limit - sessions.size);
    for (const session of step.sessions) sessions.set(session.id, session);
    place = step.place;
  }
  return {
    sessions: [...sessions.values()],
    nextCursor: place && formatCursor(place),
    totalCount: sessions.size,
    exceedsTotalCount: place !== null,
  };
}

interface Step {
  readonly sessions: readonly ListedSession[];
  /** Null: the walk is over. */
  readonly place: Place | null;
}

function takeStep(connection: RedisConnection, keyId: string, place: Place, room: number): Promise<Step> {
  return connection.run(async (client) => {
    const nodes = mastersOf(client);
    const node = nodes[place.node];
    if (node === undefined) return { sessions: [], place: null };
    const { scanCursor, ids } =
      place.carried.length > 0
        ? { scanCursor: place.scanCursor, ids: place.carried }
        : await findMore(node, keyId, place.scanCursor ?? '0', room);
    // More than the cursor can carry makes the page longer: a Redis with hundreds of keys in one bucket.
    const shownCount = Math.max(room, ids.length - MAX_CARRIED);
    const carried = ids.slice(shownCount);
    const isNodeOver = scanCursor === null && carried.length === 0;
    const next = isNodeOver ? { ...BEGINNING, node: place.node + 1 } : { node: place.node, scanCursor, carried };
    return {
      sessions: await readSessions(node, keyId, ids.slice(0, shownCount)),
      place: next.node < nodes.length ? next : null,
    };
  });
}

function mastersOf(client: RedisClient): readonly Redis[] {
  if (!(client instanceof Cluster)) return [client];
  const address = ({ options }: Redis) => `${options.host}:${options.port}`;
  return client.nodes('master').sort((a, b) => (address(a) < address(b) ? -1 : 1));
}

interface Found {
  readonly scanCursor: string | null;
  readonly ids: readonly string[];
}

async function findMore(node: Redis, keyId: string, scanCursor: string, room: number): Promise<Found> {
  const found = await scan(node, keyId, scanCursor, STEP_KEYS);
  // Nothing was used of it: the same again, in a smaller bite.
  return found.ids.length > room + MAX_CARRIED ? scan(node, keyId, scanCursor, room) : found;
}

async function scan(node: Redis, keyId: string, scanCursor: string, count: number): Promise<Found> {
  const [next, keys] = await node.scan(scanCursor, 'MATCH', `${sessionKey('ses_')}*`, 'COUNT', count);
  const records = await getAll(node, keys);
  const ids = keys.filter((_, index) => isOfKey(records[index] ?? '', keyId)).map(sessionIdOf);
  return { scanCursor: next === '0' ? null : next, ids };
}

/** Not MGET, which a Cluster refuses for keys of several slots. */
async function getAll(node: Redis, keys: readonly string[]): Promise<readonly (string | null)[]> {
  if (keys.length === 0) return [];
  const pipeline = node.pipeline();
  for (const key of keys) pipeline.get(key);
  return (await answersOf(pipeline)) as (string | null)[];
}

async function readSessions(node: Redis, keyId: string, ids: readonly string[]): Promise<ListedSession[]> {
  if (ids.length === 0) return [];
  const pipeline = node.pipeline().time();
  for (const id of ids) pipeline.get(sessionKey(id)).pttl(sessionKey(id));
  const [time, ...answers] = await answersOf(pipeline);
  const [seconds, microseconds] = time as [string, string];
  const nowMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  return ids.flatMap((id, index) => {
    const [record, remainingMs] = answers.slice(2 * index, 2 * index + 2) as [string | null, number];
    // Ids come from a cursor, too, which anybody can make up.
    if (record === null || !isOfKey(record, keyId)) return [];
    return [toListedSession(parseSessionRecord(id, record), nowMs, remainingMs)];
  });
}

function toListedSession(session: Session, nowMs: number, remainingMs: number): ListedSession {
  const { id, generation, lastIp, endsAtMs, rotatedAtMs } = session;
  const lastRefreshedAtMs = generation === 1 ? null : rotatedAtMs;
  // Negative: somebody has taken the end from the key.
  return {
    id,
    generation,
    lastIp,
    endsAtMs,
    lastRefreshedAtMs,
    expiresAtMs: remainingMs < 0 ? null : nowMs + remainingMs,
  };
}

async function answersOf(pipeline: ChainableCommander): Promise<unknown[]> {
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error, answer]) => {
    // Its slot has moved to another master since SCAN: absent here.
    if (error && /^(MOVED|ASK) /.test(error.message)) return null;
    if (error) throw error;
    return answer;
  });
}

const CURSOR = /^(\d{1,3})\.(\d{1,20}|-)((?:\.[0-9a-hjkmnp-tv-z]{26}){0,20})$/;

function formatCursor({ node, scanCursor, carried }: Place): string {
  return [node, scanCursor ?? '-', ...carried.map((id) => id.slice('ses_'.length))].join('.');
}

function parseCursor(cursor: string): Place {
  const [, node, scanCursor = '', carried = ''] = CURSOR.exec(cursor) ?? [];
  if (node === undefined || BigInt(scanCursor.replace('-', '0')) >= 2n ** 64n) throw new InvalidSessionCursor();
  return {
    node: Number(node),
    scanCursor: scanCursor === '-' ? null : scanCursor,
    carried:
      carried === ''
        ? []
        : carried
            .slice(1)
            .split('.')
            .map((suffix) => `ses_${suffix}`),
  };
}
