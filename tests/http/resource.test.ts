import { beforeAll, describe, expect, it } from '@jest/globals';
import { recordChange } from '../../db/sql/sql-change-store.ts';
import { claimsOf, keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { addProject, type OtherProject } from '../support/other-project.ts';
import { eventually } from '../support/redis-fault.ts';

const A = 'https://a.example';
const B = 'https://b.example/api';
/** In which an instance knows what was changed behind its back. */
const SEEN_MS = 1_000;

describe.each(keyturnStorages)('resource (RFC 8707) on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  let project: OtherProject;
  let apiKey = '';

  beforeAll(async () => {
    project = await addProject(keyturn(), [A, B]);
    const { body } = await keyturn().api('POST', `/v1/projects/${project.id}/keys`, {
      name: 'x',
      permissions: ['read:a'],
    });
    apiKey = body.client_secret;
  });

  const audienceOf = (accessToken: string) => claimsOf(accessToken).aud;

  it('left out means all audiences of the project, also after a refresh', async () => {
    const { body } = await keyturn().exchange(apiKey);
    expect(audienceOf(body.access_token)).toEqual([A, B]);
    const { body: refreshed } = await keyturn().refresh(body.refresh_token);
    expect(audienceOf(refreshed.access_token)).toEqual([A, B]);
  });

  it('narrows the session, which stays narrow', async () => {
    const { body } = await keyturn().exchange(apiKey, { resource: A });
    expect(audienceOf(body.access_token)).toBe(A);
    const other = await keyturn().refresh(body.refresh_token, { resource: B });
    expect(other).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    const { body: refreshed } = await keyturn().refresh(body.refresh_token);
    expect(audienceOf(refreshed.access_token)).toBe(A);
  });

  it('at a refresh narrows that access token alone', async () => {
    const { body } = await keyturn().exchange(apiKey);
    const narrowed = await keyturn().refresh(body.refresh_token, { resource: B });
    expect(audienceOf(narrowed.body.access_token)).toBe(B);
    const { body: whole } = await keyturn().refresh(narrowed.body.refresh_token);
    expect(audienceOf(whole.access_token)).toEqual([A, B]);
  });

  it.each([`${A}/`, 'https://c.example', A.toUpperCase(), `${A} ${B}`, '*', 'a'])(
    '%j is invalid_target',
    async (resource) => {
      const { status, body } = await keyturn().exchange(apiKey, { resource });
      expect([status, body.error]).toEqual([400, 'invalid_target']);
    },
  );

  it('gives no more tokens for an audience that the project has lost', async () => {
    const losing = await addProject(keyturn(), [A, B]);
    const { body: key } = await keyturn().api('POST', `/v1/projects/${losing.id}/keys`, { name: 'x' });
    const sessions = [
      await keyturn().exchange(key.client_secret),
      await keyturn().exchange(key.client_secret, { resource: A }),
    ];
    await keyturn().service.storage.database.transaction(async (trx) => {
      await trx('projects')
        .where({ id: losing.id })
        .update({ audiences: JSON.stringify([B]) });
      await recordChange(trx, losing.id);
    });
    await eventually(async () => {
      const { body } = await keyturn().exchange(key.client_secret);
      expect(audienceOf(body.access_token)).toBe(B);
    }, SEEN_MS);
    const [whole, narrowed] = await Promise.all(sessions.map(({ body }) => keyturn().refresh(body.refresh_token)));
    expect(audienceOf(whole?.body.access_token)).toBe(B);
    expect(narrowed).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });
});
