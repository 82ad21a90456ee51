/** `/openapi.json` and `/docs`, a viewer of it that takes nothing from anywhere else. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { type RequestHandler, type Response, Router } from 'express';
import { packageVersion } from '../../package-version.ts';
import { createOpenApiDocument } from '../openapi/openapi-document.ts';
import type { Operation } from '../operation.ts';
import { addRoutes } from './method-routes.ts';

/** Short, because it describes this very version. */
const DOCUMENT_MAX_AGE_SECONDS = 60;
const ASSET_MAX_AGE_SECONDS = 3600;

const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;
const require = createRequire(import.meta.url);
const assetRoot = path.dirname(require.resolve('swagger-ui-dist/package.json'));

/**
 * What the viewer needs and no more: it may ask only this origin, so that a token pasted into it can't be sent elsewhere.
 * Its pictures stand in its style sheet as `data:`. Measured in Chromium with operations of
 * every method opened and tried out: no violation.
 */
const VIEWER_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const viewerPage = (base: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Keyturn API</title>` +
  `<meta name="viewport" content="width=device-width, initial-scale=1">` +
  `<link rel="icon" href="${base}/docs/favicon-32x32.png"><link rel="stylesheet" href="${base}/docs/swagger-ui.css">` +
  `</head><body><div id="viewer"></div>` +
  `<script src="${base}/docs/swagger-ui-bundle.js"></script><script src="${base}/docs/viewer.js"></script></body></html>`;

/** No validator, which would be asked over the network; nothing that was typed in stays in the browser. */
const viewerScript = (base: string): string =>
  `SwaggerUIBundle(${JSON.stringify({
    url: `${base}/openapi.json`,
    dom_id: '#viewer',
    validatorUrl: null,
    persistAuthorization: false,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    deepLinking: true,
  })});\n`;

const isKept = (response: Response, seconds: number): Response =>
  response.set('Cache-Control', `public, max-age=${seconds}`);

export function createDocsRoutes({
  issuer,
  operations,
  hasHealth,
}: {
  readonly issuer: string;
  readonly operations: readonly Operation[];
  /** Whether health and metrics are served on this port. */
  readonly hasHealth: boolean;
}): Router {
  let document: string | null = null;
  // Made when first asked for: most instances never are, and making it takes 20 ms and some megabytes.
  const documentText = (): string => {
    document ??= JSON.stringify(createOpenApiDocument({ issuer, version: packageVersion(), operations, hasHealth }));
    return document;
  };
  // A proxy in front may serve Keyturn below a path.
  const base = new URL(issuer).pathname.replace(/\/$/, '');
  const router = Router();
  const get = (at: string, handler: RequestHandler) => addRoutes(router, at, { GET: [handler] });

  get('/openapi.json', (_request, response) => {
    isKept(response, DOCUMENT_MAX_AGE_SECONDS).type('json').send(documentText());
  });
  get('/docs', (_request, response) => {
    response.set('Content-Security-Policy', VIEWER_POLICY);
    isKept(response, DOCUMENT_MAX_AGE_SECONDS).type('html').send(viewerPage(base));
  });
  get('/docs/viewer.js', (_request, response) => {
    isKept(response, DOCUMENT_MAX_AGE_SECONDS).type('js').send(viewerScript(base));
  });
  for (const name of ASSETS)
    get(`/docs/${name}`, (_request, response) => {
      response.sendFile(name, { root: assetRoot, maxAge: ASSET_MAX_AGE_SECONDS * 1000, etag: false });
    });
  return router;
}
