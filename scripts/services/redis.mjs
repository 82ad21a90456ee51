/** Private Redis servers: one alone, a Cluster of six, a Sentinel set. No redis-cli needed. */
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {
  eventually,
  findBinary,
  freePorts,
  LOOPBACK,
  makeFolder,
  onFreePorts,
  startServer,
} from './guarded-process.mjs';

export const SENTINEL_NAME = 'keyturn';

export function findRedis() {
  return findBinary('redis-server', 'valkey-server');
}

/** One command in RESP, one short answer as text; error replies reject. */
export function askRedis(port, ...words) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, LOOPBACK);
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer in 2 s')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an answer')));
    socket.once('data', (data) => {
      const answer = String(data);
      if (answer.startsWith('-')) reject(new Error(answer.trim()));
      else resolve(answer);
      socket.destroy();
    });
    const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${parts.join('')}`);
  });
}

/** Settings of every data server: AOF, because Redis with snapshots alone accepts spent tokens again after a kill. */
export function redisArguments(port, folder, bind = LOOPBACK) {
  const settings = {
    port,
    dir: folder,
    bind,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    daemonize: 'no',
    'protected-mode': 'no',
    'repl-diskless-sync-delay': 0,
  };
  return toArguments(settings);
}

function toArguments(settings) {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

export function clusterArguments(port, busPort, nodeTimeoutMs = 5000) {
  return toArguments({
    'cluster-enabled': 'yes',
    'cluster-config-file': `nodes-${port}.conf`,
    'cluster-node-timeout': nodeTimeoutMs,
    'cluster-port': busPort,
    'cluster-announce-ip': LOOPBACK,
  });
}

export function sentinelFile(port, masterPort, downAfterMs) {
  return [
    `port ${port}`,
    'protected-mode no',
    `sentinel monitor ${SENTINEL_NAME} ${LOOPBACK} ${masterPort} 2`,
    `sentinel down-after-milliseconds ${SENTINEL_NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${SENTINEL_NAME} ${Math.max(3000, downAfterMs * 3)}`,
    `sentinel parallel-syncs ${SENTINEL_NAME} 1`,
    '',
  ].join('\n');
}

/** `settings` are those of redis.conf, as `{maxmemory: '2mb'}`. */
export function startRedis({ settings = {}, name = 'redis' } = {}) {
  return onFreePorts(() => startRedisOnce(settings, name));
}

async function startRedisOnce(settings, name) {
  const binary = findRedis();
  const [port] = await freePorts(1);
  const folder = makeFolder(name);
  const command = [binary, ...redisArguments(port, folder), ...toArguments(settings)];
  const server = await startServer({ name, command, folder, isReady: () => isServing(port) });
  return Object.assign(server, { port, url: `redis://${LOOPBACK}:${port}` });
}

async function isServing(port) {
  const answer = await askRedis(port, 'PING');
  if (!answer.startsWith('+PONG')) throw new Error(answer);
}

/** Stops what has started when one of several could not. */
export async function startAll(starting) {
  const results = await Promise.allSettled(starting);
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = results.find((result) => result.status === 'rejected');
  if (!failure) return started;
  await Promise.all(started.map((server) => server.stop()));
  throw failure.reason;
}

/** Three masters with a replica each. `nodeTimeoutMs`: silence after which a master counts as failed. */
export function startRedisCluster({ nodeTimeoutMs = 5000 } = {}) {
  return onFreePorts(() => startRedisClusterOnce(nodeTimeoutMs));
}

