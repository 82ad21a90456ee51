import { expect, it } from '@jest/globals';
import { openBrowser } from '../support/console.ts';
import { startKeyturn } from '../support/keyturn-server.ts';
import { sqliteStorage } from '../support/keyturn-storage.ts';

const PASSWORD = 'meadow-Trombone-41-lantern';

it('lets nobody in uncounted, and says 503, never 401, while the counters or sessions are out of reach', async () => {
  const storage = await sqliteStorage.open();
  const whole = await startKeyturn(storage);
  const { body: invited } = await whole.api('POST', '/v1/users', { email: 'ada@example.com', name: 'Ada' });
  const browser = openBrowser(whole);
  expect((await browser.setUp(invited.invitation_url, { password: PASSWORD })).status).toBe(201);
  const { id } = await whole.createKey();
  const { body: tokens } = await whole.exchange();
  const environment = { REDIS_URL: 'redis://127.0.0.1:1', KEYTURN_ISSUER: whole.url };
  const cut = await startKeyturn(storage, { environment });

  const asPerson = { origin: whole.url, 'content-type': 'application/json' };
  const signIn = (password: string) => {
    const body = JSON.stringify({ email: 'ada@example.com', password });
    return fetch(`${cut.url}/v1/session`, { method: 'POST', headers: asPerson, body });
  };
  for (const password of [PASSWORD, 'wrong']) {
    const { status, headers } = await signIn(password);
    expect([status, headers.get('set-cookie')]).toEqual([503, null]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  const passwords = { current_password: PASSWORD, new_password: `${PASSWORD}-2` };
  const change = { method: 'PUT', headers: { ...asPerson, cookie: browser.cookie() ?? '' } };
  const changed = await fetch(`${cut.url}/v1/session/password`, { ...change, body: JSON.stringify(passwords) });
  expect(changed.status).toBe(503);

  const sessions = `/v1/projects/default/keys/${id}/sessions`;
  for (const [method, path] of [
    ['GET', sessions],
    ['DELETE', `${sessions}/ses_00000000000000000000000000`],
  ] as const)
    expect([method, (await cut.api(method, path, undefined, tokens.access_token)).status]).toEqual([method, 503]);
  // What needs no Redis goes on.
  expect((await cut.api('GET', '/v1/users', undefined, tokens.access_token)).status).toBe(200);
  await cut.close();
  await whole.close();
  await storage.close();
});
