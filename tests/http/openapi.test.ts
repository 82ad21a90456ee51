import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keyturnFor, readReply } from '../support/keyturn-server.ts';
import { sqliteStorage } from '../support/keyturn-storage.ts';
import { createOpenApiContract, type OpenApiContract } from '../support/openapi-contract.ts';
import type { Json } from '../support/openapi-schemas.ts';

const keyturn = keyturnFor(sqliteStorage);
const get = async (path: string) => readReply(await fetch(keyturn().url + path));

/** Everything of a document, however deep, that is an object. */
function* objectsIn(value: Json): Generator<Json> {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value)) yield value;
  for (const member of Object.values(value)) yield* objectsIn(member);
}

describe('/openapi.json', () => {
  let document: Json;

  beforeAll(async () => {
    document = (await get('/openapi.json')).body;
  });

  it('is of this version and this issuer, kept for a short while, and for this origin alone', async () => {
    const { status, headers } = await get('/openapi.json');
    expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=60']);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(document).toMatchObject({ openapi: '3.1.0', servers: [{ url: keyturn().url }] });
    expect(document.info.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('refers to nothing that it does not hold', () => {
    const references = [...objectsIn(document)].flatMap(({ $ref }) => ($ref === undefined ? [] : [$ref as string]));
    expect(references.length).toBeGreaterThan(100);
    const isHeld = (reference: string) =>
      reference
        .slice(2)
        .split('/')
        .reduce((at, step) => at?.[step], document) !== undefined;
    expect(references.filter((reference) => !isHeld(reference))).toEqual([]);
  });

  it('speaks of what goes over the wire', () => {
    const { parameters } = document.paths['/v1/projects/{project}/keys'].get;
    const limit = parameters.find(({ name }: { name: string }) => name === 'limit');
    expect(limit.schema).toEqual({ type: 'integer', minimum: 1, maximum: 200, default: 50 });
    const { UpdateApiKey, ApiKey } = document.components.schemas;
    expect(UpdateApiKey.properties.name).toEqual({ type: 'string', minLength: 1, maxLength: 100 });
    // What is sent is closed, as it is validated; what is answered may grow.
    expect([UpdateApiKey.additionalProperties, ApiKey.additionalProperties]).toEqual([false, undefined]);
    expect(JSON.stringify(document)).not.toContain('"wire"');
  });

  it('says for each operation who may call it', () => {
    const operation = document.paths['/v1/projects/{project}/keys/{key}'].patch;
    expect(operation['x-required-permission']).toBe('update:keyturn/api-key');
    expect(operation.security).toEqual([{ accessToken: [] }, { consoleSession: [] }]);
    expect(document.paths['/v1/session'].post.security).toEqual([]);
  });
});

describe('/docs', () => {
  it('is a page without inline scripts that takes everything from this origin', async () => {
    const { status, headers, text } = await get('/docs');
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(text).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/);
    const addresses = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = '']) => address);
    expect(addresses.length).toBeGreaterThan(3);
    for (const address of addresses) {
      expect(address).toMatch(/^\/docs\//);
      expect([address, (await get(address)).status]).toEqual([address, 200]);
    }
  });

  it('shows this document and asks nobody to validate it', async () => {
    const { text } = await get('/docs/viewer.js');
    expect(JSON.parse(/\((\{.*\})\)/.exec(text)?.[1] ?? '')).toMatchObject({
      url: '/openapi.json',
      validatorUrl: null,
      persistAuthorization: false,
    });
  });

  it.each(['/docs/swagger-ui-bundle.js.map', '/docs/package.json', '/docs/..%2fpackage.json'])(
    'does not serve %s',
    async (path) => expect((await get(path)).status).toBe(404),
  );
});

/** Answers as it is told to, whatever the document says. */
describe('the contract tester', () => {
  let server: Server;
  let contract: OpenApiContract;
  let answer: { status: number; type: string; body: unknown; headers?: Record<string, string> };
  const me = { key_id: 'k', client_id: 'c', project_id: 'p', session_id: null, permissions: [], ip_allowlist: [] };
  const whole = { ...me, token_expires_at: '2027-01-31T18:00:00.000Z', ip: null };

  beforeAll(async () => {
    const document = (await get('/openapi.json')).text;
    server = createServer((request, response) => {
      if (request.url === '/openapi.json') return void response.end(document);
      response.writeHead(answer.status, {
        'content-type': answer.type,
        'x-request-id': 'req_1',
        ...answer.headers,
      });
      response.end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    contract = await createOpenApiContract({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  afterAll(() => void server.close());

  const type = 'application/json';
  it('takes what is documented', async () => {
    answer = { status: 200, type, body: whole };
    expect((await contract.send({ method: 'GET', path: '/v1/me' })).status).toBe(200);
    expect([...contract.seen('getMe')]).toEqual([200]);
  });

  it.each([
    ['a status', { status: 202, type, body: whole }, /documents 200, /],
    ['a member', { status: 200, type, body: { ...whole, extra: 1 } }, /unevaluated/],
    ['a member missing', { status: 200, type, body: me }, /token_expires_at/],
    [
      'a time that is not in UTC',
      { status: 200, type, body: { ...whole, token_expires_at: '2027-01-31T18:00:00+01:00' } },
      /Z\$/,
    ],
    ['a media type', { status: 200, type: 'text/plain', body: whole }, /its type is text\/plain/],
    ['a header', { status: 200, type, body: whole, headers: { etag: '"v1"' } }, /etag is not documented/],
    ['a header missing', { status: 503, type: 'application/problem+json', body: {} }, /Retry-After is missing/],
  ] as const)('refuses %s that the document does not know', async (_what, wrong, fault) => {
    answer = wrong;
    await expect(contract.send({ method: 'GET', path: '/v1/me' })).rejects.toThrow(fault);
  });

  it('refuses a query parameter that is taken without being documented, and a path', async () => {
    answer = { status: 200, type, body: whole };
    await expect(contract.send({ method: 'GET', path: '/v1/me?extra=1' })).rejects.toThrow(/extra is taken/);
    await expect(contract.send({ method: 'GET', path: '/v1/you' })).rejects.toThrow(/not documented/);
  });
});
