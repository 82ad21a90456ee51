import { describe, expect, it } from '@jest/globals';
import { covers, parsePermission } from '@keyturn/lib/protocol';
import fc from 'fast-check';
import { keyturnFor, type Reply } from '../support/keyturn-server.ts';
import { sqliteStorage } from '../support/keyturn-storage.ts';

const PROJECT = '/v1/projects/default';
const ABLE_TO_MANAGE = ['*:keyturn/api-key', '*:keyturn/role', '*:keyturn/member'];

const permission = fc
  .tuple(
    fc.constantFrom('read', 'write', '*'),
    fc.constantFrom('a', 'a/b', 'a/b/c', 'a/*', 'a/b*', 'ab', '*', 'keyturn/role', 'keyturn'),
  )
  .map(([action, path]) => `${action}:${path}`);
const permissions = fc.uniqueArray(permission, { maxLength: 3 });

/** Written out, and not by the class that the product decides with. */
function isCovered(wanted: readonly string[], held: readonly string[]): boolean {
  return wanted.every((want) => held.some((grant) => covers(parsePermission(grant), parsePermission(want))));
}

// The rule is pure and the stores have their own suites: one store will do.
describe('nobody hands out more than they hold', () => {
  const keyturn = keyturnFor(sqliteStorage, { logLevel: 'error' });
  let made = 0;
  const name = () => {
    made += 1;
    return `grant ${made}`;
  };
  const admin = async (method: string, path: string, json: unknown): Promise<Reply> => {
    const reply = await keyturn().api(method, `${PROJECT}${path}`, json);
    expect({ isDone: reply.status < 300, text: reply.text }).toMatchObject({ isDone: true });
    return reply;
  };
  const keyWith = async (fields: object) => (await admin('POST', '/keys', { name: name(), ...fields })).body;

  const roleWith = async (wanted: readonly string[]) => {
    const { body: role } = await admin('POST', '/roles', { name: name(), permissions: wanted });
    return [{ role_id: role.id }];
  };
  const newEmail = () => `${name().replace(' ', '-')}@example.com`;
  const newUser = async () => (await keyturn().api('POST', '/v1/users', { email: newEmail(), name: 'x' })).body;

  /** Everything by which somebody comes to hold `wanted`. */
  const WAYS: Readonly<Record<string, (wanted: readonly string[]) => Promise<readonly [string, string, unknown]>>> = {
    'a new key': async (wanted) => ['POST', '/keys', { name: name(), permissions: wanted }],
    'a new key with a role': async (wanted) => {
      const roles = await roleWith(wanted);
      return ['POST', '/keys', { name: name(), roles }];
    },
    'an edit of permissions': async (wanted) => {
      const { id } = await keyWith({});
      return ['PATCH', `/keys/${id}`, { permissions: wanted }];
    },
    'an edit of an allowlist': async (wanted) => {
      const { id } = await keyWith({ permissions: wanted, ip_allowlist: ['203.0.113.1'] });
      return ['PATCH', `/keys/${id}`, { ip_allowlist: [] }];
    },
    'an edit of an expiry': async (wanted) => {
      const { id } = await keyWith({ permissions: wanted, expires_at: '2090-01-01T00:00:00Z' });
      return ['PATCH', `/keys/${id}`, { expires_at: null }];
    },
    'a restored key': async (wanted) => {
      const { id } = await keyWith({ permissions: wanted });
      await admin('PATCH', `/keys/${id}`, { is_valid: false });
      return ['PATCH', `/keys/${id}`, { is_valid: true }];
    },
    'a new secret': async (wanted) => {
      const { id } = await keyWith({ permissions: wanted });
      return ['POST', `/keys/${id}/regenerate`, {}];
    },
    'a new role': async (wanted) => ['POST', '/roles', { name: name(), permissions: wanted }],
    'an edit of a role': async (wanted) => {
      const { body: role } = await admin('POST', '/roles', { name: name(), permissions: [] });
      return ['PATCH', `/roles/${role.id}`, { permissions: wanted }];
    },
    'a member': async (wanted) => {
      const roles = await roleWith(wanted);
      return ['POST', '/members', { user_id: (await newUser()).id, roles }];
    },
    'an edit of a member': async (wanted) => {
      const roles = await roleWith(wanted);
      const { id } = await newUser();
      await admin('POST', '/members', { user_id: id, roles: [] });
      return ['PATCH', `/members/${id}`, { roles }];
    },
    'an invitation': async (wanted) => {
      const roles = await roleWith(wanted);
      return ['POST', '/invitations', { email: newEmail(), name: 'x', roles }];
    },
    'a token, as Calyptia has them': async (wanted) => ['POST', '/tokens', { name: name(), permissions: wanted }],
    'a new secret, as ALM Octane has it': async (wanted) => {
      const { id } = await keyWith({ permissions: wanted });
      const json = { is_valid: true, client_secret: 'Chosen-Secret-1' };
      return ['PUT', `/api/shared_spaces/default/api_accesses/${id}`, json];
    },
  };

  it.each(Object.keys(WAYS))(
    '%s',
    async (way) => {
      const prepare = WAYS[way] as (typeof WAYS)[string];
      const outcomes = new Set<boolean>();
      await fc.assert(
        fc.asyncProperty(permissions, permissions, fc.boolean(), async (held, others, isWithin) => {
          const wanted = isWithin ? held : others;
          const all = [...held, ...ABLE_TO_MANAGE];
          const { client_secret } = await keyWith({ permissions: all });
          const { body: token } = await keyturn().exchange(client_secret);
          const [method, path, json] = await prepare(wanted);
          const target = path.startsWith('/api/') ? path : `${PROJECT}${path}`;
          const reply = await keyturn().api(method, target, json, token.access_token);
          const isAllowed = isCovered(wanted, all);
          outcomes.add(isAllowed);
          const expected = isAllowed ? { isDone: true } : { status: 403, body: { code: 'permission_exceeds_grantor' } };
          const { status, body } = reply;
          expect({ held, wanted, isDone: status < 300, status, body }).toMatchObject(expected);
        }),
        {
          numRuns: 20,
          examples: [
            [['*:*'], ['*:keyturn'], false],
            [['read:a'], ['read:a'], true],
          ],
        },
      );
      expect(outcomes).toEqual(new Set([true, false]));
    },
    60_000,
  );
});
