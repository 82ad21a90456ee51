import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Keyturn, startKeyturn } from '../support/keyturn-server.ts';
import { type KeyturnStorage, keyturnStorages, newMasterKey } from '../support/keyturn-storage.ts';
import { eventually } from '../support/redis-fault.ts';

/** In which an instance knows what another has changed. */
const SEEN_MS = 1_000;

describe.each(keyturnStorages)('two instances on one $name', (kind) => {
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

  it('serve one set of keys, and refuse on both what was revoked on one, within a second', async () => {
    for (const [method, json] of [['PATCH', { is_valid: false }], ['DELETE']] as const) {
      const { id, clientSecret } = await first.createKey();
      const { status, body } = await second.exchange(clientSecret);
      expect(status).toBe(200);
      expect((await first.api(method, `/v1/projects/default/keys/${id}`, json)).status).toBeLessThan(300);
      await eventually(async () => expect((await second.exchange(clientSecret)).status).toBe(401), SEEN_MS);
      expect((await second.refresh(body.refresh_token)).status).toBe(400);
    }
  });

  it('forget a chosen secret that one of them remembers, when the other deletes its key', async () => {
    const { id, clientId, clientSecret } = await first.createKey({ client_secret: 'Chosen-Secret-1' });
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    expect((await second.token(form)).status).toBe(200);
    await first.api('PATCH', `/v1/projects/default/keys/${id}`, { is_valid: false });
    await eventually(async () => expect((await second.token(form)).status).toBe(401), SEEN_MS);
    await first.api('PATCH', `/v1/projects/default/keys/${id}`, { is_valid: true });
    await eventually(async () => expect((await second.token(form)).status).toBe(200), SEEN_MS);
    await first.api('DELETE', `/v1/projects/default/keys/${id}`);
    await eventually(async () => expect((await second.token(form)).status).toBe(401), SEEN_MS);
  });

  it('know each other’s refresh tokens, spent ones too', async () => {
    const { body } = await first.exchange();
    const { status, body: successor } = await second.refresh(body.refresh_token);
    expect(status).toBe(200);
    expect((await first.refresh(body.refresh_token)).status).toBe(400);
    expect((await second.refresh(successor.refresh_token)).status).toBe(400);
  });

  it('publish the same signing keys', async () => {
    const jwksOf = async ({ url }: Keyturn) => (await fetch(`${url}/.well-known/jwks.json`)).json();
    expect(await jwksOf(first)).toEqual(await jwksOf(second));
  });

  it('take refresh tokens of the old master key while it is in the list, and none when it is not', async () => {
    const { body } = await first.exchange();
    const { body: others } = await first.exchange();
    const newKey = newMasterKey();
    const oldKey = storage.environment['KEYTURN_MASTER_KEY'];
    const rotated = await startKeyturn(storage, { environment: { KEYTURN_MASTER_KEY: `${newKey},${oldKey}` } });
    try {
      const { status, body: renewed } = await rotated.refresh(body.refresh_token);
      expect(status).toBe(200);
      // Whoever has the old key alone does not know what the new one has made.
      expect((await first.refresh(renewed.refresh_token)).status).toBe(400);
      expect((await rotated.refresh(renewed.refresh_token)).status).toBe(200);
      expect((await rotated.refresh(others.refresh_token)).status).toBe(200);
    } finally {
      await rotated.close();
    }
  });
});
