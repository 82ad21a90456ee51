/** `/v1/projects/{project}/keys`. */
import { type Request, type RequestHandler, Router } from 'express';
import { ApiKeyNameTaken } from '../../api-keys/api-key-store.ts';
import { type ApiKeyManagement, PermissionExceedsGrantor, TokenTooLarge } from '../../api-keys/manage-api-keys.ts';
import type { Clock } from '../../clock.ts';
import {
  createApiKeySchema,
  listApiKeysSchema,
  toApiKeyJson,
  toCursor,
  updateApiKeySchema,
} from '../api-key-schemas.ts';
import type { ProjectAuthorizer } from '../authorize-project.ts';
import { parseWith } from '../parse-with.ts';
import { Problem } from '../problem.ts';
import { addRoutes } from './method-routes.ts';

function refusalOf(error: unknown): unknown {
  if (error instanceof ApiKeyNameTaken)
    return new Problem('name_taken', `this project has an API key named ${JSON.stringify(error.apiKeyName)}`);
  if (error instanceof PermissionExceedsGrantor) {
    const { permissions } = error;
    return new Problem('permission_exceeds_grantor', `you do not hold ${permissions.join(', ')}`, { permissions });
  }
  if (error instanceof TokenTooLarge) return new Problem('token_too_large', error.message, { length: error.length });
  return error;
}

export function createApiKeyRoutes({
  authorize,
  management,
  clock,
}: {
  readonly authorize: ProjectAuthorizer;
  readonly management: ApiKeyManagement;
  readonly clock: Clock;
}): Router {
  const keyId = (request: Request<{ key?: string }>): string => request.params.key ?? '';
  const noSuchKey = () => new Problem('not_found', 'no such API key in this project');

  const list: RequestHandler = async (request, response) => {
    const { project } = await authorize(request, 'read', 'api-key');
    const { limit, cursor } = parseWith(listApiKeysSchema, request.query, 'query parameter');
    const page = await management.list(project, { limit, afterId: cursor ?? null });
    response.json({
      data: page.keys.map(toApiKeyJson),
      next_cursor: page.nextAfterId === null ? null : toCursor(page.nextAfterId),
      total_count: page.totalCount,
      exceeds_total_count: page.exceedsTotalCount,
    });
  };

  const create: RequestHandler = async (request, response) => {
    const { project, actor } = await authorize(request, 'create', 'api-key');
    const body = parseWith(createApiKeySchema, request.body, 'field');
    const expiresAtMs = body.expires_at === null ? null : Date.parse(body.expires_at);
    if (expiresAtMs !== null && expiresAtMs <= clock.nowMs()) {
      const errors = [{ field: 'expires_at', message: 'must be in the future' }];
      throw new Problem('validation_failed', 'expires_at: must be in the future', { errors });
    }
    try {
      const { apiKey, clientSecret } = await management.create(
        project,
        {
          name: body.name,
          description: body.description,
          permissions: body.permissions,
          ipAllowlist: body.ip_allowlist,
          expiresAtMs,
          refreshTokens: body.refresh_tokens,
          refreshRequiresClientAuth: body.refresh_requires_client_auth,
          chosenSecret: body.client_secret ?? null,
        },
        actor,
      );
      response
        .status(201)
        .location(`/v1/projects/${project.id}/keys/${apiKey.id}`)
        .json({ ...toApiKeyJson(apiKey), client_secret: clientSecret });
    } catch (error) {
      throw refusalOf(error);
    }
  };

  const show: RequestHandler = async (request, response) => {
    const { project } = await authorize(request, 'read', 'api-key');
    const key = await management.find(project, keyId(request));
    if (key === null) throw noSuchKey();
    response.json(toApiKeyJson(key));
  };

  const update: RequestHandler = async (request, response) => {
    const { project, actor } = await authorize(request, 'update', 'api-key');
    const { is_valid: isValid } = parseWith(updateApiKeySchema, request.body, 'field');
    try {
      const key = await management.setValidity(project, keyId(request), isValid, actor);
      if (key === null) throw noSuchKey();
      response.json(toApiKeyJson(key));
    } catch (error) {
      throw refusalOf(error);
    }
  };

  const remove: RequestHandler = async (request, response) => {
    const { project, actor } = await authorize(request, 'delete', 'api-key');
    if (!(await management.delete(project, keyId(request), actor))) throw noSuchKey();
    response.status(204).end();
  };

  const router = Router();
  addRoutes(router, '/projects/:project/keys', { GET: [list], POST: [create] });
  addRoutes(router, '/projects/:project/keys/:key', { GET: [show], PATCH: [update], DELETE: [remove] });
  return router;
}
