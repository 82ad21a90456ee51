import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const PROJECT = '/v1/projects/default';
const FUTURE = '2090-01-01T00:00:00Z';

describe.each(keyturnStorages)('the list of keys on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const list = (query: Readonly<Record<string, string>>) =>
    keyturn().api('GET', `${PROJECT}/keys?${new URLSearchParams(query)}`);
  const namesOf = async (query: Readonly<Record<string, string>>): Promise<string[]> => {
    const { status, text, body } = await list(query);
    expect({ status, text }).toMatchObject({ status: 200 });
    return body.data.map(({ name }: { name: string }) => name);
  };
  let ids: Readonly<Record<string, { readonly id: string; readonly clientId: string }>>;
  let roleId: string;

  beforeAll(async () => {
    const { body: role } = await keyturn().api('POST', `${PROJECT}/roles`, {
      name: 'Defects',
      permissions: ['write:defect'],
    });
    roleId = role.id;
    const made: typeof ids = {
      'run-ci-eu': await keyturn().createKey({ name: 'run-ci-eu', permissions: ['read:credential/prod-*'] }),
      'Run ci us': await keyturn().createKey({ name: 'Run ci us', expires_at: '2080-01-01T00:00:00Z' }),
      'nightly build': await keyturn().createKey({ name: 'nightly build', roles: [{ role_id: roleId }] }),
    };
    ids = made;
    await keyturn().api('PATCH', `${PROJECT}/keys/${ids['nightly build']?.id}`, { is_valid: false });
  });

  it('finds keys by the beginnings of words, and by what names one', async () => {
    expect(await namesOf({ q: 'ci run', sort: 'name' })).toEqual(['Run ci us', 'run-ci-eu']);
    expect(await namesOf({ q: 'EU c' })).toEqual(['run-ci-eu']);
    expect(await namesOf({ q: 'un' })).toEqual([]);
    const { id, clientId } = ids['Run ci us'] as { id: string; clientId: string };
    for (const q of [id, clientId, clientId.slice(-25), clientId.slice(-25, -15)])
      expect(await namesOf({ q })).toEqual(['Run ci us']);
  });

  it('filters by every field, and by all of them together', async () => {
    expect(await namesOf({ is_valid: 'false' })).toEqual(['nightly build']);
    expect(await namesOf({ expires_before: FUTURE })).toEqual(['Run ci us']);
    expect(await namesOf({ role_id: roleId })).toEqual(['nightly build']);
    expect(await namesOf({ permission: 'read:credential/prod-db', q: 'run' })).toEqual(['run-ci-eu']);
    expect(await namesOf({ permission: 'write:defect/7', is_valid: 'false' })).toEqual(['nightly build']);
    // The administrator's *:* reaches all that is not Keyturn's own.
    expect(await namesOf({ permission: 'write:defect/7' })).toContain('nightly build');
    expect(await namesOf({ unused_since: '2000-01-01T00:00:00Z' })).toEqual([]);
    expect(await namesOf({ unused_since: FUTURE, q: 'run', is_valid: 'true', sort: '-name' })).toEqual([
      'run-ci-eu',
      'Run ci us',
    ]);
    const { owner_id } = (await list({ q: 'nightly' })).body.data[0];
    expect((await namesOf({ owner_id })).length).toBeGreaterThan(2);
    expect(await namesOf({ owner_id: 'usr_nobody' })).toEqual([]);
  });

  it.each(['created_at', 'name', 'last_used_at', 'expires_at'])(
    'goes through pages by %s, both ways',
    async (field) => {
      const through = async (sort: string) => {
        const names: string[] = [];
        for (let cursor: string | null = ''; cursor !== null; ) {
          const { body } = await list({ sort, limit: '1', is_valid: 'true', ...(cursor !== '' && { cursor }) });
          expect(body.data.length).toBeLessThanOrEqual(1);
          names.push(...body.data.map(({ name }: { name: string }) => name));
          cursor = body.next_cursor;
        }
        return names;
      };
      const names = await through(field);
      expect(names).toEqual(await namesOf({ sort: field, is_valid: 'true' }));
      expect(names.length).toBeGreaterThan(2);
      expect(await through(`-${field}`)).toEqual(names.reverse());
    },
  );

  it.each([
    ['q', '?!'],
    ['is_valid', 'yes'],
    ['expires_before', 'tomorrow'],
    ['unused_since', '90d'],
    ['permission', 'read'],
    ['sort', 'owner_id'],
    ['owner', 'usr_a'],
  ])('refuses %s=%s by name', async (field, value) => {
    const reply = await list({ [field]: value });
    expectProblem(reply, { status: 400, code: 'validation_failed' });
    expect(reply.body.errors).toEqual([{ field, message: expect.any(String) }]);
  });
});
