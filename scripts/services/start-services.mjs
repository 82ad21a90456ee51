/**
 * What the tests run on: servers named by the environment, else binaries on PATH, else installed with apt (root on
 * Debian), else Docker's. What can be had by none of these is named in `missing`, never passed over in silence.
 */
import { aptInstall, canUseApt } from './apt.mjs';
import {
  hasDocker,
  startClusterInDocker,
  startMariadbContainer,
  startRedisInDocker,
  startSentinelInDocker,
} from './docker.mjs';
import { findMariadb, mariadbVersion, startMariadb } from './mariadb.mjs';
import { askRedis, findRedis, startAll, startRedis, startRedisCluster, startRedisSentinel } from './redis.mjs';

export const SERVICES = {
  mariadb: {
    variable: 'TEST_DATABASE_URL',
    package: 'mariadb-server',
    find: findMariadb,
    start: startMariadb,
    startInDocker: startMariadbContainer,
    describe: async ({ url }) => `MariaDB ${await mariadbVersion(url)} (port ${new URL(url).port})`,
  },
  redis: {
    variable: 'TEST_REDIS_URL',
    package: 'redis-server',
    find: findRedis,
    start: startRedis,
    startInDocker: startRedisInDocker,
    describe: async ({ url }) => `Redis ${await redisVersion(url)} (port ${new URL(url).port})`,
  },
  'redis-cluster': {
    variable: 'TEST_REDIS_CLUSTER_URL',
    package: 'redis-server',
    find: findRedis,
    start: startRedisCluster,
    startInDocker: startClusterInDocker,
    describe: async ({ url }) => `Cluster of ${hostCount(url)} (ports ${portsOf(url)})`,
  },
  'redis-sentinel': {
    variable: 'TEST_REDIS_SENTINEL_URL',
    package: 'redis-server',
    find: findRedis,
    start: startRedisSentinel,
    startInDocker: startSentinelInDocker,
    describe: async ({ url }) => `Sentinel of ${hostCount(url)} (ports ${portsOf(url)})`,
  },
};

const hostCount = (url) => url.split(',').length;
const portsOf = (url) =>
  url
    .match(/:\d+/g)
    .map((port) => port.slice(1))
    .join(' ');

async function redisVersion(url) {
  const info = await askRedis(Number(new URL(url).port || 6379), 'INFO', 'server').catch(() => '');
  return /redis_version:(\S+)/.exec(info)?.[1] ?? 'of unknown version';
}

/**
 * @param {{ want?: string[] }} options names of SERVICES; default: all
 * @returns environment variables to set, one line that says what runs, what is missing, and `stop`
 */
export async function startServices({ want = Object.keys(SERVICES) } = {}) {
  const given = want.filter((name) => process.env[SERVICES[name].variable]);
  const wanted = want.filter((name) => !given.includes(name));
  const notes = installWhatIsAbsent(wanted);
  const dockerIsThere = wanted.some((name) => !SERVICES[name].find()) && hasDocker();
  const starting = [];
  for (const name of wanted) {
    const start = SERVICES[name].find() ? SERVICES[name].start : dockerIsThere ? SERVICES[name].startInDocker : null;
    if (start) starting.push(start().then((server) => ({ name, url: server.url, stop: server.stop })));
  }
  const started = await startAll(starting);
  const running = [...given.map((name) => ({ name, url: process.env[SERVICES[name].variable] })), ...started];
  running.sort((a, b) => want.indexOf(a.name) - want.indexOf(b.name));
  const descriptions = await Promise.all(running.map((server) => SERVICES[server.name].describe(server)));
  return {
    environment: Object.fromEntries(running.map(({ name, url }) => [SERVICES[name].variable, url])),
    runningOn: [...descriptions, 'SQLite'].join(', '),
    missing: Object.keys(SERVICES).filter((name) => !running.some((server) => server.name === name)),
    notes,
    stop: async () => void (await Promise.all(started.map((server) => server.stop()))),
  };
}

/** What went wrong, in words; empty when all is there. */
function installWhatIsAbsent(names) {
  const absent = names.filter((name) => !SERVICES[name].find());
  if (absent.length === 0 || !canUseApt()) return [];
  const packages = [...new Set(absent.map((name) => SERVICES[name].package))];
  process.stderr.write(`installing ${packages.join(' ')} with apt-get …\n`);
  try {
    aptInstall(packages);
    return [];
  } catch (error) {
    return [`apt-get could not install ${packages.join(' ')}: ${String(error.stderr ?? error.message).trim()}`];
  }
}
