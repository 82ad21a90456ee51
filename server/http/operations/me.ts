/** `GET /v1/me`: who am I, what may I do, from where am I seen. */
import type { Request } from 'express';
import { z } from 'zod';
import type { Account } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import { callerOperation, type Operation } from '../operation.ts';
import { meAsPersonSchema, toMembershipJson } from '../user-schemas.ts';

const meSchema = z
  .object({
    key_id: z.string().meta({ description: 'The API key that the access token stands for' }),
    client_id: z.string(),
    project_id: z.string(),
    session_id: z.string().nullable(),
    permissions: z.array(z.string()).meta({ description: 'Those of the access token' }),
    ip_allowlist: z.array(z.string()),
    token_expires_at: z.iso.datetime(),
    ip: z.string().nullable().meta({ description: 'The address that Keyturn sees' }),
  })
  .meta({ id: 'Me', description: 'For an access token' });

function meAsApiKey({ auth, clientIp }: Request) {
  return {
    key_id: auth?.keyId,
    client_id: auth?.clientId,
    project_id: auth?.projectId,
    session_id: auth?.sessionId,
    permissions: auth?.permissions,
    ip_allowlist: auth?.ipAllowlist,
    token_expires_at: new Date((auth?.expiresAtSeconds ?? 0) * 1000).toISOString(),
    ip: clientIp?.text ?? null,
  };
}

export function createMeOperations({
  users,
}: {
  readonly users: Pick<UserStore, 'membershipsOf'>;
}): readonly Operation[] {
  async function meAsPerson({ id, email, name, permissions }: Account, { clientIp }: Request) {
    const memberships = (await users.membershipsOf(id)).map(toMembershipJson);
    return { user_id: id, email, name, permissions, memberships, ip: clientIp?.text ?? null };
  }

  return [
    callerOperation({
      id: 'getMe',
      method: 'GET',
      path: '/me',
      tag: 'Me',
      summary: 'Who am I, what may I do, from where am I seen',
      answers: { 200: z.union([meSchema, meAsPersonSchema]) },
      async handle({ request }) {
        const { person } = request;
        return { status: 200, body: person ? await meAsPerson(person.account, request) : meAsApiKey(request) };
      },
    }),
  ];
}
