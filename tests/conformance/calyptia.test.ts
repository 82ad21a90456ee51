/** The requests that Calyptia's page prints as JavaScript: its own text is run, with the service in place of its address. */
import { describe, expect, it } from '@jest/globals';
import { uuidOfTypeId } from '../../server/type-id.ts';
import { keyturnFor, type Reply, readReply } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { differences, readSeed } from './printed-page.ts';

const PAGE = readSeed('calyptia-tokens');
const EXAMPLE =
  /\nRequest\n(const response = await fetch\([\s\S]+?\n\}\);)\n[\s\S]+?\nResponse\n([[{][\s\S]+?\n[\]}])/g;

interface PrintedCall {
  readonly run: (fetch: (url: string, init: RequestInit) => Promise<Response>) => Promise<Response>;
  readonly answer: unknown;
}

const [LIST, CREATE] = [...PAGE.matchAll(EXAMPLE)].map(
  ([, request = '', answer = '']): PrintedCall => ({
    run: new Function('fetch', `return (async () => { ${request}\nreturn response; })()`) as PrintedCall['run'],
    answer: JSON.parse(answer),
  }),
);
if (LIST === undefined || CREATE === undefined) throw new Error('the page prints two requests');

describe.each(keyturnStorages)('Calyptia, its printed requests on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  async function send({ run }: PrintedCall, accessToken?: string): Promise<Reply> {
    const token = accessToken ?? (await keyturn().exchange()).body.access_token;
    const projectId = uuidOfTypeId(keyturn().administrator.projectId);
    const response = await run((url, { headers, ...init }) =>
      fetch(url.replace('https://cloud-api.calyptia.com', keyturn().url).replace('{projectID}', projectId), {
        ...init,
        headers: { ...headers, Authorization: `Bearer ${token}` },
      }),
    );
    return readReply(response);
  }

  it('answers both as printed, member by member', async () => {
    const created = await send(CREATE);
    expect([created.status, differences(CREATE.answer, created.body, ['permissions'])]).toEqual([201, []]);
    // On purpose: "redacted" is printed, and would leave nobody with the token.
    expect(created.body.token).toMatch(/^ktk_/);
    expect(created.body).toMatchObject({ name: 'new-token', permissions: ['create:*'] });
    const listed = await send(LIST);
    expect([listed.status, differences(LIST.answer, listed.body, ['token'])]).toEqual([200, []]);
    expect(listed.body).toContainEqual({ ...created.body, token: 'redacted' });
  });

  it('makes a token that is an API key like any other', async () => {
    const { body: token } = await keyturn().api('POST', '/v1/projects/default/tokens', {
      name: 'agent',
      permissions: ['create:pipeline', 'read:pipeline/a'],
    });
    const { body: exchanged } = await keyturn().exchange(token.token);
    expect(exchanged.scope.split(' ').sort()).toEqual(['create:pipeline', 'read:pipeline/a']);
    const { body: keys } = await keyturn().api('GET', '/v1/projects/default/keys?limit=200');
    const key = keys.data.find(({ name }: { name: string }) => name === 'agent');
    expect(uuidOfTypeId(key.id)).toBe(token.id);
  });

  it('goes on after 200 tokens at the address of Link', async () => {
    const { body: project } = await keyturn().api('POST', '/v1/projects', { name: 'many', slug: 'many' });
    const path = `/v1/projects/${project.id}/tokens`;
    const none = await keyturn().api('GET', path);
    expect([none.body, none.headers.get('link')]).toEqual([[], null]);
    for (let index = 0; index < 201; index += 1)
      await keyturn().api('POST', path, { name: `token ${index}`, permissions: [] });
    const first = await keyturn().api('GET', path);
    const [, next = ''] = /^<(\S+)>; rel="next"$/.exec(first.headers.get('link') ?? '') ?? [];
    const second = await keyturn().api('GET', next);
    expect([first.body.length, second.body.length, second.headers.get('link')]).toEqual([200, 1, null]);
    expect(new Set([...first.body, ...second.body].map(({ id }) => id)).size).toBe(201);
  });

  it('keeps to the grantor rule and the walls between projects', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['*:keyturn/api-key', 'read:a'] });
    const { access_token: token } = (await keyturn().exchange(clientSecret)).body;
    expect(await send(CREATE, token)).toMatchObject({ status: 403, body: { code: 'permission_exceeds_grantor' } });
    const { body: other } = await keyturn().api('POST', '/v1/projects', { name: 'other', slug: 'other' });
    const texts = [];
    for (const project of [uuidOfTypeId(other.id), other.id, other.slug, crypto.randomUUID()])
      for (const [method, json] of [['GET'], ['POST', { name: 'mine', permissions: ['read:a'] }]] as const) {
        const { status, text } = await keyturn().api(method, `/v1/projects/${project}/tokens`, json, token);
        texts.push(status + text.replace(/"request_id":"[^"]*"/, ''));
      }
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toMatch(/^404/);
  });
});
