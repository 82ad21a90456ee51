import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { connectRedis } from '../../db/redis/connect-redis.ts';
import { RedisAttemptLimit } from '../../db/redis/redis-attempt-limit.ts';
import { SqlAttemptLimit } from '../../db/sql/sql-attempt-limit.ts';
import { ACCOUNT_RULE, ADDRESS_RULE, type AttemptLimitRule, accountName } from '../../server/users/attempt-limit.ts';
import { BEHIND_PROXY, type Browser, openBrowser } from '../support/console.ts';
import { expectProblem } from '../support/expect-problem.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const PASSWORD = 'meadow-Trombone-41-lantern';
const NEXT_PASSWORD = 'copper kettle under the 7th bridge';
const MINUTE_MS = 60_000;

describe.each(keyturnStorages)('signing in to the console on $name', (kind) => {
  const clock = createFakeClock(Date.now());
  const keyturn = keyturnFor(kind, { environment: BEHIND_PROXY, clock });
  const browser = () => openBrowser(keyturn());

  async function invite(): Promise<{ readonly id: string; readonly email: string; readonly url: string }> {
    const email = `${randomUUID()}@example.com`;
    const { status, body } = await keyturn().api('POST', '/v1/users', { email, name: 'Ada Lovelace' });
    expect(status).toBe(201);
    return { id: body.id, email, url: body.invitation_url };
  }
  async function person() {
    const invited = await invite();
    const own = browser();
    expect((await own.setUp(invited.url, { password: PASSWORD })).status).toBe(201);
    return { ...invited, browser: own };
  }
  const eventsOf = (objectId: string): Promise<string[]> =>
    keyturn().service.storage.database.run((knex) =>
      knex('audit_events').where({ object_id: objectId }).orderBy('sequence').pluck('type'),
    );
  /** Events of failures are stored a moment after the answer. */
  async function eventually(objectId: string, types: readonly string[]): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      if ((await eventsOf(objectId)).length >= types.length) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await eventsOf(objectId)).toEqual(types);
  }

  describe('by a link', () => {
    it('asks the first user for an e-mail address, sets the password and signs in', async () => {
      const first = browser();
      const { setupUrl } = keyturn().administrator;
      const nameless = await first.setUp(setupUrl, { password: PASSWORD });
      expectProblem(nameless, { status: 400, code: 'validation_failed' });
      expect(nameless.body.errors).toEqual([{ field: 'email', message: expect.any(String) }]);
      const email = `${randomUUID()}@Example.COM`;
      const reply = await first.setUp(setupUrl, { password: PASSWORD, email, name: 'Grace' });
      expect(reply.status).toBe(201);
      expect(reply.body.user).toMatchObject({ email: email.toLowerCase(), name: 'Grace', has_password: true });
      expect(reply.body.user.permissions).toEqual(['*:keyturn-installation']);
      expect(reply.body.memberships).toMatchObject([{ project_slug: 'default' }]);
      const cookie = reply.headers.get('set-cookie') ?? '';
      expect(cookie).toMatch(/^__Host-keyturn=[A-Za-z0-9_-]{43}; /);
      expect(cookie.split('; ').slice(1).toSorted()).toEqual(['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure']);
      expect((await first.request('GET', '/v1/projects/default/keys')).status).toBe(200);
    });

    it('works once', async () => {
      const { id, url } = await invite();
      expect((await browser().setUp(url, { password: PASSWORD })).status).toBe(201);
      expectProblem(await browser().setUp(url, { password: PASSWORD }), { status: 410, code: 'setup_link_spent' });
      expect(await eventsOf(id)).toEqual(['user.created', 'user.invited', 'user.password_set', 'user.signed_in']);
    });

    it('ends with a newer one, and after seven days', async () => {
      const { id, url } = await invite();
      const { body } = await keyturn().api('POST', `/v1/users/${id}/invitation`);
      expect((await browser().setUp(url, { password: PASSWORD })).status).toBe(410);
      await keyturn().service.storage.database.run((knex) =>
        knex('setup_links').where({ user_id: id }).update({ expires_at_ms: clock.nowMs() }),
      );
      expect((await browser().setUp(body.invitation_url, { password: PASSWORD })).status).toBe(410);
    });

    it.each([
      ['too short', 'kX9#mQ2$vL7', /at least 12 characters/],
      ['of more bytes than bcrypt reads', 'ü'.repeat(37), /at most 72 bytes/],
      ['with a NUL', 'meadow-Trombone\u0000-41', /control characters/],
      ['common', 'Password1234', /too easy to guess\. .*similar to a commonly used password/],
      ['the own name', 'adalovelace99', /too easy to guess/],
    ])('takes no password that is %s, and can be used again', async (_what, password, message) => {
      const { url } = await invite();
      const refused = await browser().setUp(url, { password });
      expectProblem(refused, { status: 400, code: 'validation_failed' });
      expect(refused.body.errors).toEqual([{ field: 'password', message: expect.stringMatching(message) }]);
      expect(refused.text).not.toContain(password);
      expect((await browser().setUp(url, { password: PASSWORD })).status).toBe(201);
    });
  });

  describe('with a password', () => {
    let ada: { readonly id: string; readonly email: string; readonly browser: Browser };
    beforeAll(async () => {
      ada = await person();
    });

    it('shows who is signed in and until when, and signs out', async () => {
      const own = browser();
      const signedIn = await own.signIn(ada.email.toUpperCase(), PASSWORD);
      expect(signedIn.status).toBe(201);
      const shown = await own.request('GET', '/v1/session');
      expect(shown.body).toEqual(signedIn.body);
      expect(shown.body.user).toMatchObject({ id: ada.id, email: ada.email });
      expect(Date.parse(shown.body.idle_ends_at) - clock.nowMs()).toBe(30 * MINUTE_MS);
      expect(Date.parse(shown.body.ends_at) - clock.nowMs()).toBe(720 * MINUTE_MS);
      const cookie = String(own.cookie());
      const signedOut = await own.request('DELETE', '/v1/session');
      expect(signedOut.status).toBe(204);
      expect(signedOut.headers.get('set-cookie')).toMatch(/^__Host-keyturn=; .*Max-Age=0/);
      const again = await own.request('GET', '/v1/session', undefined, { cookie });
      expectProblem(again, { status: 401, code: 'unauthenticated' });
      expect(await eventsOf(ada.id)).toContain('user.signed_out');
    });

    it('says the same of a wrong password, of an unknown address and of a user without a password', async () => {
      const { email } = await invite();
      const replies = [
        await browser().signIn(ada.email, NEXT_PASSWORD),
        await browser().signIn(ada.email, 'x'.repeat(100)),
        await browser().signIn(`${randomUUID()}@example.com`, PASSWORD),
        await browser().signIn(email, ''),
      ];
      for (const reply of replies) expectProblem(reply, { status: 401, code: 'sign_in_failed' });
      const bodies = replies.map(({ body }) => ({ ...body, request_id: null }));
      for (const body of bodies) expect(body).toEqual(bodies[0]);
    });

    it('keeps neither password nor cookie, nor logs them', async () => {
      const own = browser();
      await own.signIn(ada.email, PASSWORD);
      const [, token = ''] = String(own.cookie()).split('=');
      const tables = ['users', 'console_sessions', 'setup_links', 'audit_events', 'sign_in_attempts'];
      const rows = await keyturn().service.storage.database.run(async (knex) => {
        const found: unknown[] = [];
        for (const table of tables) found.push(await knex(table));
        return JSON.stringify(found);
      });
      const everything = rows + keyturn().logLines.join('\n');
      expect(everything).toContain(ada.id);
      for (const secret of [PASSWORD, token]) expect(everything).not.toContain(secret);
    });

    it('a new password takes the current one and ends all other sessions', async () => {
      const { id, email, browser: own } = await person();
      const other = browser();
      await other.signIn(email, PASSWORD);
      const change = (current: string, next: string) =>
        own.request('PUT', '/v1/session/password', { current_password: current, new_password: next });
      const wrong = await change(NEXT_PASSWORD, NEXT_PASSWORD);
      expectProblem(wrong, { status: 400, code: 'validation_failed' });
      expect(wrong.body.errors).toEqual([{ field: 'current_password', message: expect.any(String) }]);
      expectProblem(await change(PASSWORD, PASSWORD), { status: 400, code: 'validation_failed' });
      expect((await other.request('GET', '/v1/session')).status).toBe(200);
      expect((await change(PASSWORD, NEXT_PASSWORD)).status).toBe(204);
      expect((await own.request('GET', '/v1/session')).status).toBe(200);
      expect((await other.request('GET', '/v1/session')).status).toBe(401);
      expect((await browser().signIn(email, PASSWORD)).status).toBe(401);
      expect((await browser().signIn(email, NEXT_PASSWORD)).status).toBe(201);
      expect((await eventsOf(id)).filter((type) => type === 'user.password_set')).toHaveLength(2);
    });
  });

  describe('where a write comes from', () => {
    let ada: { readonly email: string; readonly browser: Browser };
    beforeAll(async () => {
      ada = await person();
    });

    it.each([
      ['no Origin', { origin: '' }],
      ['another Origin', { origin: 'https://evil.example' }],
      ['the Origin null', { origin: 'null' }],
      ['another port', { origin: 'http://127.0.0.1:1' }],
      ['another site, says the browser', { 'sec-fetch-site': 'cross-site' }],
      ['a neighbouring host, says the browser', { 'sec-fetch-site': 'same-site' }],
    ])('with %s nothing is written and nobody signed in or out', async (_what, headers: Record<string, string>) => {
      const own = ada.browser;
      const credentials = { email: ada.email, password: PASSWORD };
      const attempts = [
        await own.request(
          'PUT',
          '/v1/session/password',
          { current_password: PASSWORD, new_password: NEXT_PASSWORD },
          headers,
        ),
        await own.request('DELETE', '/v1/session', undefined, headers),
        await own.request('POST', '/v1/projects/default/keys', { name: 'forged' }, headers),
        await browser().request('POST', '/v1/session', credentials, headers),
        await browser().request('POST', '/v1/setup', { token: 'kts_x', password: PASSWORD }, headers),
      ];
      for (const attempt of attempts) {
        expectProblem(attempt, { status: 403, code: 'origin_not_allowed' });
        expect(attempt.headers.get('set-cookie')).toBeNull();
      }
      expect((await own.request('GET', '/v1/session', undefined, headers)).status).toBe(200);
    });

    it('an access token counts before a cookie, and needs no Origin', async () => {
      const { body } = await keyturn().exchange();
      const headers = { origin: '', authorization: `Bearer ${body.access_token}` };
      const me = await ada.browser.request('GET', '/v1/me', undefined, headers);
      expect(me.body).toMatchObject({ client_id: keyturn().administrator.clientId });
      const session = await ada.browser.request('DELETE', '/v1/session', undefined, headers);
      expectProblem(session, { status: 401, code: 'unauthenticated' });
    });

    it('two cookies of the name are none', async () => {
      const cookie = `${ada.browser.cookie()}; __Host-keyturn=${'A'.repeat(43)}`;
      expect((await ada.browser.request('GET', '/v1/session', undefined, { cookie })).status).toBe(401);
    });
  });

  /** As another instance counts failures: without bcrypt, which takes its time. */
  async function fillLimit(rule: AttemptLimitRule, name: string, count: number): Promise<void> {
    const redisUrl = keyturn().storageEnvironment['REDIS_URL'];
    const redis = redisUrl === undefined ? null : connectRedis(redisUrl);
    const { database } = keyturn().service.storage;
    const limit = redis ? new RedisAttemptLimit(redis, rule) : new SqlAttemptLimit(database, rule);
    for (let taken = 0; taken < count; taken += 1) await limit.take(name);
    await redis?.close();
  }

  describe('locked out', () => {
    it('after ten failures the right password is refused, too, and an unknown account in the same way', async () => {
      const { id, email, browser: own } = await person();
      const unknown = `${randomUUID()}@example.com`;
      for (const address of [email, unknown]) {
        const fail = () => browser().signIn(address, NEXT_PASSWORD);
        expect((await fail()).status).toBe(401);
        await fillLimit(ACCOUNT_RULE, accountName(address), 8);
        expect((await fail()).status).toBe(401);
      }
      const locked = [await browser().signIn(email, PASSWORD), await browser().signIn(unknown, PASSWORD)];
      for (const reply of locked) {
        expectProblem(reply, { status: 429, code: 'sign_in_locked' });
        const seconds = Number(reply.headers.get('retry-after'));
        expect(seconds).toBe(reply.body.retry_after_seconds);
        expect(seconds).toBeGreaterThan(600);
        expect(seconds).toBeLessThanOrEqual(900);
      }
      expect(Object.keys(locked[0]?.body)).toEqual(Object.keys(locked[1]?.body));
      await browser().signIn(email, PASSWORD);
      // Whoever is signed in stays so, but guesses no more than anybody else.
      expect((await own.request('GET', '/v1/session')).status).toBe(200);
      const guess = { current_password: PASSWORD, new_password: NEXT_PASSWORD };
      expectProblem(await own.request('PUT', '/v1/session/password', guess), { status: 429, code: 'sign_in_locked' });
      const before = ['user.created', 'user.invited', 'user.password_set', 'user.signed_in'];
      await eventually(id, [...before, 'user.sign_in_failed', 'user.locked_out']);
    });

    it('a success begins the count anew', async () => {
      const { email } = await person();
      for (let round = 0; round < 2; round += 1) {
        await fillLimit(ACCOUNT_RULE, accountName(email), 9);
        expect((await browser().signIn(email, PASSWORD)).status).toBe(201);
      }
    });

    it('an address that has failed a hundred times locks nobody out but itself', async () => {
      const { email } = await person();
      const own = browser();
      await fillLimit(ADDRESS_RULE, own.ip, 100);
      for (let count = 0; count < 12; count += 1)
        expectProblem(await own.signIn(email, PASSWORD), { status: 429, code: 'sign_in_locked' });
      expect((await browser().signIn(email, PASSWORD)).status).toBe(201);
      await eventually(own.ip, ['user.locked_out']);
    });
  });

  // Last, because it moves the clock.
  describe('a session', () => {
    it('ends 30 minutes after it was last used', async () => {
      const { browser: own } = await person();
      for (let count = 0; count < 3; count += 1) {
        clock.advance(29 * MINUTE_MS);
        expect((await own.request('GET', '/v1/session')).status).toBe(200);
      }
      clock.advance(30 * MINUTE_MS);
      const ended = await own.request('GET', '/v1/session');
      expectProblem(ended, { status: 401, code: 'unauthenticated' });
      expect(own.cookie()).toBeNull();
    });

    it('ends after 12 hours, however busy', async () => {
      const { browser: own, email } = await person();
      for (let count = 0; count < 28; count += 1) {
        clock.advance(25 * MINUTE_MS);
        expect((await own.request('GET', '/v1/session')).status).toBe(200);
      }
      clock.advance(20 * MINUTE_MS);
      const stale = String(own.cookie());
      expect((await own.request('GET', '/v1/me')).status).toBe(401);
      const again = await own.request('POST', '/v1/session', { email, password: PASSWORD }, { cookie: stale });
      expect(again.status).toBe(201);
    });
  });
});
