export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, parsed from `REDIS_URL`. */
export interface RedisAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  /** The server, the sentinels, or some nodes of the cluster. */
  readonly hosts: readonly [RedisHost, ...RedisHost[]];
  readonly username: string | null;
  /** For the data servers, not for sentinels. */
  readonly password: string | null;
  /** Number of the database; 0 in a cluster, which has no other. */
  readonly database: number;
  /** Name of the master that the sentinels watch; null without sentinels. */
  readonly sentinelName: string | null;
}

const KINDS: Readonly<Record<string, { kind: RedisAddress['kind']; tls: boolean; port: number }>> = {
  redis: { kind: 'single', tls: false, port: 6379 },
  rediss: { kind: 'single', tls: true, port: 6379 },
  'redis+sentinel': { kind: 'sentinel', tls: false, port: 26379 },
  'redis+cluster': { kind: 'cluster', tls: false, port: 6379 },
};

/**
 * Parses `redis[s]://[user:password@]host[:port][/database]`, `redis+sentinel://[…@]h1[:port],h2,…/name` or
 * `redis+cluster://[…@]h1[:port],h2,…`. Default ports: 6379, sentinels 26379. User and password are percent-decoded.
 *
 * @throws {Error} that says what to mend and repeats nothing of the text: a misplaced part may be the password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const [, scheme = '', rest = ''] = /^([a-z+]+):\/\/(.*)$/s.exec(url) ?? [];
  const known = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined;
  if (!known) throw new Error(`must begin with ${Object.keys(KINDS).join('://, ')}://`);
  if (/[\s?#]/.test(rest)) throw new Error('must have no spaces, ? or # (in a password, write them percent-encoded)');
  const [, userInfo, hostList = '', path = ''] = /^(?:([^@/]*)@)?([^@/]*)(?:\/([^@]*))?$/.exec(rest) ?? [];
  const hosts = hostList.split(',').map((text) => parseHost(text, known.port));
  const [first, ...others] = hosts;
  if (first === undefined) throw new Error('names no host');
  if (known.kind === 'single' && others.length > 0) {
    throw new Error('names several hosts: write redis+cluster:// or redis+sentinel://');
  }
  return {
    kind: known.kind,
    tls: known.tls,
    hosts: [first, ...others],
    ...parseUserInfo(userInfo),
    ...parsePath(known.kind, path),
  };
}

function parseHost(text: string, defaultPort: number): RedisHost {
  const [, bracketed, plain, portText] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = portText === undefined ? defaultPort : Number(portText);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Error('needs hosts as host or host:port (@ and / in a password must be percent-encoded)');
  }
  return { host, port };
}

function parseUserInfo(text: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (text === undefined) return { username: null, password: null };
  const colon = text.indexOf(':');
  try {
    const username = decodeURIComponent(colon < 0 ? text : text.slice(0, colon));
    const password = colon < 0 ? '' : decodeURIComponent(text.slice(colon + 1));
    return { username: username || null, password: password || null };
  } catch {
    throw new Error('has a user or password that is not percent-encoded correctly');
  }
}

function parsePath(kind: RedisAddress['kind'], path: string): Pick<RedisAddress, 'database' | 'sentinelName'> {
  if (kind === 'sentinel') {
    if (!/^[A-Za-z0-9._-]+$/.test(path)) throw new Error('must end with the name of the master, as /mymaster');
    return { database: 0, sentinelName: path };
  }
  if (path === '') return { database: 0, sentinelName: null };
  if (kind === 'cluster') throw new Error('must have nothing after the hosts: a cluster has one database');
  if (!/^\d{1,4}$/.test(path)) throw new Error('may have only the number of a database after the host, as /1');
  return { database: Number(path), sentinelName: null };
}
