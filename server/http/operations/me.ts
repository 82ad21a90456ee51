/** `GET /v1/me`: who am I, what may I do, from where am I seen. */
import { z } from 'zod';
import { callerOperation, type Operation } from '../operation.ts';

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
  .meta({ id: 'Me' });

export const meOperations: readonly Operation[] = [
  callerOperation({
    id: 'getMe',
    method: 'GET',
    path: '/me',
    tag: 'Me',
    summary: 'Who am I, what may I do, from where am I seen',
    answers: { 200: meSchema },
    async handle({ request }) {
      const { auth } = request;
      return {
        status: 200,
        body: {
          key_id: auth?.keyId,
          client_id: auth?.clientId,
          project_id: auth?.projectId,
          session_id: auth?.sessionId,
          permissions: auth?.permissions,
          ip_allowlist: auth?.ipAllowlist,
          token_expires_at: new Date((auth?.expiresAtSeconds ?? 0) * 1000).toISOString(),
          ip: request.clientIp?.text ?? null,
        },
      };
    },
  }),
];
