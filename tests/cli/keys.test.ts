import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openDatabase } from '../../db/sql/database.ts';
import { serviceUrl } from '../support/services.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { type Finished, freePort, KEYTURN, makeFolder, runKeyturn, type Served, serveKeyturn } from './run-keyturn.ts';

// A test here is several processes, on a machine that may have others to run.
jest.setTimeout(120_000);

const CHOSEN = 'Chosen-secret-7';
const ABSENT = `key_${'0'.repeat(26)}`;
const { folder: cwd, remove } = makeFolder();
afterAll(remove);

const json = ({ stdout }: Finished) => JSON.parse(stdout);
const failure = ({ exitCode, stdout, stderr }: Finished) => ({ exitCode, stdout, ...JSON.parse(stderr) });

describe.each(sqlDatabases)('on $name', ({ name: storeName, openEmpty }) => {
  let store: OpenSqlDatabase;
  let service: Served;
  let adminKey: string;
  const undo: (() => unknown)[] = [];

  beforeAll(async () => {
    store = await openEmpty();
    const settings = { DATABASE_URL: store.url };
    const redisUrl = storeName === 'MariaDB' ? serviceUrl('redis') : null;
    adminKey = json(await runKeyturn(['bootstrap', '--json'], { cwd, env: settings })).client_secret;
    service = await serveKeyturn({ cwd, env: { ...settings, ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }) } });
    undo.push(
      () => store.close(),
      () => service.stop(),
    );
  });

  afterAll(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  function keys(args: readonly string[], { apiKey = adminKey, input = '' } = {}): Promise<Finished> {
    const env = { KEYTURN_URL: service.url, ...(apiKey === '' ? {} : { KEYTURN_API_KEY: apiKey }) };
    return runKeyturn(['keys', ...args, '--json'], { cwd, env, input });
  }

  it('a key lives: created, exchanged, shown, revoked, restored, deleted', async () => {
    const args = ['--name', 'ci runner', '--description', 'for CI', '--permission', 'read:credential/prod-*'];
    const more = [
      '--permission',
      'write:log',
      '--allow-ip',
      '203.0.113.7/24',
      '--expires-at',
      '2099-01-31T18:00:00+01:00',
    ];
    const created = json(
      await keys(['create', ...args, ...more, '--no-refresh-tokens', '--refresh-requires-client-auth']),
    );
    expect(created).toMatchObject({
      name: 'ci runner',
      description: 'for CI',
      permissions: ['read:credential/prod-*', 'write:log'],
      ip_allowlist: ['203.0.113.0/24'],
      expires_at: '2099-01-31T17:00:00.000Z',
      client_secret: expect.stringMatching(/^ktk_/),
      refresh_tokens: false,
      refresh_requires_client_auth: true,
    });
    const { client_secret: secret, ...key } = created;
    expect(json(await keys(['show', key.id]))).toEqual(key);

    expect(json(await keys(['revoke', key.id]))).toMatchObject({ id: key.id, is_valid: false });
    expect(json(await keys(['restore', key.id]))).toMatchObject({ id: key.id, is_valid: true });
    // Its allowlist does not have this address: proven, and refused all the same.
    expect(failure(await keys(['list'], { apiKey: secret }))).toMatchObject({ exitCode: 4, code: 'invalid_client' });

    expect(json(await keys(['rm', key.id, '--yes']))).toEqual({ results: [{ id: key.id, status: 'deleted' }] });
    expect(failure(await keys(['show', key.id]))).toMatchObject({ exitCode: 1, code: 'not_found', status: 404 });
  });

  it('the key in use is not revoked without a word, and what is stored otherwise than asked for is said', async () => {
    const asked = await keys(['create', '--name', 'own', '--permission', '*:keyturn', '--allow-ip', '127.0.0.9/8']);
    expect(asked.stderr).toBe('');
    const { id, client_secret: apiKey } = json(asked);
    expect(failure(await keys(['revoke', id], { apiKey }))).toMatchObject({ exitCode: 2, code: 'usage' });
    expect(json(await keys(['show', id]))).toMatchObject({ is_valid: true, ip_allowlist: ['127.0.0.0/8'] });
    expect(json(await keys(['revoke', id, '--yes'], { apiKey }))).toMatchObject({ id, is_valid: false });

    const env = { KEYTURN_URL: service.url, KEYTURN_API_KEY: adminKey };
    const { stderr } = await runKeyturn(['keys', 'create', '--name', 'bare', '--allow-ip', '127.0.0.9/8'], {
      cwd,
      env,
    });
    expect(stderr).toContain('It has no permissions');
    expect(stderr).toContain('stored as 127.0.0.0/8');
  });

  it('list goes through every page', async () => {
    const login = await fetch(`${service.url}/oauth/token`, {
      method: 'POST',
      headers: { 'X-API-Key': adminKey },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const headers = {
      Authorization: `Bearer ${((await login.json()) as { access_token: string }).access_token}`,
      'Content-Type': 'application/json',
    };
    const url = `${service.url}/v1/projects/default/keys`;
    const create = async (index: number) => {
      const body = JSON.stringify({ name: `page-${storeName}-${index}` });
      expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(201);
    };
    for (let first = 0; first < 205; first += 5) await Promise.all([0, 1, 2, 3, 4].map((step) => create(first + step)));
    const listed = json(await keys(['list', '--project', 'default']));
    expect(listed.length).toBeGreaterThan(205);
    expect(new Set(listed.map(({ id }: { id: string }) => id)).size).toBe(listed.length);
  });

  it('people read a table with the state of each key, and see a secret once', async () => {
    const asPerson = (...args: string[]) =>
      runKeyturn(['keys', ...args], { cwd, env: { KEYTURN_URL: service.url, KEYTURN_API_KEY: adminKey } });
    const created = await asPerson('create', '--name', `table-${storeName}`);
    const [secret] = created.stdout.match(/ktk_\w+/) ?? [];
    const [id] = created.stdout.match(/key_\w+/) ?? [];
    expect(created.stderr).toContain('shown only now');
    // The service takes no such text; what was stored before, or a service that is not ours, may hold it.
    await store.database.run((knex) => knex('api_keys').where({ id }).update({ description: 'clears \u001b[2J' }));
    expect((await asPerson('revoke', String(id))).stdout).toContain('is revoked');
    const { stdout } = await asPerson('list');
    expect(stdout).toMatch(/^ID +NAME +CLIENT_ID +STATE +PERMISSIONS +EXPIRES +LAST USED +HINT\n/);
    expect(stdout).toMatch(
      new RegExp(`${id} +table-${storeName} +table-${storeName}_\\w+ +revoked +0 +- +never +${secret?.slice(-4)}`, 'i'),
    );
    const shown = await asPerson('show', String(id));
    expect(stdout + shown.stdout).not.toContain(secret);
    // Of an escape sequence only its letters reach the terminal.
    expect(shown.stdout).toContain('clears \\u001b[2J');
    const refused = await asPerson('show', ABSENT);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^keyturn: .*not_found, request req_\w+\)\n$/);
  });

  it('a chosen secret comes from a file or stdin and works at the token endpoint', async () => {
    const file = path.join(cwd, 'chosen');
    writeFileSync(file, `${CHOSEN}\n`);
    const fromFile = json(await keys(['create', '--name', `file-${storeName}`, '--chosen-secret-file', file]));
    const fromStdin = json(
      await keys(['create', '--name', `stdin-${storeName}`, '--chosen-secret-file', '-'], { input: CHOSEN }),
    );
    for (const { client_id } of [fromFile, fromStdin]) {
      const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret: CHOSEN });
      expect((await fetch(`${service.url}/oauth/token`, { method: 'POST', body })).status).toBe(200);
    }
    const refused = failure(await keys(['create', '--name', 'x', '--chosen-secret-file', '-'], { input: 'sesame1' }));
    expect(refused).toMatchObject({ exitCode: 1, code: 'validation_failed' });
    expect(JSON.stringify(refused)).not.toContain('sesame1');
  });

  it('the API key comes from a file or stdin too', async () => {
    const file = path.join(cwd, 'api-key');
    writeFileSync(file, `${adminKey}\n`);
    expect((await keys(['list', '--api-key-file', file], { apiKey: '' })).exitCode).toBe(0);
    expect((await keys(['list', '--api-key-file', '-'], { apiKey: '', input: adminKey })).exitCode).toBe(0);
    const env = { KEYTURN_URL: service.url, KEYTURN_API_KEY_FILE: file };
    expect((await runKeyturn(['keys', 'list'], { cwd, env })).exitCode).toBe(0);
    const both = failure(
      await runKeyturn(['keys', 'list', '--json'], { cwd, env: { ...env, KEYTURN_API_KEY: adminKey } }),
    );
    expect(both).toMatchObject({ exitCode: 2, message: expect.stringContaining('KEYTURN_API_KEY_FILE') });
  });

  it('what a key may not do is 3 and names the permission', async () => {
    const { client_secret: apiKey } = json(
      await keys(['create', '--name', `weak-${storeName}`, '--permission', 'read:keyturn']),
    );
    expect((await keys(['list'], { apiKey })).exitCode).toBe(0);
    expect(failure(await keys(['create', '--name', 'more'], { apiKey }))).toMatchObject({
      exitCode: 3,
      code: 'permission_missing',
      required_permission: 'create:keyturn/api-key',
      request_id: expect.stringMatching(/^req_/),
    });
  });

  it('a wrong or revoked key is 4, one that is cut short is not even sent', async () => {
    const { id, client_secret: apiKey } = json(await keys(['create', '--name', `gone-${storeName}`]));
    await keys(['revoke', id]);
    expect(failure(await keys(['list'], { apiKey }))).toMatchObject({ exitCode: 4, code: 'invalid_client' });
    const cut = failure(await keys(['list'], { apiKey: apiKey.slice(0, -1) }));
    expect(cut).toMatchObject({ exitCode: 4, code: 'api_key_malformed' });
    expect(JSON.stringify(cut)).not.toContain(apiKey.slice(4, -1));
  });

  it('rm asks on a terminal, and without one demands --yes', async () => {
    const { id } = json(await keys(['create', '--name', `asked-${storeName}`]));
    expect(failure(await keys(['rm', id], { input: 'yes\n' }))).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('--yes'),
    });
    const env = { PATH: process.env['PATH'], KEYTURN_URL: service.url, KEYTURN_API_KEY: adminKey };
    // util-linux' script gives the command a terminal.
    const onTerminal = (answer: string) =>
      spawnSync('script', ['-qec', [process.execPath, ...KEYTURN, 'keys', 'rm', id].join(' '), '/dev/null'], {
        cwd,
        env,
        input: answer,
        encoding: 'utf8',
      });
    expect(onTerminal('n\n')).toMatchObject({ status: 1, stdout: expect.stringContaining('nothing was done') });
    expect((await keys(['show', id])).exitCode).toBe(0);
    expect(onTerminal('y\n')).toMatchObject({ status: 0, stdout: expect.stringContaining(`${id}  deleted`) });
    expect((await keys(['show', id])).exitCode).toBe(1);
  });

  it('no secret is in an argument', async () => {
    const running = readFileSync(`/proc/${service.child.pid}/cmdline`, 'utf8');
    expect(running).toContain('serve');
    expect(running).not.toMatch(/kt[krs]_/);
    const refused = await runKeyturn(['keys', 'list', '--api-key', adminKey, '--json'], { cwd });
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).not.toContain(adminKey);
  });
});

