import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { composeService } from '../../server/compose.ts';
import { parseConfig } from '../../server/config.ts';
import { createLogger } from '../../server/logging.ts';
import { BEHIND_PROXY, openBrowser } from '../support/console.ts';
import { keyturnFor, type Reply, readReply, startKeyturn } from '../support/keyturn-server.ts';
import { keyturnStorages, sqliteStorage } from '../support/keyturn-storage.ts';
import { createSecretSentinels } from '../support/secret-sentinels.ts';

const CHOSEN = 'Sentinel-Chosen-77';
const PASSWORD = 'Sentinel-Password-of-Ada-77';
const EMAIL = 'ada@example.com';

/** What can be told from any other text: our own secrets and JWTs. */
const RECOGNIZABLE = /^(kt[krs]_|eyJ)/;

describe.each(keyturnStorages)('secrets at log level trace on $name', (kind) => {
  const keyturn = keyturnFor(kind, { logLevel: 'trace', environment: BEHIND_PROXY });
  const sentinels = createSecretSentinels();
  /** What the suite presents, by label. */
  const secrets: Record<string, string> = {};
  let accessId = '';
  let userId = '';

  beforeAll(async () => {
    const keep = (label: string, secret: string): void => {
      secrets[label] = sentinels.add(label, secret);
    };
    const generated = await keyturn().createKey();
    const chosen = await keyturn().createKey({ client_secret: CHOSEN });
    const { body } = await keyturn().exchange(generated.clientSecret);
    const { body: refreshed } = await keyturn().refresh(body.refresh_token);
    keep('administrator key', keyturn().administrator.clientSecret);
    keep('set-up link', keyturn().administrator.setupUrl.split('#')[1] ?? '');
    keep('generated key', generated.clientSecret);
    keep('chosen secret', CHOSEN);
    keep('access token', body.access_token);
    keep('spent refresh token', body.refresh_token);
    keep('live refresh token', refreshed.refresh_token);
    keep('Basic credentials', Buffer.from(`${chosen.clientId}:${CHOSEN}`).toString('base64'));
    keep(
      'Basic credentials of a generated key',
      Buffer.from(`${generated.clientId}:${generated.clientSecret}`).toString('base64'),
    );
    const { body: invited } = await keyturn().api('POST', '/v1/users', { email: EMAIL, name: 'Ada' });
    const browser = openBrowser(keyturn());
    await browser.setUp(invited.invitation_url, { password: PASSWORD });
    keep('password', PASSWORD);
    keep('used invitation', invited.invitation_url.split('#')[1]);
    keep('console cookie', browser.cookie()?.split('=')[1] ?? '');
    const { body: open } = await keyturn().api('POST', '/v1/users', { email: 'bea@example.com', name: 'Bea' });
    keep('open invitation', open.invitation_url.split('#')[1]);
    [accessId, userId] = [chosen.id, invited.id];
    const { KEYTURN_MASTER_KEY, DATABASE_URL = '' } = keyturn().storageEnvironment;
    sentinels.add('master key', KEYTURN_MASTER_KEY ?? '');
    const { username, password } = new URL(DATABASE_URL);
    // The test servers' password alone is a word that stands anywhere; one of its own is below.
    if (password !== '') sentinels.add('database credentials', `${username}:${password}`);
  });

  const send = async (method: string, path: string, headers: Record<string, string> = {}, body: string | null = null) =>
    readReply(await fetch(keyturn().url + path, { method, headers, body }));

  const keys = '/v1/projects/default/keys';
  const accesses = '/api/shared_spaces/default/api_accesses';
  const atConsole = (method: string, path: string, json: unknown, cookie = secrets['console cookie']) =>
    send(
      method,
      path,
      { ...JSON_TYPE, origin: keyturn().url, cookie: `__Host-keyturn=${cookie}` },
      typeof json === 'string' || json === null ? json : JSON.stringify(json),
    );

  const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
  const JSON_TYPE = { 'content-type': 'application/json' };

  /** Every way to put a secret where it does not belong; none of the answers may say it again. */
  const MISPLACED: Readonly<Record<string, (secret: string) => Promise<Reply>>> = {
    'a body without a name': (secret) => send('POST', '/oauth/token', FORM, secret),
    'a parameter name, twice': (secret) =>
      send('POST', '/oauth/token', FORM, `${encodeURIComponent(secret)}&${encodeURIComponent(secret)}`),
    'a body cut short': (secret) =>
      send('POST', '/oauth/token', FORM, `grant_type=client_credentials&client_secret=${secret}%`),
    'a body of another type': (secret) => send('POST', '/oauth/token', JSON_TYPE, `{"client_secret":"${secret}"`),
    grant_type: (secret) => keyturn().token({ grant_type: secret }),
    client_id: (secret) => keyturn().token({ grant_type: 'client_credentials', client_id: secret, client_secret: 'x' }),
    client_secret: (secret) =>
      keyturn().token({ grant_type: 'client_credentials', client_id: 'x', client_secret: secret }),
    refresh_token: (secret) => keyturn().token({ grant_type: 'refresh_token', refresh_token: `${secret}x` }),
    scope: (secret) => keyturn().exchange(undefined, { scope: secret }),
    resource: (secret) => keyturn().exchange(undefined, { resource: secret }),
    'X-API-Key': (secret) => keyturn().token({ grant_type: 'client_credentials' }, { 'x-api-key': `${secret}x` }),
    Basic: (secret) => keyturn().token({ grant_type: 'client_credentials' }, { authorization: `Basic ${secret}` }),
    Authorization: (secret) => keyturn().token({ grant_type: 'client_credentials' }, { authorization: secret }),
    // Any opaque text is a good id; one that is seen to be a secret is not.
    'X-Request-Id': (secret) =>
      send(
        'POST',
        '/oauth/token',
        { ...FORM, 'x-request-id': RECOGNIZABLE.test(secret) ? secret : 'an-id' },
        'grant_type=a',
      ),
    'X-Forwarded-For': (secret) => send('POST', '/oauth/token', { ...FORM, 'x-forwarded-for': secret }, 'grant_type=a'),
    'the query of the token endpoint': (secret) =>
      send('POST', `/oauth/token?client_secret=${encodeURIComponent(secret)}`, FORM, ''),
    'a name in the query of the token endpoint': (secret) =>
      send('POST', `/oauth/token?${encodeURIComponent(secret)}=1`, FORM, ''),
    'the query of /v1/me': (secret) => send('GET', `/v1/me?access_token=${encodeURIComponent(secret)}`),
    'a path': (secret) => send('GET', `/${encodeURIComponent(secret)}`),
    'a path, percent-encoded': (secret) =>
      send('GET', `/x/${secret.replace(/./g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}`),
    'a page of the error catalogue': (secret) => send('GET', `/errors/${encodeURIComponent(secret)}`),
    'a path that cannot be decoded': (secret) => send('GET', `/errors/${encodeURIComponent(secret)}%`),
    'a project': (secret) => keyturn().api('GET', `/v1/projects/${encodeURIComponent(secret)}/keys`),
    'a key id': (secret) => keyturn().api('GET', `/v1/projects/default/keys/${encodeURIComponent(secret)}`),
    'a cursor': (secret) => keyturn().api('GET', `/v1/projects/default/keys?cursor=${encodeURIComponent(secret)}`),
    'a filter that is not known': (secret) =>
      keyturn().api('GET', `/v1/projects/default/keys?${encodeURIComponent(secret)}=1`),
    'a Bearer token with one character more': (secret) => send('GET', '/v1/me', { authorization: `Bearer ${secret}x` }),
    'JSON cut short': (secret) => send('POST', '/v1/projects/default/keys', JSON_TYPE, `{"client_secret":"${secret}"`),
    'a field that is not known': (secret) =>
      keyturn().api('POST', '/v1/projects/default/keys', { name: 'x', [secret]: 1 }),
    'a permission': (secret) =>
      keyturn().api('POST', '/v1/projects/default/keys', { name: 'x', permissions: [secret] }),
    'an allowlist': (secret) =>
      keyturn().api('POST', '/v1/projects/default/keys', { name: 'x', ip_allowlist: [secret] }),
    expires_at: (secret) => keyturn().api('POST', '/v1/projects/default/keys', { name: 'x', expires_at: secret }),
    'a chosen secret that is refused': (secret) =>
      keyturn().api('POST', '/v1/projects/default/keys', { name: 'x', client_secret: `${secret}${'x'.repeat(80)}` }),
    'the new secret of a regenerated key': (secret) =>
      keyturn().api('POST', `${keys}/${accessId}x/regenerate`, { client_secret: `${secret}${'x'.repeat(80)}` }),
    'the secret of an API access': (secret) =>
      keyturn().api('POST', accesses, { data: [{ name: 'x', client_secret: `${secret}${'x'.repeat(80)}` }] }),
    'a member of an API access that is not known': (secret) =>
      keyturn().api('POST', accesses, { data: [{ name: 'x', client_secret: CHOSEN, [secret]: 1 }] }),
    'a workspace role': (secret) => {
      const workspace_roles = { data: [{ type: 'workspace_role', id: secret.slice(0, 130) }] };
      return keyturn().api('POST', accesses, { data: [{ name: 'x', client_secret: CHOSEN, workspace_roles }] });
    },
    'an API access that is edited': (secret) =>
      keyturn().api('PUT', `${accesses}/${encodeURIComponent(secret)}`, { is_valid: true, client_secret: CHOSEN }),
    'an API access that is revoked': (secret) =>
      keyturn().api('PUT', `${accesses}/${accessId}`, { is_valid: false, client_secret: secret }),
    'a query of roles': (secret) =>
      keyturn().api('GET', `/api/shared_spaces/default/workspace_roles?query=${encodeURIComponent(secret)}`),
    'the permissions of a Calyptia token': (secret) =>
      keyturn().api('POST', '/v1/projects/default/tokens', { name: 'x', permissions: [secret] }),
    'ids to be deleted': (secret) =>
      keyturn().api('POST', `${keys}/bulk-delete`, { ids: [secret.slice(0, 64)], [secret]: 1 }),
    'what is to be explained': (secret) =>
      keyturn().api('POST', `${keys}/${accessId}/explain`, { permission: secret, ip: secret }),
    'a session': (secret) => keyturn().api('DELETE', `${keys}/${accessId}/sessions/${encodeURIComponent(secret)}`),
    'fields of a list': (secret) => keyturn().api('GET', `${keys}?fields=${encodeURIComponent(secret)}`),
    'an order of a list': (secret) => keyturn().api('GET', `${keys}?sort=${encodeURIComponent(secret)}`),
    'a search': (secret) => keyturn().api('GET', `${keys}?q=${encodeURIComponent(secret)}&limit=1`),
    'a filter of audit events': (secret) =>
      keyturn().api('GET', `/v1/projects/default/audit-events?ip=${encodeURIComponent(secret)}`),
    'a user': (secret) => keyturn().api('GET', `/v1/users/${encodeURIComponent(secret)}`),
    'If-Match': (secret) =>
      send('PATCH', `/v1/users/${userId}`, {
        ...JSON_TYPE,
        authorization: `Bearer ${secrets['access token']}`,
        'if-match': secret,
      }),
    'the cookie of the console': (secret) => atConsole('GET', '/v1/session', null, `${secret}x`),
    Origin: (secret) => send('POST', '/v1/session', { ...JSON_TYPE, origin: secret }, `{"email":"a","password":"b"}`),
    'JSON of a sign-in cut short': (secret) => atConsole('POST', '/v1/session', `{"password":"${secret}"`),
    'a member of a sign-in that is not known': (secret) => atConsole('POST', '/v1/session', { [secret]: secret }),
    'a password and an e-mail address': (secret) =>
      atConsole('POST', '/v1/session', { email: secret.slice(0, 254), password: secret.slice(0, 1024) }),
    'a password of a link that is none': (secret) =>
      atConsole('POST', '/v1/setup', { token: `${secret.slice(0, 90)}x`, password: secret.slice(0, 1024) }),
    'a password that is no better': (secret) =>
      atConsole('PUT', '/v1/session/password', { current_password: secret.slice(0, 1024), new_password: 'x' }),
    'a media type': (secret) => keyturn().token({ grant_type: 'a' }, { 'content-type': `text/plain; x=${secret}` }),
  };

  it.each(Object.entries(MISPLACED))('are in no log line when sent as %s', async (_, misplace) => {
    const from = keyturn().logLines.length;
    for (const secret of Object.values(secrets)) await misplace(secret).catch(refusedByFetch);
    // The line of a request is written when its connection is done with it.
    await keyturn().exchange();
    expect(keyturn().logLines.length).toBeGreaterThan(from);
    expect(sentinels.foundIn(keyturn().logLines.slice(from).join('\n'))).toEqual([]);
  });

  it.each(Object.entries(MISPLACED))('are not said again to whoever sent them as %s', async (_, misplace) => {
    const said = new Set<string>();
    // An answer has to name what it refuses: a chosen secret in the place of a scope looks like a scope.
    for (const secret of Object.values(secrets).filter((text) => RECOGNIZABLE.test(text))) {
      const reply = await misplace(secret).catch(refusedByFetch);
      for (const label of sentinels.foundIn(reply?.text ?? '')) said.add(label);
    }
    expect([...said]).toEqual([]);
  });

  it('are in no log line after everything that goes well', async () => {
    const from = keyturn().logLines.length;
    const { clientId } = await keyturn().createKey({ client_secret: CHOSEN });
    await keyturn().token({ grant_type: 'client_credentials', client_id: clientId, client_secret: CHOSEN });
    await keyturn().refresh(secrets['live refresh token'] ?? '');
    await keyturn().refresh(secrets['spent refresh token'] ?? '');
    await send('GET', '/v1/me', { authorization: `Bearer ${secrets['access token']}` });
    for (const path of ['/metrics', '/readyz', '/livez', '/.well-known/jwks.json', '/errors'])
      expect(sentinels.foundIn((await send('GET', path)).text)).toEqual([]);
    const json = { name: 'octane', client_secret: CHOSEN };
    const created = await keyturn().api('POST', accesses, { data: [json] });
    expect(created.status).toBe(201);
    const { id } = created.body.data[0];
    const regenerated = await keyturn().api('PUT', `${accesses}/${id}`, { is_valid: true, client_secret: CHOSEN });
    expect(regenerated.status).toBe(200);
    const overlapping = { client_secret: `${CHOSEN}a`, overlap_seconds: 60 };
    expect((await keyturn().api('POST', `${keys}/${id}/regenerate`, overlapping)).status).toBe(200);
    const browser = openBrowser(keyturn());
    const token = secrets['open invitation'];
    expect((await browser.request('POST', '/v1/setup', { token, password: PASSWORD })).status).toBe(201);
    const passwords = { current_password: PASSWORD, new_password: `${PASSWORD}-2` };
    expect((await browser.request('PUT', '/v1/session/password', passwords)).status).toBe(204);
    expect((await browser.signIn('bea@example.com', `${PASSWORD}-2`)).status).toBe(201);
    sentinels.add('later console cookie', browser.cookie()?.split('=')[1] ?? '');
    const read = ['keys', 'tokens', 'members', 'audit-events'].map((noun) => `/v1/projects/default/${noun}`);
    for (const path of [...read, '/v1/users', '/v1/audit-events', accesses, `${keys}/${id}`]) {
      const { status, text } = await keyturn().api('GET', path);
      expect([path, status, sentinels.foundIn(text)]).toEqual([path, 200, []]);
    }
    const stored = await keyturn().service.storage.database.run((knex) => knex('audit_events').pluck('detail'));
    expect(sentinels.foundIn(stored.join('\n'))).toEqual([]);
    expect(sentinels.foundIn(regenerated.text + created.text)).toEqual([]);
    expect(sentinels.foundIn(keyturn().logLines.slice(from).join('\n'))).toEqual([]);
  });
});

