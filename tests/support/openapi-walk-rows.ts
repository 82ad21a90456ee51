import { accessControlRows } from './openapi-rows-of-access-control.ts';
import { apiKeyRows } from './openapi-rows-of-api-keys.ts';
import { peopleRows } from './openapi-rows-of-people.ts';
import type { WalkRow } from './openapi-walk.ts';

/** A row for every operation of `/openapi.json`, by `operationId`. */
export const WALK_ROWS: Readonly<Record<string, WalkRow>> = {
  getMe: { also: [async (world) => ({ headers: (await world.person()).headers })] },
  ...apiKeyRows,
  ...accessControlRows,
  ...peopleRows,
  listAuditEvents: {
    also: [
      () => ({ query: 'limit=2&sort=created_at&type=api_key.created&fields=id,detail&since=2020-01-01T00:00:00Z' }),
    ],
  },
  listInstallationAuditEvents: { also: [() => ({ query: 'limit=2&object_id=x&actor_id=y&ip=127.0.0.1' })] },
  issueToken: {
    success: ({ keyturn }) => ({
      form: { grant_type: 'client_credentials', scope: 'read:credential' },
      headers: { 'x-api-key': keyturn.administrator.clientSecret },
    }),
    others: {
      400: () => ({ form: { grant_type: 'password' } }),
      401: () => ({ form: { grant_type: 'client_credentials', client_id: 'nobody', client_secret: 'nothing' } }),
      413: () => ({ form: { grant_type: 'client_credentials', scope: 'x'.repeat(70_000) } }),
    },
    also: [
      async ({ keyturn }) => {
        const refreshToken: string = (await keyturn.exchange()).body.refresh_token;
        return { form: { grant_type: 'refresh_token', refresh_token: refreshToken } };
      },
    ],
  },
  getJwks: {},
  getAuthorizationServerMetadata: {},
  getOpenIdConfiguration: {},
  getOpenApiDocument: {},
  getLiveness: {},
  getReadiness: {},
  getMetrics: {},
};
