export interface Server {
  /** Of the server itself, for signals. */
  readonly pid: number;
  readonly port: number;
  readonly folder: string;
  stop(): Promise<void>;
  /** SIGKILL; the data stay. */
  kill(): Promise<void>;
  /** Again on the same port and data, after `kill`. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
}

export interface ServerWithUrl extends Server {
  readonly url: string;
}

export interface RedisCluster {
  readonly url: string;
  /** Three masters, then their replicas. */
  readonly nodes: readonly Server[];
  stop(): Promise<void>;
}

export interface RedisSentinelSet {
  readonly url: string;
  readonly master: ServerWithUrl;
  readonly replica: ServerWithUrl;
  readonly sentinels: readonly Server[];
  stop(): Promise<void>;
}

/** `settings` are those of redis.conf. */
export function startRedis(options?: {
  settings?: Readonly<Record<string, string | number>>;
  name?: string;
}): Promise<ServerWithUrl>;
/** `nodeTimeoutMs`: silence after which a master counts as failed; default 5000. */
export function startRedisCluster(options?: { nodeTimeoutMs?: number }): Promise<RedisCluster>;
/** `downAfterMs`: silence of the master after which the sentinels elect the replica; default 5000. */
export function startRedisSentinel(options?: { downAfterMs?: number }): Promise<RedisSentinelSet>;
export function startMariadb(): Promise<ServerWithUrl>;
/** One command to a server on loopback; its answer in RESP. */
export function askRedis(port: number, ...words: (string | number)[]): Promise<string>;
/** Path of the binary; null: servers of one's own can't be had here. */
export function findRedis(): string | null;
export function findMariadb(): object | null;
/** Ports that were free a moment ago, none of which the system gives to outgoing connections meanwhile. */
export function freePorts(count: number): Promise<number[]>;
/** Programs beside Node, installed with apt where that can be done. Throws where one can't be had. */
export function requirePrograms(...names: readonly string[]): void;
