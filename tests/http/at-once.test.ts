import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runKeyturn, type Served, serveKeyturn } from '../cli/run-keyturn.ts';
import { claimsOf, readReply } from '../support/keyturn-server.ts';
import { type KeyturnStorage, keyturnStorages, mariadbStorage } from '../support/keyturn-storage.ts';
import { eventually } from '../support/redis-fault.ts';

/** In which every instance knows what one has changed. */
const WITHIN_MS = 1_000;
const PROJECT = '/v1/projects/default';

const storages = mariadbStorage === null ? keyturnStorages : [...keyturnStorages, mariadbStorage];

describe.each(storages)('two processes on one $name', (kind) => {
  let storage: KeyturnStorage;
  let here: Served;
  let there: Served;
  let administrator = '';

  beforeAll(async () => {
    storage = await kind.open();
    const env = { ...storage.environment, KEYTURN_ISSUER: 'http://127.0.0.1:1', KEYTURN_LOG_LEVEL: 'error' };
    const surroundings = { cwd: tmpdir(), env };
    const { stdout } = await runKeyturn(['bootstrap', '--json'], surroundings);
    const { client_secret } = JSON.parse(stdout);
    [here, there] = await Promise.all([serveKeyturn(surroundings), serveKeyturn(surroundings)]);
    administrator = (await exchange(here, client_secret)).body.access_token;
  }, 60_000);
  afterAll(async () => {
    await Promise.all([here?.stop(), there?.stop()]);
    await storage?.close();
  });

  const urlOf = ({ port }: Served) => `http://127.0.0.1:${port}`;
  const post = async (served: Served, form: Record<string, string>) =>
    readReply(await fetch(`${urlOf(served)}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) }));
  const exchange = (served: Served, client_secret: string) =>
    post(served, { grant_type: 'client_credentials', client_secret });
  const refresh = (served: Served, refresh_token: string) =>
    post(served, { grant_type: 'refresh_token', refresh_token });

  async function manage(method: string, path: string, json?: unknown) {
    const headers = { Authorization: `Bearer ${administrator}`, 'Content-Type': 'application/json' };
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const reply = await readReply(await fetch(urlOf(here) + path, { method, headers, ...body }));
    expect({ text: reply.text, isDone: reply.status < 300 }).toMatchObject({ isDone: true });
    return reply.body;
  }

  /** A key that both processes have in their caches, and a session of it. */
  async function usedKey(fields: object = {}) {
    const key = await manage('POST', `${PROJECT}/keys`, { name: `key ${Math.random()}`, ...fields });
    const first = await exchange(there, key.client_secret);
    expect(first.status).toBe(200);
    expect((await exchange(here, key.client_secret)).status).toBe(200);
    return { path: `${PROJECT}/keys/${key.id}`, secret: key.client_secret, refreshToken: first.body.refresh_token };
  }

  const scopeThere = async (secret: string) => (await exchange(there, secret)).body.scope;
  const onBoth = (check: (served: Served) => Promise<void>) =>
    eventually(() => Promise.all([check(here), check(there)]), WITHIN_MS);

  it('an edit of permissions holds for the next exchange and refresh of each', async () => {
    const { path, secret, refreshToken } = await usedKey({ permissions: ['read:a', 'read:b'] });
    await manage('PATCH', path, { permissions: ['read:b', 'read:c'] });
    await onBoth(async (served) => expect((await exchange(served, secret)).body.scope).toBe('read:b read:c'));
    // Never more than the session was granted.
    expect(claimsOf((await refresh(there, refreshToken)).body.access_token).scope).toBe('read:b');
  });

  it('an edit of a role holds for the keys that have it', async () => {
    const role = await manage('POST', `${PROJECT}/roles`, {
      name: `role ${Math.random()}`,
      permissions: ['read:a', 'read:b'],
    });
    const { secret, refreshToken } = await usedKey({ roles: [{ role_id: role.id }] });
    expect(await scopeThere(secret)).toBe('read:a read:b');
    await manage('PATCH', `${PROJECT}/roles/${role.id}`, { permissions: ['read:b', 'read:c'] });
    await onBoth(async (served) => expect((await exchange(served, secret)).body.scope).toBe('read:b read:c'));
    expect(claimsOf((await refresh(there, refreshToken)).body.access_token).scope).toBe('read:b');
  });

  it('an allowlist holds', async () => {
    const { path, secret, refreshToken } = await usedKey();
    await manage('PATCH', path, { ip_allowlist: ['203.0.113.1'] });
    await onBoth(async (served) => expect((await exchange(served, secret)).status).toBe(401));
    expect((await refresh(there, refreshToken)).status).toBe(400);
  });

  it('a revocation holds, and so does taking it back', async () => {
    const { path, secret, refreshToken } = await usedKey();
    await manage('PATCH', path, { is_valid: false });
    await onBoth(async (served) => expect((await exchange(served, secret)).status).toBe(401));
    expect((await refresh(there, refreshToken)).status).toBe(400);
    await manage('PATCH', path, { is_valid: true });
    await onBoth(async (served) => expect((await exchange(served, secret)).status).toBe(200));
  });

  it('a new secret replaces the old one', async () => {
    const { path, secret } = await usedKey();
    const { client_secret } = await manage('POST', `${path}/regenerate`, {});
    await onBoth(async (served) => {
      expect((await exchange(served, secret)).status).toBe(401);
      expect((await exchange(served, client_secret)).status).toBe(200);
    });
  });

  it('a deletion holds', async () => {
    const { path, secret, refreshToken } = await usedKey();
    await manage('DELETE', path);
    await onBoth(async (served) => expect((await exchange(served, secret)).status).toBe(401));
    expect((await refresh(there, refreshToken)).status).toBe(400);
  });

  it('audiences of the project hold', async () => {
    const { secret } = await usedKey();
    await manage('PATCH', PROJECT, { audiences: ['https://vault.example'] });
    await onBoth(async (served) =>
      expect(claimsOf((await exchange(served, secret)).body.access_token).aud).toBe('https://vault.example'),
    );
    await manage('PATCH', PROJECT, { audiences: [] });
  });
});
