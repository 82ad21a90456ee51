import { describe, expect, it } from '@jest/globals';
import { BAD_JSON_BODIES, BAD_JSON_VALUES } from '../support/bad-values.ts';
import { keyturnFor, type Reply, readReply } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const KEYS = '/v1/projects/default/keys';
const FIELDS = [
  'name',
  'description',
  'owner_id',
  'permissions',
  'roles',
  'ip_allowlist',
  'expires_at',
  'client_secret',
  'refresh_tokens',
  'refresh_requires_client_auth',
] as const;

const summary = ({ status, body }: Reply) => `${status} ${body?.code}`;

describe.each(keyturnStorages)('bad input of the management API on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  async function post(body: string | Buffer, headers: Record<string, string> = {}, path = KEYS, method = 'POST') {
    const authorization = `Bearer ${(await keyturn().exchange()).body.access_token}`;
    const all = { authorization, 'content-type': 'application/json', ...headers };
    return readReply(await fetch(keyturn().url + path, { method, headers: all, body: Buffer.from(body) }));
  }

  it.each(Object.entries(BAD_JSON_BODIES))('refuses %s as a body', async (_, body) => {
    const { id } = await keyturn().createKey();
    for (const reply of [await post(body), await post(body, {}, `${KEYS}/${id}`, 'PATCH')])
      expect(summary(reply)).toMatch(/^400 (body_malformed|validation_failed)$/);
  });

  it('refuses a body that is missing, and says what is', async () => {
    const reply = await keyturn().api('POST', KEYS);
    expect(summary(reply)).toBe('400 validation_failed');
    expect(reply.body.errors).toContainEqual({ field: 'name', message: expect.any(String) });
    const { id } = await keyturn().createKey();
    expect(summary(await keyturn().api('PATCH', `${KEYS}/${id}`))).toBe('400 validation_failed');
  });

  it.each([
    ['text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['JSON in Latin-1', { 'content-type': 'application/json; charset=latin1' }],
    ['gzip', { 'content-encoding': 'gzip' }],
    ['merge-patch', { 'content-type': 'application/merge-patch+json' }],
  ])('refuses a body that calls itself %s with 415', async (_, headers) => {
    expect(summary(await post('{"name":"typed"}', headers))).toBe('415 media_type_unsupported');
  });

  it('refuses a body over 64 KiB with 413', async () => {
    expect(summary(await post(JSON.stringify({ name: 'big', description: 'a'.repeat(2 ** 16) })))).toBe(
      '413 body_too_large',
    );
  });

  it.each(FIELDS)('refuses every wrong value of %s, or keeps it as it is', async (field) => {
    const wrong: string[] = [];
    for (const [what, value] of Object.entries(BAD_JSON_VALUES)) {
      const reply = await keyturn().api('POST', KEYS, { name: `bad ${field} ${what}`, [field]: value });
      const isKept = reply.status === 201 && JSON.stringify(reply.body[field]) === JSON.stringify(value);
      if (!isKept && summary(reply) !== '400 validation_failed') wrong.push(`${what}: ${summary(reply)}`);
      if (isKept && (await keyturn().api('GET', `${KEYS}/${reply.body.id}`)).body[field] !== value)
        wrong.push(`${what}: stored as something else`);
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    ['name', ['', '   ', 'a'.repeat(101), 'a\u0000', 'a\u007f', null]],
    [
      'permissions',
      [['read'], ['read:'], [':a'], ['READ:a'], ['read:a b'], ['read:a//b'], ['read:../a b'], null, 'read:a'],
    ],
    ['ip_allowlist', [['0.0.0.0/0'], ['::/0'], ['10/8'], ['010.0.0.1'], ['1.2.3'], ['1.2.3.4/33'], ['x'], [''], null]],
    ['ip_allowlist', [Array.from({ length: 101 }, (_, index) => `203.0.113.${index}`)]],
    [
      'expires_at',
      ['2020-01-01T00:00:00Z', '2099-01-01', 'tomorrow', '2099-02-30T00:00:00Z', '2099-01-01T00:00:00', '', 4102444800],
    ],
    [
      'client_secret',
      [
        'Short-1',
        'a'.repeat(31),
        'alllowercase',
        'ALLUPPER123',
        'Abc-1234567\n',
        `Aa1-${'é'.repeat(35)}`,
        `Aa-1${'日'.repeat(25)}`,
        null,
      ],
    ],
    ['client_secret', ['ktk_Looks-Generated-1']],
  ] as const)('refuses %s of %j', async (field, values) => {
    for (const value of values) {
      const reply = await keyturn().api('POST', KEYS, { name: 'refused', [field]: value });
      expect([value, summary(reply)]).toEqual([value, '400 validation_failed']);
      expect(reply.body.errors[0].field).toMatch(new RegExp(`^${field}`));
    }
  });

  it('counts characters of a name, not UTF-16 units', async () => {
    expect((await keyturn().api('POST', KEYS, { name: '😀'.repeat(100) })).status).toBe(201);
    expect(summary(await keyturn().api('POST', KEYS, { name: '😀'.repeat(101) }))).toBe('400 validation_failed');
  });

  it('refuses every field of an answer that is not of a request, and any other', async () => {
    const { body: key } = await keyturn().api('POST', KEYS, { name: 'the fields of an answer' });
    const writable = new Set<string>(FIELDS);
    const extras = [
      ...Object.keys(key).filter((field) => !writable.has(field)),
      'secret_hash',
      'projectId',
      'isValid',
      'constructor',
    ];
    for (const extra of extras) {
      const value = Object.hasOwn(key, extra) ? key[extra] : 'x';
      const reply = await keyturn().api('POST', KEYS, { name: 'assigned', [extra]: value });
      expect([extra, summary(reply)]).toEqual([extra, '400 validation_failed']);
      const patch = await keyturn().api('PATCH', `${KEYS}/${key.id}`, { is_valid: true, [extra]: value });
      expect([extra, summary(patch)]).toEqual([
        extra,
        extra === 'is_valid' ? '200 undefined' : '400 validation_failed',
      ]);
    }
  });

  it('refuses __proto__ and leaves Object.prototype alone', async () => {
    for (const body of [
      '{"name":"p","__proto__":{"polluted":1}}',
      '{"name":"p","constructor":{"prototype":{"polluted":1}}}',
    ])
      expect(summary(await post(body))).toBe('400 validation_failed');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('refuses a key whose tokens would be over 8 KiB, saying the size', async () => {
    const permissions = Array.from({ length: 100 }, (_, index) => `read:${'a'.repeat(90)}${index}`);
    const reply = await keyturn().api('POST', KEYS, { name: 'large', permissions });
    expect(summary(reply)).toBe('422 token_too_large');
    expect(reply.text).toMatch(/\b1[0-9]{4}\b/);
  });

  it('issues the largest token that it takes, and verifies it', async () => {
    const permissions = Array.from({ length: 100 }, (_, index) => `read:${'a'.repeat(44)}${index}`);
    const { clientSecret } = await keyturn().createKey({ permissions });
    const { body } = await keyturn().exchange(clientSecret);
    expect(body.access_token.length).toBeGreaterThan(6800);
    expect((await keyturn().api('GET', '/v1/me', undefined, body.access_token)).status).toBe(200);
  });

  it.each([
    '%00',
    '%ff',
    '%F0%9F%98%80',
    '..%2f..',
    "'%20OR%201=1--",
    'a'.repeat(5000),
    '__proto__',
    '%',
    '%5b%5d',
    'key_',
  ])('answers the path segment %s with 4xx', async (segment) => {
    for (const path of [`/v1/projects/${segment}/keys`, `${KEYS}/${segment}`, `/errors/${segment}`, `/${segment}`]) {
      const { status, body } = await keyturn().api('GET', path);
      expect([path.slice(0, 60), status >= 400 && status < 500, typeof body?.code]).toEqual([
        path.slice(0, 60),
        true,
        'string',
      ]);
    }
  });

  it('logs none of it as an error', () => {
    expect(keyturn().logLines.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  });
});
