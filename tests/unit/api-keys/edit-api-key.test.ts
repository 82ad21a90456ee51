import { describe, expect, test } from '@jest/globals';
import type { Actor } from '../../../server/access-control/actor.ts';
import { TokenTooLarge } from '../../../server/api-keys/assert-token-fits.ts';
import { type ApiKeyEdit, decideEdit } from '../../../server/api-keys/edit-api-key.ts';
import { decideRegeneration } from '../../../server/api-keys/regenerate-api-key.ts';
import { anApiKey, anInstallation } from '../../contract/api-key-store-records.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const clock = createFakeClock();
const { project } = anInstallation();
const actor: Actor = {
  actorId: 'key_actor',
  userId: 'usr_1',
  grantable: ['*:*'],
  ip: '203.0.113.9',
  requestId: 'req_1',
};
const context = { actor, project, expectedVersions: null, clock, issuer: 'https://keys.example' };
const decide = (current: ReturnType<typeof anApiKey>, edit: ApiKeyEdit) => decideEdit(current, [], edit, context);

describe('an edit of a key whose tokens are too long already', () => {
  const permissions = Array.from({ length: 100 }, (_, index) => `read:${'a'.repeat(90)}${index}`);
  const key = anApiKey({ projectId: project.id, permissions });

  test.each([{ isValid: false }, { name: 'renamed' }, { description: 'too long, sadly' }])('may be %j', (edit) => {
    expect(decide(key, edit).object).toMatchObject(edit);
  });

  test('may not leave them so long, and may make them shorter', () => {
    expect(() => decide(key, { permissions: permissions.slice(1) })).toThrow(TokenTooLarge);
    expect(decide(key, { permissions: ['read:a'] }).object.effectivePermissions).toEqual(['read:a']);
  });
});

describe('an edit', () => {
  test('tells who made it, from where, and in which request', () => {
    const key = anApiKey({ projectId: project.id });
    expect(decide(key, { name: 'renamed' }).event).toMatchObject({
      type: 'api_key.updated',
      projectId: project.id,
      objectId: key.id,
      actorId: 'key_actor',
      ip: '203.0.113.9',
      requestId: 'req_1',
      detail: { before: { name: key.name }, after: { name: 'renamed' } },
      createdAtMs: clock.nowMs(),
    });
  });

  test('of validity and more is told as what it does to the validity', () => {
    const key = anApiKey({ projectId: project.id });
    const revoking = decide(key, { isValid: false, name: 'retired' });
    expect(revoking.event).toMatchObject({ type: 'api_key.revoked', detail: { after: { name: 'retired' } } });
    const restoring = decide({ ...key, isValid: false }, { isValid: true });
    expect(restoring.event?.type).toBe('api_key.restored');
  });
});

describe('a regeneration', () => {
  const secret = { secretHash: 'sha256:new', hint: 'wxyz' };
  const key = anApiKey({
    projectId: project.id,
    secretLastUsedAtMs: 77,
    previousSecret: {
      hash: 'sha256:oldest',
      hint: 'aaaa',
      createdAtMs: 1,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      lastUsedAtMs: 5,
    },
  });

  test('with an overlap keeps the secret of until now, with its last use, and not the one before', () => {
    const { object } = decideRegeneration(key, secret, 60, context);
    expect(object).toMatchObject({
      ...secret,
      secretVersion: 2,
      secretCreatedAtMs: clock.nowMs(),
      secretLastUsedAtMs: null,
    });
    expect(object.previousSecret).toEqual({
      hash: key.secretHash,
      hint: key.hint,
      createdAtMs: key.secretCreatedAtMs,
      expiresAtMs: clock.nowMs() + 60_000,
      lastUsedAtMs: 77,
    });
  });

  test('without one keeps none', () => {
    expect(decideRegeneration(key, secret, 0, context).object.previousSecret).toBeNull();
  });
});
