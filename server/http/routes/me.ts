/** `GET /v1/me`: who am I, what may I do, from where am I seen. */
import { Router } from 'express';
import { addRoutes } from './method-routes.ts';

export function createMeRoutes(): Router {
  const router = Router();
  addRoutes(router, '/me', {
    GET: [
      (request, response) => {
        const { auth } = request;
        response.json({
          key_id: auth?.keyId,
          client_id: auth?.clientId,
          project_id: auth?.projectId,
          session_id: auth?.sessionId,
          permissions: auth?.permissions,
          ip_allowlist: auth?.ipAllowlist,
          token_expires_at: new Date((auth?.expiresAtSeconds ?? 0) * 1000).toISOString(),
          ip: request.clientIp?.text ?? null,
        });
      },
    ],
  });
  return router;
}
