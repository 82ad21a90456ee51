/** `/.well-known`: the JWKS and the metadata of RFC 8414. */
import { Router } from 'express';
import { authorizationServerMetadata } from '../../metadata/authorization-server-metadata.ts';
import { addRoutes } from './method-routes.ts';

/** SIGNING_KEY_PUBLICATION_SECONDS counts on verifiers asking again after this long. */
const JWKS_MAX_AGE_SECONDS = 600;

export function createWellKnownRoutes({
  jwks,
  issuer,
}: {
  readonly jwks: () => { readonly keys: readonly object[] };
  readonly issuer: string;
}): Router {
  const metadata = authorizationServerMetadata(issuer);
  // RFC 8414 §3.1 puts the well-known part between host and path of an issuer that has a path.
  const { pathname } = new URL(issuer);
  const issuerPath = pathname === '/' ? '' : pathname;
  const router = Router();
  addRoutes(router, '/jwks.json', {
    GET: [
      (_request, response) => {
        response.set('Cache-Control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`);
        response.set('Access-Control-Allow-Origin', '*');
        response.type('application/jwk-set+json').send(JSON.stringify(jwks()));
      },
    ],
  });
  for (const name of ['oauth-authorization-server', 'openid-configuration'])
    for (const path of new Set([`/${name}`, `/${name}${issuerPath}`]))
      addRoutes(router, path, {
        GET: [
          (_request, response) => {
            response.set('Cache-Control', 'public, max-age=600').set('Access-Control-Allow-Origin', '*').json(metadata);
          },
        ],
      });
  return router;
}
