/** What a refusal says to whoever has made a mistake: the value that is wrong, and what to do. */
import { describe, expect, it } from '@jest/globals';
import { keyturnFor, readReply } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const PROJECT = '/v1/projects/default';
const KEYS = `${PROJECT}/keys`;

describe.each(keyturnStorages)('what a refusal says on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  it.each([
    ['a role', { roles: [{ role_id: 'typist' }] }, 'roles.0.role_id names no role of this project: "typist"'],
    [
      'a workspace',
      { roles: [{ role_id: 'viewer', workspace_id: 'attic' }] },
      'roles.0.workspace_id names no workspace of this project: "attic"',
    ],
    ['an address', { ip_allowlist: ['10/8'] }, /^ip_allowlist '10\/8' is no CIDR block: write one like /],
    ['every address', { ip_allowlist: ['0.0.0.0/0'] }, /^ip_allowlist '0\.0\.0\.0\/0' allows every address: /],
    [
      'a short secret',
      { client_secret: 'Ab1' },
      /^client_secret is refused: a chosen secret has at least 10 characters/,
    ],
  ])('names %s that is wrong', async (_, wrong, words) => {
    const { status, body } = await keyturn().api('POST', KEYS, { name: 'mistaken', ...wrong });
    expect(status).toBe(400);
    expect(body.detail).toEqual(typeof words === 'string' ? words : expect.stringMatching(words));
  });

  it('tells how If-Match is written', async () => {
    const { id } = await keyturn().createKey();
    const authorization = `Bearer ${(await keyturn().exchange()).body.access_token}`;
    const headers = { authorization, 'content-type': 'application/json' };
    for (const [etag, words] of [
      ['v1', 'with its quotes'],
      ['"v9"', 'Read it again'],
    ] as const) {
      const init = { method: 'PATCH', headers: { ...headers, 'if-match': etag }, body: '{"description":"x"}' };
      const reply = await readReply(await fetch(`${keyturn().url}${KEYS}/${id}`, init));
      expect(reply).toMatchObject({ status: 412, body: { code: 'version_mismatch' } });
      expect(reply.body.detail).toContain(words);
    }
  });

  it('tells broken JSON from a broken path', async () => {
    const authorization = `Bearer ${(await keyturn().exchange()).body.access_token}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const ask = async (path: string, init: RequestInit) =>
      (await fetch(keyturn().url + path, { headers, ...init })).json() as Promise<{ detail: string }>;
    expect((await ask(KEYS, { method: 'POST', body: '{"name"' })).detail).toMatch(/^Send a JSON object/);
    expect((await ask('/v1/projects/%zz/keys', {})).detail).toBe('the path or the body could not be read');
  });

  it('says how to get an access token for this API', async () => {
    const none = await (await fetch(keyturn().url + KEYS)).json();
    expect(none).toMatchObject({ reason: 'token_missing', detail: expect.stringContaining('/oauth/token') });
    const project = await keyturn().api('POST', '/v1/projects', { name: 'Aud', audiences: ['https://vault.example'] });
    const made = await keyturn().api('POST', `/v1/projects/${project.body.id}/keys`, { name: 'elsewhere' });
    const { body } = await keyturn().exchange(made.body.client_secret);
    const headers = { authorization: `Bearer ${body.access_token}` };
    const other = (await (await fetch(`${keyturn().url}/v1/me`, { headers })).json()) as { detail: string };
    expect(other).toMatchObject({ reason: 'audience_mismatch', detail: expect.stringContaining('resource=http') });
  });

  it('counts only what uses an object', async () => {
    const role = await keyturn().api('POST', `${PROJECT}/roles`, { name: 'Held', permissions: ['read:defect'] });
    await keyturn().api('POST', KEYS, { name: 'holder', roles: [{ role_id: role.body.id }] });
    const { status, body } = await keyturn().api('DELETE', `${PROJECT}/roles/${role.body.id}`);
    expect([status, body.detail]).toEqual([409, 'it is in use by 1 API key']);
  });

  it('has a page for every error, whose sentences end once', async () => {
    for (const name of ['name_taken', 'client_unproven']) {
      const html = await (await fetch(`${keyturn().url}/errors/${name}`)).text();
      expect(html).toMatch(/\.<\/p>/);
      expect(html).not.toContain('..<');
    }
  });
});
