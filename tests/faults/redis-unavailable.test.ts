import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { askRedis, type ServerWithUrl, startRedis } from '../../scripts/services.mjs';
import { newSession, presenting } from '../contract/session-store.ts';
import {
  beginSpentSessions,
  eventually,
  expectNoneSpentTwice,
  expectUnavailable,
  type FaultStore,
  openStore,
  untilServing,
} from '../support/redis-fault.ts';
import { describeWithOwn } from '../support/services.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const HEAL_MS = 2000;

describeWithOwn('redis', 'a Redis in trouble', () => {
  const toClose: (() => Promise<void>)[] = [];
  const open = (url: string): FaultStore => {
    const opened = openStore(url);
    toClose.push(opened.close);
    return opened;
  };
  const startWith = async (settings: Record<string, string | number>): Promise<ServerWithUrl> => {
    const server = await startRedis({ settings });
    toClose.push(server.stop);
    return server;
  };
  afterEach(async () => {
    for (const close of toClose.splice(0).reverse()) await close();
  });

  it('killed and restarted on its AOF: refuses in time, heals, and spent tokens stay spent', async () => {
    const redis = await startWith({});
    const { store } = open(redis.url);
    const sessions = await beginSpentSessions(store, 50);
    await redis.kill();
    await expectUnavailable(store);
    await redis.restart();
    expect(await untilServing(store, HEAL_MS)).toBeLessThan(HEAL_MS);
    await expectNoneSpentTwice(store, sessions);
  });

  it('absent from the start: refuses in time, and heals once it is there', async () => {
    const redis = await startWith({});
    await redis.kill();
    const { store } = open(redis.url);
    await expectUnavailable(store);
    await redis.restart();
    expect(await untilServing(store, HEAL_MS)).toBeLessThan(HEAL_MS);
  });

  it('hung: refuses in time, again and again, and heals', async () => {
    const redis = await startWith({});
    const { store } = open(redis.url);
    const [session] = await beginSpentSessions(store, 1);
    redis.pause();
    for (let i = 0; i < 4; i++) await expectUnavailable(store);
    redis.resume();
    expect(await untilServing(store, HEAL_MS)).toBeLessThan(HEAL_MS);
    expect(await store.find(session?.id ?? '')).toMatchObject({ generation: 2 });
  });

  it('full: refuses at once, loses nothing, and serves again after', async () => {
    const redis = await startWith({ 'maxmemory-policy': 'noeviction' });
    const { store } = open(redis.url);
    const [live] = await beginSpentSessions(store, 1);
    await askRedis(redis.port, 'CONFIG', 'SET', 'maxmemory', '1');
    await expectUnavailable(store, live, 2);
    await askRedis(redis.port, 'CONFIG', 'SET', 'maxmemory', '0');
    await untilServing(store, HEAL_MS);
    expect(await store.find(live?.id ?? '')).toMatchObject({ generation: 2 });
  });

  it('a replica, perhaps an empty one: refuses, and calls no session ended', async () => {
    const [master, redis] = await Promise.all([startWith({}), startWith({})]);
    const { store } = open(redis.url);
    await store.ping();
    await askRedis(redis.port, 'REPLICAOF', '127.0.0.1', master.port);
    for (let i = 0; i < 3; i++) await expectUnavailable(store);
    await askRedis(redis.port, 'REPLICAOF', 'NO', 'ONE');
    await untilServing(store, HEAL_MS);
  });

  it('without the replicas that it must have: refuses', async () => {
    const redis = await startWith({});
    const { store } = open(redis.url);
    const [live] = await beginSpentSessions(store, 1);
    await askRedis(redis.port, 'CONFIG', 'SET', 'min-replicas-to-write', '1');
    await expectUnavailable(store, live, 2);
  });

  it('MISCONF: refuses while it cannot write its snapshot', async () => {
    const redis = await startWith({ appendonly: 'no' });
    const { store } = open(redis.url);
    const [live] = await beginSpentSessions(store, 1);
    await askRedis(redis.port, 'CONFIG', 'SET', 'save', '3600 1');
    rmSync(redis.folder, { recursive: true });
    await askRedis(redis.port, 'BGSAVE');
    await eventually(async () => expect(await askRedis(redis.port, 'INFO')).toContain('bgsave_status:err'), 5000);
    await expectUnavailable(store, live, 2);
  });

  it('wrong password: refuses, and the password is in no error', async () => {
    const redis = await startWith({});
    await askRedis(redis.port, 'CONFIG', 'SET', 'requirepass', 'the-right-one');
    const { store } = open(redis.url.replace('redis://', 'redis://:hunter2@'));
    const error: Error = await store.ping().then(
      () => Promise.reject(new Error('served')),
      (reason) => reason,
    );
    expect(error.name).toBe('DependencyUnavailable');
    expect(JSON.stringify([error, error.cause, Object.entries(error.cause as object)])).not.toContain('hunter2');
    const right = open(redis.url.replace('redis://', 'redis://:the-right-one@'));
    await right.store.ping();
  });
});

describeWithOwn('redis', 'an answer that is lost after the script has run', () => {
  let redis: ServerWithUrl;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  const losingOneAnswer = async () => {
    const proxy = await startTcpProxy(redis.port);
    const { store, close } = openStore(`redis://127.0.0.1:${proxy.port}`);
    const session = newSession();
    await store.begin(session);
    const attempt = presenting(session);
    const cut = proxy.cutNextAnswer();
    await expect(store.rotate(attempt)).rejects.toMatchObject({ name: 'DependencyUnavailable' });
    await cut;
    await untilServing(store, HEAL_MS);
    const end = async () => {
      await close();
      await proxy.close();
    };
    return { store, session, attempt, end };
  };

  it('is not asked for twice: the session lives, rotated once', async () => {
    const { store, session, attempt, end } = await losingOneAnswer();
    expect(await store.find(session.id)).toMatchObject({ generation: 2, attemptId: attempt.attemptId });
    await end();
  });

  it('is given again to the same attempt, and to the same client in the retry window', async () => {
    const { store, session, attempt, end } = await losingOneAnswer();
    expect(await store.rotate(attempt)).toMatchObject({ outcome: 'rotated', session: { generation: 2 } });
    const retry = await store.rotate(presenting(session, { retrySeconds: 30 }));
    expect(retry).toMatchObject({ outcome: 'retried', session: { generation: 2 } });
    await end();
  });

  it('is a reuse to a new attempt where tokens are strictly single-use', async () => {
    const { store, session, end } = await losingOneAnswer();
    expect(await store.rotate(presenting(session))).toMatchObject({ outcome: 'reused' });
    await end();
  });
});
