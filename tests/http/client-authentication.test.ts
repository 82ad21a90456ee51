import { describe, expect, it } from '@jest/globals';
import { claimsOf, keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages, sqliteStorage } from '../support/keyturn-storage.ts';

const GRANT = { grant_type: 'client_credentials' };
const formEncode = (text: string): string => new URLSearchParams({ v: text }).toString().slice(2);
const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

/** What trips clients and servers that encode differently (KEYCLOAK-16009, workers-oauth-provider#196). */
const ODD_SECRETS = [
  'Pa:ss:wo:rd1',
  'Pa%ss%41word',
  '100%Percent%',
  'Pa+ss+word1',
  'Pässwörd-日本-1',
  'Pa ss word 1',
  'A1=&?/#\\"\'b',
];

describe.each(keyturnStorages)('client authentication on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  it('takes a generated secret by Basic, in the body with and without client_id, and as X-API-Key', async () => {
    const { id, clientId, clientSecret } = await keyturn().createKey();
    const replies = await Promise.all([
      keyturn().token(GRANT, basic(clientId, clientSecret)),
      keyturn().token({ ...GRANT, client_id: clientId }, basic(clientId, clientSecret)),
      keyturn().token({ ...GRANT, client_id: clientId, client_secret: clientSecret }),
      keyturn().token({ ...GRANT, client_secret: clientSecret }),
      keyturn().token(GRANT, { 'x-api-key': clientSecret }),
      keyturn().token({ ...GRANT, client_id: clientId }, { 'x-api-key': clientSecret }),
    ]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    for (const { body } of replies) expect(claimsOf(body.access_token)).toMatchObject({ sub: id, client_id: clientId });
  });

  it('takes a scheme in any case, with spaces around the credentials', async () => {
    const { clientId, clientSecret } = await keyturn().createKey();
    const encoded = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    for (const authorization of [`basic ${encoded}`, `BASIC  ${encoded}`])
      expect((await keyturn().token(GRANT, { authorization })).status).toBe(200);
  });

  it.each([
    [
      'two ways at once: Basic and body',
      (id: string, secret: string) => [{ client_secret: secret }, basic(id, secret)],
    ],
    [
      'two ways at once: Basic and X-API-Key',
      (id: string, secret: string) => [{}, { ...basic(id, secret), 'x-api-key': secret }],
    ],
    [
      'two ways at once: body and X-API-Key',
      (_: string, secret: string) => [{ client_secret: secret }, { 'x-api-key': secret }],
    ],
    [
      'another client_id in the body than by Basic',
      (id: string, secret: string) => [{ client_id: 'other' }, basic(id, secret)],
    ],
  ] as const)('refuses %s as invalid_request', async (_case, make) => {
    const { clientId, clientSecret } = await keyturn().createKey();
    const [form, headers] = make(clientId, clientSecret);
    const { status, body } = await keyturn().token({ ...GRANT, ...form }, headers);
    expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_request' });
  });

  it.each([
    ['Bearer', 'Bearer abc'],
    ['Digest', 'Digest username="x"'],
    ['Basic without credentials', 'Basic'],
    ['Basic that is not base64', 'Basic %%%'],
    ['Basic without a colon', `Basic ${Buffer.from('nocolon').toString('base64')}`],
    ['Basic that is not UTF-8', `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString('base64')}`],
    ['Basic with base64 and more', `Basic ${Buffer.from('a:b').toString('base64')} x`],
  ])('refuses an Authorization of %s with 401 and a challenge', async (_case, authorization) => {
    const { status, headers, body } = await keyturn().token(GRANT, { authorization });
    expect({ status, error: body.error }).toEqual({ status: 401, error: 'invalid_client' });
    expect(headers.get('www-authenticate')).toBe('Basic realm="keyturn", charset="UTF-8"');
  });

  it('refuses a generated secret with the client_id of another key', async () => {
    const [own, other] = [await keyturn().createKey(), await keyturn().createKey()];
    const reply = await keyturn().token(GRANT, basic(other.clientId, own.clientSecret));
    expect({ status: reply.status, error: reply.body.error }).toEqual({ status: 401, error: 'invalid_client' });
  });

  it('refuses a generated secret with one character changed, wherever it stands', async () => {
    const { clientSecret } = await keyturn().createKey();
    for (const at of [0, 5, 30, 40, 72, 78]) {
      const wrong = clientSecret.slice(0, at) + (clientSecret[at] === 'a' ? 'b' : 'a') + clientSecret.slice(at + 1);
      expect((await keyturn().exchange(wrong)).status).toBe(401);
    }
  });

  it('answers wrong secret, unknown client, and what it would say of a proven key, byte for byte alike', async () => {
    const chosen = 'Chosen-Secret-1';
    const wrong = 'Another-Secret-1';
    const fields = { client_secret: chosen };
    const good = await keyturn().createKey(fields);
    const elsewhere = await keyturn().createKey({ ...fields, ip_allowlist: ['203.0.113.7'] });
    const revoked = await keyturn().createKey(fields);
    await keyturn().api('PATCH', `/v1/projects/default/keys/${revoked.id}`, { is_valid: false });
    const unknown = `ghost_${'a'.repeat(25)}`;
    const wrongGenerated = (await keyturn().createKey()).clientSecret.replace(/.$/, (last) =>
      last === 'a' ? 'b' : 'a',
    );
    const deleted = await keyturn().createKey();
    await keyturn().api('DELETE', `/v1/projects/default/keys/${deleted.id}`);
    const replies = await Promise.all([
      ...[good.clientId, elsewhere.clientId, revoked.clientId, unknown].map((id) =>
        keyturn().token(GRANT, basic(id, wrong)),
      ),
      keyturn().token({ ...GRANT, client_id: unknown, client_secret: wrong }),
      keyturn().exchange(wrongGenerated),
      keyturn().exchange(deleted.clientSecret),
    ]);
    const shown = replies.map(({ status, text, headers }) => ({
      status,
      text: text.replace(/"request_id":"[^"]*"/, ''),
      headers: [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name)),
    }));
    for (const reply of shown) expect(reply).toEqual(shown[0]);
    expect(shown[0]).toMatchObject({ status: 401 });
    expect(JSON.parse(replies[0]?.text ?? '')).toMatchObject({ error: 'invalid_client' });
  });

  it('tells the reason once the secret is proven', async () => {
    const elsewhere = await keyturn().createKey({ ip_allowlist: ['203.0.113.7'] });
    const revoked = await keyturn().createKey();
    await keyturn().api('PATCH', `/v1/projects/default/keys/${revoked.id}`, { is_valid: false });
    const [fromElsewhere, whenRevoked] = [
      await keyturn().exchange(elsewhere.clientSecret),
      await keyturn().exchange(revoked.clientSecret),
    ];
    expect(fromElsewhere).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(fromElsewhere.body.error_description).toContain('127.0.0.1');
    expect(whenRevoked).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(whenRevoked.body.error_description).toContain('revoked');
  });
});

// What is beside the stores: once is enough, bcrypt being slow.
describe('client authentication with a chosen secret', () => {
  const keyturn = keyturnFor(sqliteStorage);

  it.each(ODD_SECRETS)('takes the chosen secret %j form-encoded and raw by Basic, and in the body', async (secret) => {
    const { clientId, clientSecret } = await keyturn().createKey({ client_secret: secret });
    expect(clientSecret).toBe(secret);
    // One after the other: the first pays for bcrypt, the others are remembered.
    const encoded = await keyturn().token(GRANT, basic(formEncode(clientId), formEncode(secret)));
    const raw = await keyturn().token(GRANT, basic(clientId, secret));
    const inBody = await keyturn().token({ ...GRANT, client_id: clientId, client_secret: secret });
    expect([encoded.status, raw.status, inBody.status]).toEqual([200, 200, 200]);
  });
});
