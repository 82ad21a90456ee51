import type { RequestHandler, Router } from 'express';
import { withDeadline } from '../deadline.ts';
import { Problem } from '../problem.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** What the handler has not answered in time is answered 503; what it says afterwards finds the answer sent. */
const inTime =
  (handler: RequestHandler): RequestHandler =>
  async (request, response, next) =>
    withDeadline(request.body?.client_secret !== undefined, async () => handler(request, response, next));

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
