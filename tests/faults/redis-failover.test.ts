import { expect, it } from '@jest/globals';
import { sessionKey } from '../../db/redis/session-record.ts';
import { askRedis, startRedisCluster, startRedisSentinel } from '../../scripts/services.mjs';
import { presenting } from '../contract/session-store.ts';
import {
  ANSWER_MS,
  beginSpentSessions,
  eventually,
  expectNoneSpentTwice,
  expectUnavailable,
  openStore,
  untilReplicated,
  untilServing,
} from '../support/redis-fault.ts';
import { describeWithOwn } from '../support/services.ts';

const DOWN_AFTER_MS = 1000;

describeWithOwn('redis', 'a Redis that moves', () => {
  it('Sentinel elects the replica: refuses in time meanwhile, spends nothing twice', async () => {
    const set = await startRedisSentinel({ downAfterMs: DOWN_AFTER_MS });
    const { store, close } = openStore(set.url);
    try {
      const sessions = await beginSpentSessions(store, 50);
      await untilReplicated(set.master.port);
      await set.master.kill();
      await expectUnavailable(store);
      expect(await untilServing(store, DOWN_AFTER_MS + 3000)).toBeLessThan(DOWN_AFTER_MS + 3000);
      await expectNoneSpentTwice(store, sessions);
    } finally {
      await close();
      await set.stop();
    }
  });

  it('a Cluster loses a master: other slots go on, all serve again, spends nothing twice', async () => {
    const cluster = await startRedisCluster({ nodeTimeoutMs: 1000 });
    const { store, close } = openStore(cluster.url);
    try {
      const sessions = await beginSpentSessions(store, 60);
      await Promise.all(cluster.nodes.slice(0, 3).map(({ port }) => untilReplicated(port)));
      await cluster.nodes[0]?.kill();
      const start = performance.now();
      await Promise.allSettled(sessions.map((session) => store.find(session.id)));
      expect(performance.now() - start).toBeLessThan(ANSWER_MS);
      const findAll = () => Promise.all(sessions.map((session) => store.find(session.id)));
      expect(await eventually(findAll, 10_000)).toBeLessThan(10_000);
      await expectNoneSpentTwice(store, sessions);
    } finally {
      await close();
      await cluster.stop();
    }
  });

  it('a Cluster moves slots to another master under use: no request fails', async () => {
    const cluster = await startRedisCluster();
    const { store, close } = openStore(cluster.url);
    try {
      const sessions = await beginSpentSessions(store, 60);
      const [from, to] = cluster.nodes;
      if (!from || !to) throw new Error('no nodes');
      let isMoving = true;
      const keys = sessions.map((session) => sessionKey(session.id));
      const moving = moveSlots(from.port, to.port, keys).finally(() => {
        isMoving = false;
      });
      let generation = 2;
      do {
        const results = await Promise.all(sessions.map((session) => store.rotate(presenting(session, { generation }))));
        expect(new Set(results.map((result) => result.outcome))).toEqual(new Set(['rotated']));
        generation++;
      } while (isMoving);
      expect(await moving).toBeGreaterThan(0);
      expect(generation).toBeGreaterThan(3);
    } finally {
      await close();
      await cluster.stop();
    }
  });
});

/** Hands the slots of those `keys` that live on one master to another, one by one. @returns how many keys moved */
async function moveSlots(from: number, to: number, keys: readonly string[]): Promise<number> {
  const idOf = async (port: number) => (await askRedis(port, 'CLUSTER', 'MYID')).split('\r\n')[1] ?? '';
  const [fromId, toId] = [await idOf(from), await idOf(to)];
  let movedCount = 0;
  for (const key of keys) {
    const slot = (await askRedis(from, 'CLUSTER', 'KEYSLOT', key)).slice(1).trim();
    if (!(await askRedis(from, 'CLUSTER', 'GETKEYSINSLOT', slot, 100)).includes(key)) continue;
    await askRedis(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await askRedis(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    await askRedis(from, 'MIGRATE', '127.0.0.1', to, '', 0, 2000, 'KEYS', key);
    for (const port of [to, from]) await askRedis(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    movedCount++;
  }
  return movedCount;
}
