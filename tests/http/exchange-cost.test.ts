import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Keyturn } from '../support/keyturn-server.ts';
import type { KeyturnStorage } from '../support/keyturn-storage.ts';

/**
 * What one exchange and one refresh cost, in calls and not in time: a second round trip or a lookup that slips onto the path
 * shows here, whatever machine runs the tests.
 */

const CALLS = 20;
const counts = new Map<string, number>();
const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);

const COUNTED = ['sign', 'verify', 'hash', 'createHash', 'createHmac', 'pbkdf2', 'scrypt'] as const;
const crypto = await import('node:crypto');
const counted = Object.fromEntries(
  COUNTED.map((name) => [
    name,
    (...args: unknown[]) => {
      count(name);
      return (crypto[name] as (...args: unknown[]) => unknown)(...args);
    },
  ]),
);
jest.unstable_mockModule('node:crypto', () => ({ ...crypto, ...counted }));

const { startKeyturn } = await import('../support/keyturn-server.ts');
const { serverStorage } = await import('../support/keyturn-storage.ts');

const countRedis = (message: unknown) => count(`redis ${(message as { command: string }).command}`);
const countSql = (message: unknown) => {
  const { query } = message as { query: string };
  // The poll of the change list, four times a second whatever is asked of the service.
  if (!query.includes('`counters`')) count(`sql ${query}`);
};

/** What `CALLS` runs of `call` cost, a call's share of it. */
async function costOf(call: () => Promise<{ status: number }>): Promise<Record<string, number>> {
  const parse = jest.spyOn(JSON, 'parse');
  const statuses: number[] = [];
  const replies: number[] = [];
  counts.clear();
  for (let done = 0; done < CALLS; done += 1) {
    const parsedBefore = parse.mock.calls.length;
    const { status } = await call();
    statuses.push(status);
    replies.push(parse.mock.calls.length - parsedBefore);
  }
  parse.mockRestore();
  expect(statuses).toEqual(Array(CALLS).fill(200));
  // The test reads the answer with JSON.parse, once.
  const jsonParses = replies.reduce((sum, parses) => sum + parses - 1, 0) / CALLS;
  return { ...Object.fromEntries([...counts].map(([what, calls]) => [what, calls / CALLS])), 'JSON.parse': jsonParses };
}

const describeOnServers = serverStorage === null ? describe.skip : describe;

describeOnServers('one request at the token endpoint, its key cached, costs', () => {
  let storage: KeyturnStorage;
  let keyturn: Keyturn;
  let clientSecret: string;
  beforeAll(async () => {
    if (serverStorage === null) return;
    storage = await serverStorage.open();
    keyturn = await startKeyturn(storage, { logLevel: 'info' });
    ({ clientSecret } = await keyturn.createKey({ permissions: ['read:credential', 'create:backup'] }));
    // Once each: the key is read into the cache, and Redis gets the scripts.
    const { body } = await keyturn.exchange(clientSecret);
    await keyturn.refresh(body.refresh_token);
    subscribe('tracing:ioredis:command:start', countRedis);
    subscribe('tracing:mysql2:query:start', countSql);
    subscribe('tracing:mysql2:execute:start', countSql);
  });
  afterAll(async () => {
    unsubscribe('tracing:ioredis:command:start', countRedis);
    unsubscribe('tracing:mysql2:query:start', countSql);
    unsubscribe('tracing:mysql2:execute:start', countSql);
    await keyturn?.close();
    await storage?.close();
  });

  it('for an exchange: a Redis command, a signature, a hash of the secret, a MAC (two hashes) of the refresh token', async () => {
    const cost = await costOf(() => keyturn.exchange(clientSecret));
    expect(cost).toEqual({ 'redis set': 1, sign: 1, hash: 3, 'JSON.parse': 0 });
  });

  it('for a refresh: a Redis command, a signature, a MAC checked and a MAC made', async () => {
    const { body } = await keyturn.exchange(clientSecret);
    let token: string = body.refresh_token;
    const cost = await costOf(async () => {
      const reply = await keyturn.refresh(token);
      token = reply.body.refresh_token;
      return reply;
    });
    expect(cost).toEqual({ 'redis evalsha': 1, sign: 1, hash: 4, 'JSON.parse': 0 });
  });
});
