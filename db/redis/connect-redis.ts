import { readFileSync } from 'node:fs';
import type { RedisOptions, Result } from 'ioredis';
import { Cluster, Redis } from 'ioredis';
import { DependencyUnavailable } from '../../server/dependency-unavailable.ts';
import { randomBytes } from '../../server/random.ts';
import { parseRedisUrl, type RedisAddress } from './parse-redis-url.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    beginSession(key: string, ...words: (string | number)[]): Result<number, Context>;
    rotateSession(key: string, ...words: (string | number)[]): Result<string, Context>;
  }
}

export type RedisClient = Redis | Cluster;

export interface RedisConnection {
  /**
   * Runs one command. Answers within 1.2 s, whatever Redis does; waits in that time for the very first connection, and
   * afterwards fails at once while there is none. Never sent twice.
   *
   * @throws {DependencyUnavailable} on every error: error replies, time-outs, lost connections.
   */
  run<T>(command: (client: RedisClient) => Promise<T>): Promise<T>;
  /** Ends it; commands in flight fail. */
  close(): Promise<void>;
}

export interface RedisConnectionOptions {
  /** Told of each trouble of a connection, for the log; free of credentials. Default: nobody is told. */
  readonly onError?: (message: string) => void;
}

/** A command, and with the wait for the first connection: under the 1.5 s in which the service has to answer. */
const COMMAND_MS = 1000;
const ANSWER_MS = 1200;
/** No data in this time while commands wait: the host is gone without a word, so connect anew. */
const SILENCE_MS = 2000;
const CONNECT_MS = 700;
const RECONNECT_CAP_MS = 800;

const SCRIPTS = {
  beginSession: { lua: readScript('begin.lua'), numberOfKeys: 1 },
  rotateSession: { lua: readScript('rotate.lua'), numberOfKeys: 1 },
};

/** scripts/build.mjs copies the .lua files beside the compiled code. */
function readScript(name: string): string {
  return readFileSync(new URL(`./${name}`, import.meta.url), 'utf8');
}

/**
 * Connects to `url` (see {@link parseRedisUrl}) in the background and for ever: a dead Redis is tried again, jittered, at
 * least every 800 ms.
 *
 * @throws {Error} when the URL is wrong; the message repeats nothing of it.
 */
export function connectRedis(url: string, options: RedisConnectionOptions = {}): RedisConnection {
  const client = createClient(parseRedisUrl(url));
  const tell = (error: Error) => options.onError?.(error.message);
  // Without a listener the first lost connection would end the process.
  client.on('error', tell);
  if (client instanceof Cluster) client.on('node error', tell);
  let wasReady = false;
  const ready = new Promise<void>((resolve) => {
    client.once('ready', () => {
      wasReady = true;
      resolve();
    });
  });

  return {
    async run(command) {
      // Never into ioredis's offline queue, from which it would run after the caller was told that it failed.
      const send = async () => {
        if (client.status !== 'ready') throw new Error(`the connection is ${client.status}`);
        return command(client);
      };
      try {
        // A timer less on the hot path: commandTimeout is enough for one server, but not for a cluster's redirections.
        if (wasReady && client instanceof Redis) {
          gatherWrites(client);
          return await send();
        }
        return await inTime(ready, send);
      } catch (error) {
        throw new DependencyUnavailable('redis', withoutArguments(error));
      }
    },
    async close() {
      const ended = new Promise<void>((resolve) => client.once('end', resolve));
      const { passed, clear } = startDeadline();
      client.disconnect();
      await Promise.race([ended, passed]).catch(() => {});
      clear();
    },
  };
}

const gathering = new WeakSet<object>();

/**
 * Commands of one turn of the event loop go out in one system call: each costs as much as an ES256 signature here.
 */
function gatherWrites(client: Redis): void {
  const { stream } = client;
  if (gathering.has(stream)) return;
  gathering.add(stream);
  stream.cork();
  setImmediate(() => {
    gathering.delete(stream);
    stream.uncork();
  });
}

/** What `send` answers once `ready`, both within ANSWER_MS; never sends later than that. */
async function inTime<T>(ready: Promise<void>, send: () => Promise<T>): Promise<T> {
  const deadline = startDeadline();
  try {
    await Promise.race([ready, deadline.passed]);
    return await Promise.race([send(), deadline.passed]);
  } finally {
    deadline.clear();
  }
}

function startDeadline(): { passed: Promise<never>; clear(): void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), ANSWER_MS);
  });
  return { passed, clear: () => clearTimeout(timer) };
}

/** ioredis hangs the command on its errors, and the one that failed may be AUTH: loggers print such properties. */
function withoutArguments(error: unknown): Error {
  return new Error(error instanceof Error ? error.message : 'unknown failure');
}

/** Full jitter over the upper half: instances that lost one Redis don't all come back in the same instant. */
function reconnectDelayMs(attempt: number): number {
  const ceiling = Math.min(RECONNECT_CAP_MS, 25 * 2 ** Math.min(attempt, 10));
  return Math.round(ceiling * (0.5 + (randomBytes(1)[0] ?? 0) / 510));
}

/** What every connection has, to a single server and to each node of a cluster. */
function sharedOptions(address: RedisAddress) {
  return {
    ...(address.username !== null && { username: address.username }),
    ...(address.password !== null && { password: address.password }),
    ...(address.tls && { tls: {} }),
    connectTimeout: CONNECT_MS,
    disconnectTimeout: 500,
    commandTimeout: COMMAND_MS,
    socketTimeout: SILENCE_MS,
    keepAlive: 10_000,
    // A rotation whose answer was lost must not run again by itself.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // A master that became a replica, or an address that moved to another server: look again where the master is.
    reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
  } satisfies RedisOptions;
}

type SharedOptions = ReturnType<typeof sharedOptions>;

function createClient(address: RedisAddress): RedisClient {
  const shared = sharedOptions(address);
  if (address.kind === 'cluster') return createCluster(address, shared);
  const single = {
    ...shared,
    db: address.database,
    enableOfflineQueue: false,
    retryStrategy: reconnectDelayMs,
    scripts: SCRIPTS,
  } satisfies RedisOptions;
  const [{ host, port }] = address.hosts;
  if (address.sentinelName === null) return new Redis({ ...single, host, port });
  return new Redis({
    ...single,
    sentinels: [...address.hosts],
    name: address.sentinelName,
    sentinelCommandTimeout: CONNECT_MS,
    sentinelRetryStrategy: reconnectDelayMs,
  });
}

function createCluster(address: RedisAddress, shared: SharedOptions): Cluster {
  return new Cluster([...address.hosts], {
    redisOptions: shared,
    scripts: SCRIPTS,
    // Nodes are connected when first needed; the commands that come while one connects wait for it, COMMAND_MS at most.
    enableOfflineQueue: true,
    clusterRetryStrategy: reconnectDelayMs,
    maxRedirections: 5,
    // 0: a command in flight on a lost node may have run there, so it is not sent again.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 100,
    retryDelayOnTryAgain: 50,
    slotsRefreshTimeout: CONNECT_MS,
    slotsRefreshInterval: 5000,
  });
}
