import type { RequestHandler, Response } from 'express';
import { Router } from 'express';
import type { Authorizer } from './authorize.ts';
import { type Answer, formatETag, type Method, type Operation } from './operation.ts';
import { addRoutes } from './routes/method-routes.ts';

function send(response: Response, { status, body, version, headers }: Answer): void {
  response.status(status);
  if (version !== undefined) response.set('ETag', formatETag(version));
  if (headers !== undefined) response.set(headers);
  if (body === undefined) response.end();
  else response.json(body);
}

/** `{project}` as Express has it: `:project`. */
const toExpressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

export function mountOperations(operations: readonly Operation[], authorizer: Authorizer): Router {
  const byPath = new Map<string, Partial<Record<Method, RequestHandler[]>>>();
  for (const { method, path, run } of operations) {
    const handlers = byPath.get(path) ?? {};
    handlers[method] = [async (request, response) => send(response, await run(request, authorizer))];
    byPath.set(path, handlers);
  }
  const router = Router();
  for (const [path, handlers] of byPath) addRoutes(router, toExpressPath(path), handlers);
  return router;
}
