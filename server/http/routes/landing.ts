/** `/` and `/console`: where a person ends up who opens the address in a browser. */
import { Router } from 'express';
import { addRoutes } from './method-routes.ts';

const CONSOLE_PAGE =
  '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Keyturn</title></head><body><h1>Keyturn</h1>' +
  '<p>This version has no web console yet. Manage API keys with <code>keyturn keys</code> or <code>/v1</code>.</p>' +
  '</body></html>';

export function createLandingRoutes(issuer: string): Router {
  const router = Router();
  addRoutes(router, '/', {
    GET: [
      (_request, response) => {
        response.json({
          service: 'keyturn',
          token_endpoint: `${issuer}/oauth/token`,
          metadata: `${issuer}/.well-known/oauth-authorization-server`,
          jwks_uri: `${issuer}/.well-known/jwks.json`,
          errors: `${issuer}/errors`,
          openapi: `${issuer}/openapi.json`,
          documentation: `${issuer}/docs`,
        });
      },
    ],
  });
  for (const path of ['/console', '/console/setup'])
    addRoutes(router, path, {
      GET: [(_request, response) => void response.status(404).type('html').send(CONSOLE_PAGE)],
    });
  return router;
}