describe('passwords of stores that can not be reached', () => {
  const PASSWORD = 'Sentinel-Store-Password-1';
  const sentinels = createSecretSentinels();
  sentinels.add('password', PASSWORD);

  it('are in no log line and no error of MariaDB', async () => {
    const storage = await sqliteStorage.open();
    const lines: string[] = [];
    const logger = createLogger('trace', { write: (line) => void lines.push(line) });
    const environment = { ...storage.environment, DATABASE_URL: `mysql://keyturn:${PASSWORD}@127.0.0.1:1/keyturn` };
    const fault = await composeService(parseConfig(environment), { logger }).catch((error: unknown) => error);
    logger.error({ err: fault }, 'not started');
    await storage.close();
    expect(fault).toMatchObject({ name: 'DependencyUnavailable' });
    expect(lines.join('\n')).toContain('not started');
    expect(sentinels.foundIn(lines.join('\n') + inspect(fault, { depth: 10 }))).toEqual([]);
  });

  it('are in no log line and no answer of Redis', async () => {
    const storage = await sqliteStorage.open();
    const environment = { REDIS_URL: `redis://keyturn:${PASSWORD}@127.0.0.1:1` };
    const keyturn = await startKeyturn(storage, { environment, logLevel: 'trace' });
    const { status, text } = await keyturn.exchange();
    const ready = await readReply(await fetch(`${keyturn.url}/readyz`));
    await keyturn.close();
    await storage.close();
    expect([status, ready.status]).toEqual([503, 503]);
    expect(keyturn.logLines.join('\n')).toContain('dependency_unavailable');
    expect(sentinels.foundIn(text + ready.text + keyturn.logLines.join('\n'))).toEqual([]);
  });
});

/** A header that fetch itself won't send never reaches the service. */
function refusedByFetch(error: unknown): null {
  if (error instanceof TypeError) return null;
  throw error;
}
