/**
 * The same servers in containers, where there is Docker and nothing else. A server inside a container has no pid here, so
 * the fault suites, which kill and stop servers, are reported as not run.
 */
import { execFileSync } from 'node:child_process';
import { eventually, findBinary, freePorts, LOOPBACK, makeFolder, startServer } from './guarded-process.mjs';
import { mariadbUrl, mariadbVersion } from './mariadb.mjs';
import {
  askRedis,
  clusterArguments,
  clusterUrl,
  formCluster,
  hasSynced,
  knowsTheSet,
  redisArguments,
  sentinelFile,
  sentinelUrl,
} from './redis.mjs';

/** The first pull of an image is slow. */
const READY_MS = 300_000;

export function hasDocker() {
  if (!findBinary('docker')) return false;
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/** `docker run` in the foreground under the guard: the end of this process ends the container. */
async function startContainer(name, image, { ports, environment = {}, command = [], isReady }) {
  const run = ['docker', 'run', '--rm', '--init'];
  for (const port of ports) run.push('-p', `${LOOPBACK}:${port}:${port}`);
  for (const [key, value] of Object.entries(environment)) run.push('-e', `${key}=${value}`);
  const folder = makeFolder(name);
  const words = [...run, image, ...command];
  // docker passes TERM on to the container; of KILL the container would not hear.
  return startServer({ name, command: words, folder, isReady, readyMs: READY_MS, endSignal: 'TERM' });
}

export async function startMariadbContainer() {
  const [port] = await freePorts(1);
  const url = mariadbUrl(port).replace('keyturn:keyturn@', 'root:keyturn@');
  const server = await startContainer('mariadb', 'mariadb:10.11', {
    ports: [port],
    environment: { MARIADB_ROOT_PASSWORD: 'keyturn', MARIADB_DATABASE: 'keyturn' },
    command: [`--port=${port}`, '--character-set-server=utf8mb4', '--collation-server=utf8mb4_unicode_ci'],
    isReady: () => mariadbVersion(url),
  });
  return { url, stop: server.stop };
}

/** `lines` start servers in the background of one container, so that they reach each other on its loopback. */
async function startRedisContainer(name, ports, busPorts, lines) {
  const isReady = () => Promise.all(ports.map((port) => askRedis(port, 'PING')));
  const script = [...lines.map((line) => `${line} &`), 'wait'].join('\n');
  return startContainer(name, 'redis:7', { ports: [...ports, ...busPorts], command: ['sh', '-c', script], isReady });
}

function redisLine(port, ...more) {
  const words = ['redis-server', ...redisArguments(port, `/data/${port}`, '0.0.0.0'), ...more];
  return `mkdir -p /data/${port} && ${words.map((word) => `'${word}'`).join(' ')}`;
}

export async function startRedisInDocker() {
  const ports = await freePorts(1);
  const { stop } = await startRedisContainer('redis', ports, [], [redisLine(ports[0])]);
  return { port: ports[0], url: `redis://${LOOPBACK}:${ports[0]}`, stop };
}

export async function startClusterInDocker() {
  const ports = await freePorts(12);
  const nodes = ports.slice(0, 6).map((port, index) => ({ port, busPort: ports[index + 6] }));
  const lines = nodes.map(({ port, busPort }) => redisLine(port, ...clusterArguments(port, busPort)));
  const { stop } = await startRedisContainer('redis-cluster', ports.slice(0, 6), ports.slice(6), lines);
  await formCluster(nodes);
  return { nodes, url: clusterUrl(nodes), stop };
}

export async function startSentinelInDocker() {
  const [master, replica, ...sentinels] = await freePorts(5);
  const { stop } = await startRedisContainer(
    'redis-sentinel',
    [master, replica, ...sentinels],
    [],
    [
      redisLine(master),
      redisLine(replica, '--replicaof', `${LOOPBACK} ${master}`),
      ...sentinels.map(
        (port) =>
          `printf '%s' '${sentinelFile(port, master, 5000)}' >/data/${port}.conf && redis-server /data/${port}.conf --sentinel`,
      ),
    ],
  );
  await eventually('replica', () => hasSynced(replica));
  await Promise.all(sentinels.map((port) => eventually('sentinel', () => knowsTheSet(port))));
  return { url: sentinelUrl(sentinels.map((port) => ({ port }))), stop };
}
