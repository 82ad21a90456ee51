import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { composeService } from '../../server/compose.ts';
import { parseConfig } from '../../server/config.ts';
import { createLogger } from '../../server/logging.ts';
import { keyturnFor, type Reply, readReply, startKeyturn } from '../support/keyturn-server.ts';
import { keyturnStorages, sqliteStorage } from '../support/keyturn-storage.ts';
import { createSecretSentinels } from '../support/secret-sentinels.ts';

const CHOSEN = 'Sentinel-Chosen-77';

/** What can be told from any other text: our own secrets and JWTs. */
const RECOGNIZABLE = /^(kt[krs]_|eyJ)/;

describe.each(keyturnStorages)('secrets at log level trace on $name', (kind) => {
  const keyturn = keyturnFor(kind, { logLevel: 'trace' });
  const sentinels = createSecretSentinels();
  /** What the suite presents, by label. */
  const secrets: Record<string, string> = {};

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
    const { KEYTURN_MASTER_KEY, DATABASE_URL = '' } = keyturn().storageEnvironment;
    sentinels.add('master key', KEYTURN_MASTER_KEY ?? '');
    const { username, password } = new URL(DATABASE_URL);
    // The test servers' password alone is a word that stands anywhere; one of its own is below.
    if (password !== '') sentinels.add('database credentials', `${username}:${password}`);
  });

  const send = async (method: string, path: string, headers: Record<string, string> = {}, body: string | null = null) =>
    readReply(await fetch(keyturn().url + path, { method, headers, body }));

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
    const list = await keyturn().api('GET', '/v1/projects/default/keys');
    expect(sentinels.foundIn(list.text)).toEqual([]);
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