it('works in a project that has audiences, on a service that calls itself otherwise than KEYTURN_URL', async () => {
  const { folder, remove: removeFolder } = makeFolder();
  const port = await freePort();
  const env = { PORT: String(port), KEYTURN_ISSUER: 'https://keys.example' };
  const service = await serveKeyturn({ cwd: folder, env });
  const database = openDatabase(`sqlite:${path.join(folder, 'data/keyturn.db')}`);
  try {
    await database.run((knex) => knex('projects').update({ audiences: '["https://sibling.example"]' }));
    const url = `http://127.0.0.1:${port}`;
    const apiKey = service.bootstrapped?.client_secret ?? '';
    const listed = await runKeyturn(['keys', 'list', '--json'], {
      cwd,
      env: { KEYTURN_URL: url, KEYTURN_API_KEY: apiKey },
    });
    expect(listed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(json(listed)).toMatchObject([{ name: 'administrator' }]);
  } finally {
    await database.close();
    await service.stop();
    removeFolder();
  }
});

describe('a service that is not there, or another one', () => {
  const apiKey = `ktk_${'0'.repeat(25)}_${'0'.repeat(43)}`;
  let undo: () => unknown = () => {};
  afterEach(() => void undo());

  async function serveAnother(answer: RequestListener): Promise<string> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    undo = () => server.close();
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function list(url: string): Promise<ReturnType<typeof failure>> {
    const { formatGeneratedSecret } = await import('@keyturn/lib/protocol');
    const [, suffix = '', random = ''] = apiKey.split('_');
    const env = { KEYTURN_URL: url, KEYTURN_API_KEY: formatGeneratedSecret(suffix, random) };
    return failure(await runKeyturn(['keys', 'list', '--json'], { cwd, env }));
  }

  it('nobody listening is 5', async () => {
    const refused = await list(`http://127.0.0.1:${await freePort()}`);
    expect(refused).toMatchObject({
      exitCode: 5,
      code: 'service_unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('503 is 5', async () => {
    const url = await serveAnother((_, response) => {
      response.writeHead(503, { 'Content-Type': 'application/json' }).end('{"error":"temporarily_unavailable"}');
    });
    expect(await list(url)).toMatchObject({ exitCode: 5, code: 'temporarily_unavailable' });
  });

  it('one that says no issuer does not get the API key', async () => {
    const paths: (string | undefined)[] = [];
    const url = await serveAnother((request, response) => {
      paths.push(request.url);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
    expect(await list(url)).toMatchObject({ exitCode: 1, code: 'not_keyturn' });
    expect(paths).toEqual(['/.well-known/oauth-authorization-server']);
  });

  it('a redirect is not followed: the API key stays with this host', async () => {
    let visits = 0;
    const url = await serveAnother((request, response) => {
      if (request.url === '/elsewhere') visits += 1;
      response.writeHead(307, { Location: '/elsewhere' }).end();
    });
    expect(await list(url)).toMatchObject({ exitCode: 1, code: 'not_keyturn' });
    expect(visits).toBe(0);
  });

  it.each(['ftp://h', 'http://u:s3cret@h', 'nonsense'])('KEYTURN_URL %s is refused without quoting it', async (url) => {
    const refused = await list(url);
    expect(refused).toMatchObject({ exitCode: 2, message: expect.stringContaining('KEYTURN_URL') });
    expect(refused.message).not.toContain('s3cret');
  });
});