async function startRedisClusterOnce(nodeTimeoutMs) {
  const ports = await freePorts(12);
  const nodes = await startAll(
    ports.slice(0, 6).map(async (port, index) => {
      const folder = makeFolder('redis-cluster');
      const clusterWords = clusterArguments(port, ports[index + 6], nodeTimeoutMs);
      const command = [findRedis(), ...redisArguments(port, folder), ...clusterWords];
      const node = await startServer({ name: 'cluster node', command, folder, isReady: () => isServing(port) });
      return Object.assign(node, { port, busPort: ports[index + 6] });
    }),
  );
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  try {
    await formCluster(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, url: clusterUrl(nodes), stop };
}

export function clusterUrl(nodes) {
  return `redis+cluster://${nodes.map((node) => `${LOOPBACK}:${node.port}`).join(',')}`;
}

/** What `redis-cli --cluster create` does, without its fixed waits. `nodes`: three masters, then their replicas. */
export async function formCluster(nodes) {
  const masters = nodes.slice(0, 3);
  const idOf = async (node) => (await askRedis(node.port, 'CLUSTER', 'MYID')).split('\r\n')[1];
  await Promise.all(
    nodes.map(async (node, index) => {
      await askRedis(node.port, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      if (node !== nodes[0]) await askRedis(node.port, 'CLUSTER', 'MEET', LOOPBACK, nodes[0].port, nodes[0].busPort);
    }),
  );
  await Promise.all(
    masters.map((node, index) => {
      const [from, to] = [Math.ceil((index * 16384) / 3), Math.ceil(((index + 1) * 16384) / 3)];
      return askRedis(node.port, 'CLUSTER', 'ADDSLOTS', ...Array.from({ length: to - from }, (_, i) => from + i));
    }),
  );
  await Promise.all(
    nodes.slice(3).map(async (node, index) => {
      const master = await idOf(masters[index]);
      await eventually('replica', () => askRedis(node.port, 'CLUSTER', 'REPLICATE', master));
    }),
  );
  const isWhole = async (node) => {
    const info = await askRedis(node.port, 'CLUSTER', 'INFO');
    if (!/cluster_state:ok/.test(info) || !/cluster_known_nodes:6/.test(info)) throw new Error(info);
    const slots = await askRedis(node.port, 'CLUSTER', 'NODES');
    if (slots.match(/[ ,]slave /g)?.length !== 3) throw new Error(slots);
  };
  await Promise.all(nodes.map((node) => eventually('cluster', () => isWhole(node))));
  await Promise.all(nodes.slice(3).map((node) => eventually('replica', () => hasSynced(node.port))));
}

export async function hasSynced(port) {
  if (!(await askRedis(port, 'INFO', 'replication')).includes('master_link_status:up')) throw new Error('not synced');
}

/** A master, a replica and three sentinels. `downAfterMs`: silence after which they elect the replica. */
export async function startRedisSentinel({ downAfterMs = 5000 } = {}) {
  const master = await startRedis({ name: 'redis-master' });
  const servers = [master];
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())));
  try {
    const replica = await startRedis({ settings: { replicaof: `${LOOPBACK} ${master.port}` }, name: 'redis-replica' });
    servers.push(replica);
    const sentinels = await startAll([0, 1, 2].map(() => onFreePorts(() => startSentinel(master.port, downAfterMs))));
    servers.push(...sentinels);
    await eventually('replica', () => hasSynced(replica.port));
    await Promise.all(sentinels.map(({ port }) => eventually('sentinel', () => knowsTheSet(port))));
    return { master, replica, sentinels, url: sentinelUrl(sentinels), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function sentinelUrl(sentinels) {
  return `redis+sentinel://${sentinels.map(({ port }) => `${LOOPBACK}:${port}`).join(',')}/${SENTINEL_NAME}`;
}

async function startSentinel(masterPort, downAfterMs) {
  const [port] = await freePorts(1);
  const folder = makeFolder('redis-sentinel');
  const file = path.join(folder, 'sentinel.conf');
  writeFileSync(file, `${sentinelFile(port, masterPort, downAfterMs)}dir ${folder}\nbind ${LOOPBACK}\n`);
  const command = [findRedis(), file, '--sentinel'];
  const server = await startServer({ name: 'sentinel', command, folder, isReady: () => isServing(port) });
  return Object.assign(server, { port });
}

export async function knowsTheSet(port) {
  const state = await askRedis(port, 'SENTINEL', 'MASTER', SENTINEL_NAME);
  const fields = state.split('\r\n').filter((line) => !/^[*$%]/.test(line));
  const fieldOf = (name) => fields[fields.indexOf(name) + 1];
  if (fieldOf('num-slaves') !== '1' || fieldOf('num-other-sentinels') !== '2') throw new Error('not all known');
}
