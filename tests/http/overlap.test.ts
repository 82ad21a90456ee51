import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFakeClock } from '../support/fake-clock.ts';
import { type CreatedKey, type Keyturn, keyturnFor, startKeyturn } from '../support/keyturn-server.ts';
import { type KeyturnStorage, keyturnStorages, sqliteStorage } from '../support/keyturn-storage.ts';
import { eventually } from '../support/redis-fault.ts';

const KEYS = '/v1/projects/default/keys';
const SEEN_MS = 1_000;
/** Batches leave every two seconds. */
const WRITTEN_MS = 10_000;

async function regenerate(keyturn: Keyturn, { id }: Pick<CreatedKey, 'id'>, json: object): Promise<string> {
  const { status, text, body } = await keyturn.api('POST', `${KEYS}/${id}/regenerate`, json);
  expect({ status, text }).toMatchObject({ status: 200 });
  return body.client_secret;
}

const exchangeStatus = async (keyturn: Keyturn, { clientId }: CreatedKey, secret: string) => {
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret };
  return (await keyturn.token(form)).status;
};

const CHOSEN = ['Chosen-Secret-1', 'Chosen-Secret-2', 'Chosen-Secret-3'] as const;

describe.each(keyturnStorages)('a regenerated key on $name', (kind) => {
  let storage: KeyturnStorage;
  let first: Keyturn;
  let second: Keyturn;
  beforeAll(async () => {
    storage = await kind.open();
    first = await startKeyturn(storage);
    second = await startKeyturn(storage);
  });
  afterAll(async () => {
    await first?.close();
    await second?.close();
    await storage?.close();
  });

  it.each([
    ['generated', [{}, {}, {}]],
    ['chosen', CHOSEN.map((client_secret) => ({ client_secret }))],
    ['chosen, then generated, then chosen', [{ client_secret: CHOSEN[0] }, {}, { client_secret: CHOSEN[1] }]],
  ] as const)('works by both %s secrets with an overlap, and by none of before without one', async (_name, fields) => {
    const key = await first.createKey(fields[0]);
    expect(await exchangeStatus(second, key, key.clientSecret)).toBe(200);
    const newer = await regenerate(first, key, { ...fields[1], overlap_seconds: 600 });
    for (const secret of [key.clientSecret, newer]) expect(await exchangeStatus(first, key, secret)).toBe(200);
    await eventually(async () => expect(await exchangeStatus(second, key, newer)).toBe(200), SEEN_MS);
    expect(await exchangeStatus(second, key, key.clientSecret)).toBe(200);

    const newest = await regenerate(first, key, fields[2]);
    for (const secret of [key.clientSecret, newer]) expect(await exchangeStatus(first, key, secret)).toBe(401);
    await eventually(async () => expect(await exchangeStatus(second, key, newer)).toBe(401), SEEN_MS);
    expect(await exchangeStatus(second, key, key.clientSecret)).toBe(401);
    expect(await exchangeStatus(second, key, newest)).toBe(200);
  });

  it('ends the sessions of a secret with it', async () => {
    const key = await first.createKey();
    const exchange = async (secret: string) => (await first.exchange(secret)).body;
    const refresh = async (refreshToken: string) => (await first.refresh(refreshToken)).body;
    const begunBefore = await exchange(key.clientSecret);
    const newer = await regenerate(first, key, { overlap_seconds: 600 });
    const goingOn = await refresh(begunBefore.refresh_token);
    expect(goingOn.access_token).toBeDefined();
    // Begun with the old secret while both work: it has the end of that secret.
    const ending = await exchange(key.clientSecret);
    expect(ending.refresh_token_expires_in).toBeLessThanOrEqual(600);
    expect(ending.expires_in).toBeLessThanOrEqual(600);
    const ofNewer = await exchange(newer);
    expect(ofNewer.refresh_token_expires_in).toBe(10_800);

    await regenerate(first, key, {});
    for (const { refresh_token } of [goingOn, ending, ofNewer]) {
      const refused = await refresh(refresh_token);
      expect(refused).toMatchObject({ error: 'invalid_grant' });
      expect(refused.error_uri).toContain('refresh_secret_replaced');
    }
  });

  it('ends what the replaced secret began on an instance that had not yet heard of the new one', async () => {
    const key = await first.createKey();
    let secret = key.clientSecret;
    let late: string | undefined;
    for (let tries = 0; tries < 20 && late === undefined; tries += 1) {
      const replaced = secret;
      await eventually(async () => expect(await exchangeStatus(second, key, replaced)).toBe(200), SEEN_MS);
      secret = await regenerate(first, key, {});
      // Refused where the change was seen there already.
      late = (await second.exchange(replaced)).body.refresh_token;
      await eventually(async () => expect(await exchangeStatus(second, key, replaced)).toBe(401), SEEN_MS);
    }
    expect(late).toBeDefined();
    const refused = await second.refresh(late ?? '');
    expect(refused.body.error_uri).toContain('refresh_secret_replaced');
  });

  it('gives by the older secret no access token that outlives it, also without a session', async () => {
    const key = await first.createKey({ refresh_tokens: false });
    const newer = await regenerate(first, key, { overlap_seconds: 600 });
    const lifetimes = [];
    for (const secret of [key.clientSecret, newer]) lifetimes.push((await first.exchange(secret)).body.expires_in);
    expect(lifetimes[0]).toBeLessThanOrEqual(600);
    expect(lifetimes[1]).toBe(7200);
  });

  it('is managed with no more by an access token of the replaced secret', async () => {
    const key = await first.createKey({ permissions: ['*:keyturn'] });
    const list = async (secret: string) => {
      const { body } = await first.exchange(secret);
      return () => first.api('GET', KEYS, undefined, body.access_token);
    };
    const byOld = await list(key.clientSecret);
    const newer = await regenerate(first, key, { overlap_seconds: 600 });
    expect((await byOld()).status).toBe(200);
    const byNewer = await list(newer);
    await regenerate(first, key, { overlap_seconds: 600 });
    const { status, body } = await byOld();
    expect([status, body.reason]).toEqual([401, 'secret_replaced']);
    expect((await byNewer()).status).toBe(200);
  });

  it('tells when each secret was last used; a refresh uses none unless it sends one', async () => {
    const key = await first.createKey();
    const newer = await regenerate(first, key, { overlap_seconds: 600 });
    const lastUses = async () => {
      const { body } = await first.api('GET', `${KEYS}/${key.id}`);
      return { used: body.last_used_at, newer: body.secret_last_used_at, older: body.previous_secret?.last_used_at };
    };
    expect(await lastUses()).toEqual({ used: null, newer: null, older: null });

    const { body: tokens } = await first.exchange(key.clientSecret);
    await eventually(async () => expect((await lastUses()).older).not.toBeNull(), WRITTEN_MS);
    const afterExchange = await lastUses();
    expect(afterExchange).toEqual({ used: afterExchange.older, newer: null, older: afterExchange.older });

    const { body: successor } = await first.refresh(tokens.refresh_token);
    await eventually(async () => expect((await lastUses()).used).not.toBe(afterExchange.used), WRITTEN_MS);
    expect(await lastUses()).toMatchObject({ newer: null, older: afterExchange.older });

    const form = { client_id: key.clientId, client_secret: newer };
    expect((await first.refresh(successor.refresh_token, form)).status).toBe(200);
    await eventually(async () => expect((await lastUses()).newer).not.toBeNull(), WRITTEN_MS);
    expect(await lastUses()).toMatchObject({ older: afterExchange.older });
  }, 40_000);
});

describe('the older of two secrets', () => {
  const clock = createFakeClock();
  const keyturn = keyturnFor(sqliteStorage, { clock });

  it.each([
    ['generated', {}, {}],
    ['chosen', { client_secret: CHOSEN[0] }, { client_secret: CHOSEN[1] }],
  ])('ends when it was said to, remembered or not: %s', async (_name, before, after) => {
    const key = await keyturn().createKey(before);
    const newer = await regenerate(keyturn(), key, { ...after, overlap_seconds: 60 });
    clock.advance(59_999);
    expect(await exchangeStatus(keyturn(), key, key.clientSecret)).toBe(200);
    clock.advance(1);
    expect(await exchangeStatus(keyturn(), key, key.clientSecret)).toBe(401);
    expect(await exchangeStatus(keyturn(), key, newer)).toBe(200);
  });
});
