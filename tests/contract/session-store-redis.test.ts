import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { connectRedis, type RedisConnection } from '../../db/redis/connect-redis.ts';
import { RedisSessionStore } from '../../db/redis/redis-session-store.ts';
import { formatConstantFields, formatIp, parseSessionRecord, sessionKey } from '../../db/redis/session-record.ts';
import { newId } from '../../server/random.ts';
import { decideRotation } from '../../server/sessions/decide-rotation.ts';
import { describeOn } from '../support/services.ts';
import { newSession, presenting } from './session-store.ts';

const OUTCOMES = {
  rotate: 'rotated',
  repeat: 'rotated',
  retry: 'retried',
  reuse: 'reused',
  rollback: 'rolled_back',
} as const;

describeOn('redis', 'RedisSessionStore on one Redis', (url) => {
  let connection: RedisConnection;
  let store: RedisSessionStore;
  beforeAll(() => {
    connection = connectRedis(url);
    store = new RedisSessionStore(connection);
  });
  afterAll(() => connection.close());

  const nowMs = async () => {
    const [seconds, micros] = await connection.run((client) => client.time());
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  };

  const address = fc.constantFrom(null, '203.0.113.7', '2001:db8::7');
  const scene = fc.record({
    generation: fc.integer({ min: 1, max: 5 }),
    attemptId: fc.constantFrom('a', 'b'),
    ageSeconds: fc.integer({ min: 0, max: 60 }),
    lastIp: address,
    attempt: fc.record({
      generation: fc.integer({ min: 1, max: 6 }),
      attemptId: fc.constantFrom('a', 'b', 'c'),
      ip: address,
      retrySeconds: fc.integer({ min: 0, max: 30 }),
    }),
  });

  it('decides in Lua as decideRotation does', async () => {
    const property = fc.asyncProperty(scene, async ({ generation, attemptId, ageSeconds, lastIp, attempt }) => {
      // The few milliseconds between here and the script must not cross the end of the window.
      fc.pre(ageSeconds !== attempt.retrySeconds);
      const id = newId('ses');
      const now = await nowMs();
      const fields = [1, generation, attemptId, now - ageSeconds * 1000, 0, formatIp(lastIp)];
      const grant = { permissions: ['read:a'], permissionSet: null, resource: null };
      const record = [...fields, formatConstantFields({ keyId: newId('key'), secretVersion: 2, grant })].join(' ');
      await connection.run((client) => client.set(sessionKey(id), record, 'PX', 60_000));
      const decision = decideRotation(parseSessionRecord(id, record), attempt, now);
      const result = await store.rotate({ ...attempt, sessionId: id, refreshTokenSeconds: 60 });
      expect(result.outcome).toBe(OUTCOMES[decision]);
      const after = await store.find(id);
      const isOver = decision === 'reuse' || decision === 'rollback';
      expect(after?.generation ?? null).toBe(isOver ? null : decision === 'rotate' ? generation + 1 : generation);
    });
    await fc.assert(property, { numRuns: 300 });
  });

  const grants = fc.oneof(
    fc.record({
      permissions: fc.constant(null),
      permissionSet: fc.stringMatching(/^[\w-]{22}$/),
      resource: fc.option(fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.constant('https://a.b/ü %2F\n"'))),
    }),
    fc.record({
      permissions: fc.array(fc.stringMatching(/^[a-z*]{1,9}:[a-z*]{1,9}(\/[\w*-]{1,9})?$/)),
      permissionSet: fc.constant(null),
      resource: fc.option(fc.webUrl()),
    }),
  );

  it('tells of a session, with each outcome, all that was granted', async () => {
    const property = fc.asyncProperty(grants, address, async (grant, ip) => {
      const session = newSession({ grant, ip });
      await store.begin(session);
      const attempt = presenting(session, { ip: '203.0.113.7', retrySeconds: 30 });
      const successor = { id: session.id, keyId: session.keyId, generation: 2, lastIp: '203.0.113.7', grant };
      expect(await store.rotate(attempt)).toMatchObject({ outcome: 'rotated', session: successor });
      expect(await store.rotate(attempt)).toMatchObject({ outcome: 'rotated', session: successor });
      const retry = { ...attempt, attemptId: 'another' };
      expect(await store.rotate(retry)).toMatchObject({ outcome: 'retried', session: successor });
      const reuse = { ...retry, retrySeconds: 0 };
      expect(await store.rotate(reuse)).toMatchObject({ outcome: 'reused', session: successor });
    });
    await fc.assert(property, { numRuns: 100 });
  });

  it('serves a record whose life somebody has made endless', async () => {
    const session = newSession();
    await store.begin(session);
    const attempt = presenting(session);
    await store.rotate(attempt);
    await connection.run((client) => client.persist(sessionKey(session.id)));
    expect(await store.rotate(attempt)).toMatchObject({ outcome: 'rotated', session: { generation: 2 } });
    expect(await store.rotate(presenting(session, { generation: 2 }))).toMatchObject({ outcome: 'rotated' });
    const lifeMs = await connection.run((client) => client.pttl(sessionKey(session.id)));
    expect(lifeMs).toBeGreaterThan(0);
  });

  it('keeps a session in at most 300 bytes, whatever the refreshes', async () => {
    const ip = '2001:db8:1234:5678:9abc:def0:1234:5678';
    const session = newSession({ ip, sessionMaxSeconds: 86_400 });
    await store.begin(session);
    for (let generation = 1; generation <= 200; generation++) {
      await store.rotate(presenting(session, { generation, ip }));
    }
    expect((await store.find(session.id))?.generation).toBe(201);
    const bytes = await connection.run((client) => client.memory('USAGE', sessionKey(session.id)));
    expect(bytes).toBeLessThanOrEqual(300);
  });

  it('does not mind SCRIPT FLUSH', async () => {
    const session = newSession();
    await connection.run((client) => client.script('FLUSH'));
    await store.begin(session);
    await connection.run((client) => client.script('FLUSH'));
    expect(await store.rotate(presenting(session))).toMatchObject({ outcome: 'rotated' });
    await connection.run((client) => client.script('FLUSH'));
    expect(await store.rotate(presenting(session, { generation: 2 }))).toMatchObject({ outcome: 'rotated' });
  });

  it('takes a record that it cannot read for a failing store, never for an ended session', async () => {
    const session = newSession();
    await connection.run((client) => client.set(sessionKey(session.id), '2 of a later version', 'PX', 60_000));
    await expect(store.find(session.id)).rejects.toMatchObject({ name: 'DependencyUnavailable' });
    await expect(store.rotate(presenting(session))).rejects.toMatchObject({ name: 'DependencyUnavailable' });
    expect(await store.revoke(session.id)).toBe(true);
  });
});
