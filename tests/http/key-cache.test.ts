import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CreatedKey, type Keyturn, startKeyturn } from '../support/keyturn-server.ts';
import { type KeyturnStorage, keyturnStorages, serverStorage } from '../support/keyturn-storage.ts';
import { eventually } from '../support/redis-fault.ts';

/** In which an instance knows what another has changed. */
const SEEN_MS = 1_000;
const KEYS_UNDER_LOAD = 20;
const REQUESTS_AT_ONCE = 4;

/** A request at the instance that was told of nothing, and how it ended. */
interface Attempt {
  readonly key: CreatedKey;
  readonly beganAtMs: number;
  readonly isServed: boolean;
}

describe.each(keyturnStorages)('keys that two instances on one $name have cached', (kind) => {
  let storage: KeyturnStorage;
  let first: Keyturn;
  let second: Keyturn;
  beforeAll(async () => {
    storage = await kind.open();
    first = await startKeyturn(storage, { logLevel: 'warn' });
    second = await startKeyturn(storage, { logLevel: 'warn' });
  });
  afterAll(async () => {
    await first?.close();
    await second?.close();
    await storage?.close();
  });

  const pathOf = ({ id }: CreatedKey) => `/v1/projects/default/keys/${id}`;
  const statusesOf = async (keyturn: Keyturn, key: CreatedKey, refreshToken: string) => [
    (await keyturn.exchange(key.clientSecret)).status,
    (await keyturn.refresh(refreshToken, { scope: 'read:not-held' })).body.error,
  ];

  it('are revoked, restored and deleted on one at once, on the other within a second', async () => {
    const key = await first.createKey();
    const { body } = await first.exchange(key.clientSecret);
    // What a key that may be used is told of a refresh that asks for too much: nothing is spent by asking.
    const [served, refused] = [
      [200, 'invalid_scope'],
      [401, 'invalid_grant'],
    ];
    for (const keyturn of [first, second]) expect(await statusesOf(keyturn, key, body.refresh_token)).toEqual(served);
    for (const [method, json, expected] of [
      ['PATCH', { is_valid: false }, refused],
      ['PATCH', { is_valid: true }, served],
      ['DELETE', undefined, refused],
    ] as const) {
      expect((await first.api(method, pathOf(key), json)).status).toBeLessThan(300);
      expect(await statusesOf(first, key, body.refresh_token)).toEqual(expected);
      await eventually(
        async () => expect(await statusesOf(second, key, body.refresh_token)).toEqual(expected),
        SEEN_MS,
      );
    }
  });

  it('work on both as soon as they were created, the other way round too', async () => {
    for (const [creating, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const keys = await Promise.all(Array.from({ length: 10 }, () => creating.createKey()));
      const statuses = await Promise.all(
        keys.flatMap(({ clientSecret }) => [creating.exchange(clientSecret), other.exchange(clientSecret)]),
      );
      expect(statuses.map(({ status }) => status)).toEqual(Array(20).fill(200));
    }
  });

  it('are not made unknown by whoever sends what belongs to them as a client_id', async () => {
    const { id, clientId, clientSecret } = await first.createKey();
    for (const sent of [id, clientId.slice(-25)]) {
      const form = { grant_type: 'client_credentials', client_id: sent, client_secret: 'Chosen-Secret-1' };
      expect((await second.token(form)).status).toBe(401);
    }
    const { status, body } = await second.exchange(clientSecret);
    expect(status).toBe(200);
    expect((await second.refresh(body.refresh_token)).status).toBe(200);
  });

  it(`are served to nobody who asks the other a second after they were revoked, ${KEYS_UNDER_LOAD} of them under load`, async () => {
    const keys = await Promise.all(Array.from({ length: KEYS_UNDER_LOAD }, () => first.createKey()));
    const revokedAtMs = new Map<CreatedKey, number>();
    const attempts: Attempt[] = [];
    const isTooLate = ({ key, beganAtMs }: Attempt) => beganAtMs > (revokedAtMs.get(key) ?? Infinity) + SEEN_MS;
    let isOver = false;

    async function attempt(key: CreatedKey, request: () => ReturnType<Keyturn['exchange']>) {
      const beganAtMs = performance.now();
      const { status, body } = await request();
      attempts.push({ key, beganAtMs, isServed: status === 200 });
      return body;
    }
    /** Exchanges and refreshes, key after key, until told to end. */
    async function load(offset: number): Promise<void> {
      const refreshTokens = new Map<CreatedKey, string>();
      for (let turn = offset; !isOver; turn += 1) {
        const key = keys[turn % keys.length] as CreatedKey;
        const exchanged = await attempt(key, () => second.exchange(key.clientSecret));
        const refreshToken: string | undefined = exchanged.refresh_token ?? refreshTokens.get(key);
        if (refreshToken === undefined) continue;
        const { refresh_token: successor } = await attempt(key, () => second.refresh(refreshToken));
        refreshTokens.set(key, successor ?? refreshToken);
      }
    }
    const loads = Array.from({ length: REQUESTS_AT_ONCE }, (_, index) => load(index * 5));
    await eventually(async () => expect(new Set(attempts.map(({ key }) => key)).size).toBe(keys.length), 10_000);
    for (const key of keys) {
      // Again where the database was too busy.
      const revoke = () => first.api('PATCH', pathOf(key), { is_valid: false });
      await eventually(async () => expect((await revoke()).status).toBe(200), 5_000);
      revokedAtMs.set(key, performance.now());
    }
    // Each was asked for when it must not be served any more.
    const askedTooLate = () => new Set(attempts.filter(isTooLate).map(({ key }) => key)).size;
    await eventually(async () => expect(askedTooLate()).toBe(keys.length), 10_000).finally(() => {
      isOver = true;
    });
    await Promise.all(loads);
    expect(attempts.filter((each) => isTooLate(each) && each.isServed)).toEqual([]);
    expect(attempts.filter(({ isServed }) => isServed).length).toBeGreaterThan(keys.length);
  }, 60_000);
});

const onServer = serverStorage === null ? it.skip : it;

onServer('an instance hears of a revocation while all connections of its requests are taken', async () => {
  if (serverStorage === null) return;
  const storage = await serverStorage.open();
  const first = await startKeyturn(storage, { logLevel: 'warn' });
  const second = await startKeyturn(storage, { logLevel: 'warn' });
  try {
    const { id, clientSecret } = await first.createKey();
    expect((await second.exchange(clientSecret)).status).toBe(200);
    const { database } = second.service.storage;
    const flood = Promise.allSettled(
      Array.from({ length: 40 }, () => database.run((knex) => knex.raw('SELECT SLEEP(1)'))),
    );
    expect((await first.api('PATCH', `/v1/projects/default/keys/${id}`, { is_valid: false })).status).toBe(200);
    // Refused, or unavailable: to see that it was revoked takes one of those connections.
    await eventually(async () => expect((await second.exchange(clientSecret)).status).not.toBe(200), SEEN_MS);
    await flood;
    expect((await second.exchange(clientSecret)).status).toBe(401);
  } finally {
    await first.close();
    await second.close();
    await storage.close();
  }
});
