import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freePorts } from '../../scripts/services.mjs';
import { keyturnFor } from '../support/keyturn-server.ts';
import { sqliteStorage } from '../support/keyturn-storage.ts';

const root = new URL('../../', import.meta.url);
const keyturn = keyturnFor(sqliteStorage);
let service: ChildProcess;
let url = '';

beforeAll(async () => {
  const [port] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  // On the sources of @keyturn/lib, as all tests.
  const loader = ['--conditions=keyturn-source', '--import', import.meta.resolve('tsx')];
  const script = new URL('examples/credentials-service/server.mjs', root).pathname;
  const env = { PATH: process.env['PATH'], KEYTURN_ISSUER: keyturn().url };
  service = spawn(process.execPath, [...loader, script, String(port)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(service.stdout as NodeJS.ReadableStream, 'data');
  expect(String(said)).toContain(url);
});
afterAll(() => void service?.kill());

it('the example of the README lists and shows what the key may read, and nothing else', async () => {
  const { clientSecret } = await keyturn().createKey({ permissions: ['read:credential/prod-*'] });
  const { body } = await keyturn().exchange(clientSecret);
  const get = async (path: string, token = body.access_token) => {
    const response = await fetch(url + path, { headers: { Authorization: `Bearer ${token}` } });
    const answer = (await response.json()) as { data?: { id: string }[] };
    return { status: response.status, body: answer };
  };
  const list = await get('/credentials');
  expect(list.body.data?.map(({ id }) => id)).toEqual(['prod-db', 'prod-queue']);
  expect(await get('/credentials/prod-db')).toMatchObject({ status: 200, body: { id: 'prod-db' } });
  expect(await get('/credentials/staging-db')).toMatchObject({
    status: 403,
    body: { required_permission: 'read:credential/staging-db' },
  });
  // The likeliest mistake: the API key where the access token belongs.
  const mistaken = await get('/credentials', clientSecret);
  expect(mistaken).toMatchObject({ status: 401, body: { error_description: expect.stringContaining('exchange it') } });
});
