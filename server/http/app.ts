/** The Express application: everything but the token endpoint. */
import type { Verifier } from '@keyturn/lib';
import express, { type ErrorRequestHandler, type Express, type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import type { Logger } from '../logging.ts';
import { retryAfterSeconds } from '../random.ts';
import type { Authorizer } from './authorize.ts';
import { logFault } from './log-fault.ts';
import { authenticateV1 } from './middleware/authenticate-v1.ts';
import { mountOperations } from './mount-operations.ts';
import type { Base, Operation } from './operation.ts';
import { PROBLEMS, Problem, problemBody, problemOf } from './problem.ts';
import { refusalOf } from './refusals.ts';
import { createDocsRoutes } from './routes/docs.ts';
import { createErrorCatalogueRoutes } from './routes/error-catalogue.ts';
import { createLandingRoutes } from './routes/landing.ts';
import { createWellKnownRoutes } from './routes/well-known.ts';

export interface AppDependencies {
  readonly issuer: string;
  readonly jwks: () => { readonly keys: readonly object[] };
  readonly verifier: Verifier;
  /** Lets whoever has no cookie of the console pass. */
  readonly authenticateByCookie: RequestHandler;
  readonly authorizer: Authorizer;
  /** Of the management API. */
  readonly operations: readonly Operation[];
  readonly logger: Logger;
  /** Null: they are served on another port. */
  readonly healthRoutes: Router | null;
}

/** Unknown paths and whatever a route threw: problem+json, the cause of a 500 in the log and never in the answer. */
function addErrorHandling(app: Express, { issuer, logger }: Pick<AppDependencies, 'issuer' | 'logger'>): void {
  app.use(() => {
    throw new Problem('not_found', 'no such path');
  });
  const onError: ErrorRequestHandler = (error, request, response, next) => {
    if (response.headersSent) return next(error);
    const problem = refusalOf(error) ?? problemOf(error);
    const { status } = PROBLEMS[problem.code];
    logFault(logger, request.requestId, error, problem.code);
    // RFC 6750 §3: what the middleware of lib/ has not refused, but the API key behind the token.
    if (status === 401) response.set('WWW-Authenticate', 'Bearer realm="keyturn", error="invalid_token"');
    if (status === 429 || status === 503) {
      const seconds = problem.members['retry_after_seconds'] ?? retryAfterSeconds();
      response.set('Retry-After', String(seconds));
    }
    response.status(status).type('application/problem+json');
    response.send(problemBody(problem, issuer, request.requestId));
  };
  app.use(onError);
}

/** Refuses bodies that are not JSON before `express.json` passes them over as if there were none. */
const requireJson: RequestHandler = (request, _response, next) => {
  const hasBody =
    Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
  if (hasBody && !request.is('application/json'))
    throw new Problem('media_type_unsupported', PROBLEMS.media_type_unsupported.remedy);
  next();
};

const callOf = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${path}`;

function createApiRouter(
  base: Base,
  { issuer, verifier, authenticateByCookie, authorizer, operations }: AppDependencies,
): Router {
  const router = Router();
  const byAccessToken = authenticateV1(verifier, issuer);
  const open = new Set(operations.filter(({ access }) => access.kind === 'anyone').map(callOf));
  router.use((request, response, next) =>
    // What is open to anybody is open with an old cookie, too: one that has ended must not keep anybody from signing in.
    open.has(callOf(request)) ? next() : authenticateByCookie(request, response, next),
  );
  router.use((request, response, next) =>
    open.has(callOf(request)) || request.person !== undefined ? next() : byAccessToken(request, response, next),
  );
  router.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  router.use(requireJson, express.json({ limit: '64kb', inflate: false }));
  const here = operations.filter((operation) => (operation.base ?? '/v1') === base);
  router.use(mountOperations(here, authorizer));
  return router;
}

export function createApp(dependencies: AppDependencies): Express {
  const { issuer, jwks, operations, healthRoutes } = dependencies;
  const app = express();
  app.disable('x-powered-by').set('query parser', 'simple').set('etag', false);
  app.use(helmet({ contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } } }));
  if (healthRoutes !== null) app.use(healthRoutes);
  app.use('/.well-known', createWellKnownRoutes({ jwks, issuer }));
  app.use(createErrorCatalogueRoutes());
  app.use(createDocsRoutes({ issuer, operations, hasHealth: healthRoutes !== null }));
  app.use(createLandingRoutes(issuer));
  for (const base of ['/v1', '/api'] as const) app.use(base, createApiRouter(base, dependencies));
  addErrorHandling(app, dependencies);
  return app;
}

/** The application of the operations port: health and metrics alone. */
export function createOpsApp(healthRoutes: Router, dependencies: Pick<AppDependencies, 'issuer' | 'logger'>): Express {
  const app = express();
  app.disable('x-powered-by').set('etag', false);
  app.use(healthRoutes);
  addErrorHandling(app, dependencies);
  return app;
}
