import { once } from 'node:events';
import { Agent, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Keyturn, keyturnFor, readReply, startKeyturn } from '../support/keyturn-server.ts';
import { type KeyturnStorage, keyturnStorages, sqliteStorage } from '../support/keyturn-storage.ts';

const get = async (url: string, path: string) => readReply(await fetch(url + path));

describe.each(keyturnStorages)('health on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  it('says that it lives and is ready, and what it has checked', async () => {
    expect(await get(keyturn().url, '/livez')).toMatchObject({ status: 200, body: { status: 'ok' } });
    const ready = await get(keyturn().url, '/readyz');
    const checks = { database: 'ok', sessions: 'ok', signing_keys: 'ok' };
    expect(ready).toMatchObject({ status: 200, body: { status: 'ok', checks } });
    expect(ready.headers.get('cache-control')).toBe('no-store');
  });

  it('counts exchanges and refreshes by grant and outcome, and names nobody', async () => {
    const { id, clientId, clientSecret } = await keyturn().createKey();
    const { body } = await keyturn().exchange(clientSecret);
    await keyturn().refresh(body.refresh_token);
    await keyturn().refresh(body.refresh_token);
    for (const grantType of ['password', 'x"} 1\n', '__proto__', 'a'.repeat(1000)])
      await keyturn().token({ grant_type: grantType });
    await keyturn().api('GET', `/v1/projects/default/keys/${id}`);
    const { status, headers, text } = await get(keyturn().url, '/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    for (const labels of [
      'grant_type="client_credentials",outcome="ok"',
      'grant_type="refresh_token",outcome="ok"',
      'grant_type="refresh_token",outcome="refresh_token_reused"',
    ])
      expect(text).toMatch(new RegExp(`^keyturn_token_requests_total\\{${labels}\\} [1-9]`, 'm'));
    expect(text).toMatch(/^keyturn_token_request_duration_seconds_bucket/m);
    expect(text).toMatch(/^keyturn_store_duration_seconds_count\{store="sessions",operation="rotate",outcome="ok"\}/m);
    expect(text).toMatch(/eventloop_lag/);
    for (const name of [id, clientId, clientId.slice(-25), body.access_token, '127.0.0.1', 'password', '__proto__'])
      expect(text).not.toContain(name);
    expect(text).not.toMatch(/(key|ses|prj|usr)_[0-9a-z]{26}/);
    const grants = new Set([...text.matchAll(/grant_type="([^"]*)"/g)].map(([, label]) => label));
    expect([...grants].sort()).toEqual(
      ['client_credentials', 'none', 'other', 'refresh_token'].filter((name) => grants.has(name)),
    );
  });
});

describe('the operations port', () => {
  let storage: KeyturnStorage;
  let keyturn: Keyturn;
  let opsUrl = '';

  beforeAll(async () => {
    storage = await sqliteStorage.open();
    // The number only has to differ from the service's: what listens takes a free one below.
    keyturn = await startKeyturn(storage, { environment: { KEYTURN_OPS_PORT: '1' } });
    const opsServer = keyturn.service.opsServer as Server;
    opsServer.listen(0, '127.0.0.1');
    await once(opsServer, 'listening');
    opsUrl = `http://127.0.0.1:${(opsServer.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    keyturn.service.opsServer?.close();
    keyturn.service.opsServer?.closeAllConnections();
    await keyturn.close();
    await storage.close();
  });

  it.each(['/livez', '/readyz', '/metrics'])('has %s, and the service no longer', async (path) => {
    expect((await get(opsUrl, path)).status).toBe(200);
    expect((await get(keyturn.url, path)).status).toBe(404);
  });

  it.each(['/oauth/token', '/v1/me', '/.well-known/jwks.json', '/errors', '/'])('does not serve %s', async (path) => {
    const { status, headers, body } = await get(opsUrl, path);
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: 'not_found', request_id: headers.get('x-request-id') });
  });
});

describe('draining', () => {
  it('says so, finishes what is in flight, and closes each connection after its answer', async () => {
    const storage = await sqliteStorage.open();
    const keyturn = await startKeyturn(storage);
    const { server } = keyturn.service;
    const body = `grant_type=client_credentials&client_secret=${keyturn.administrator.clientSecret}`;
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': body.length };
    // A client that would keep the connection for ever.
    const agent = new Agent({ keepAlive: true });
    const inFlight = request(`${keyturn.url}/oauth/token`, { method: 'POST', agent, headers });
    const isReceived = once(server, 'request');
    const isAnswered = once(inFlight, 'response');
    inFlight.write(body.slice(0, 20));
    await isReceived;

    keyturn.service.drain();
    const ready = await get(keyturn.url, '/readyz');
    expect(ready).toMatchObject({ status: 503, body: { status: 'draining' } });
    expect(ready.headers.get('connection')).toBe('close');
    expect((await get(keyturn.url, '/livez')).status).toBe(200);
    const isClosed = once(server, 'close');
    server.close();
    await expect(fetch(`${keyturn.url}/livez`)).rejects.toThrow();

    inFlight.end(body.slice(20));
    const [response] = await isAnswered;
    expect(response.statusCode).toBe(200);
    response.resume();
    await once(response.socket, 'close', { signal: AbortSignal.timeout(3000) });
    await isClosed;
    agent.destroy();
    await keyturn.service.close();
    await storage.close();
  });
});
