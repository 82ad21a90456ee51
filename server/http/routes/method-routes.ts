import type { RequestHandler, Router } from 'express';
import { withDeadline } from '../deadline.ts';
import { Problem } from '../problem.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** No request takes more. */
const MAX_SECRETS = 10;
const SLOWLY_HASHED = ['client_secret', 'password', 'current_password'];

/** In the body, or in one of the objects of its `data`, as ALM Octane has it. */
function countSecrets(body: Readonly<Record<string, unknown>> | null | undefined): number {
  const objects = Array.isArray(body?.data) ? [body, ...body.data] : [body];
  const withSecret = objects.filter((object) => SLOWLY_HASHED.some((field) => object?.[field] !== undefined));
  return Math.min(withSecret.length, MAX_SECRETS);
}

/** What the handler has not answered in time is answered 503; what it says afterwards finds the answer sent. */
const inTime =
  (handler: RequestHandler): RequestHandler =>
  async (request, response, next) =>
    withDeadline(countSecrets(request.body), async () => handler(request, response, next));

/**
 * Adds the handlers of one path by method; any other method gets 405 with `Allow` (RFC 9110 §15.5.6). GET answers HEAD
 * too.
 */
export function addRoutes(router: Router, path: string, handlers: Partial<Record<Method, RequestHandler[]>>): void {
  const methods = Object.keys(handlers) as Method[];
  const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  router.all(path, (request, response, next) => {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (methods.includes(method as Method)) return next();
    response.set('Allow', allow);
    throw new Problem('method_not_allowed', `this path takes ${allow}`);
  });
  for (const method of methods)
    router[method.toLowerCase() as Lowercase<Method>](path, ...(handlers[method] ?? []).map(inTime));
}
