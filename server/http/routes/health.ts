/** `/livez`, `/readyz`, `/metrics`: for load balancers, orchestrators and Prometheus. */
import { Router } from 'express';
import type { Metrics } from '../../metrics.ts';
import { addRoutes } from './method-routes.ts';

export interface ReadinessCheck {
  readonly name: string;
  /** Throws when what it checks can't serve. */
  check(): Promise<void>;
}

export function createHealthRoutes({
  checks,
  metrics,
  isDraining,
}: {
  readonly checks: readonly ReadinessCheck[];
  readonly metrics: Pick<Metrics, 'contentType' | 'exposition'>;
  readonly isDraining: () => boolean;
}): Router {
  const router = Router();
  addRoutes(router, '/livez', { GET: [(_request, response) => void response.json({ status: 'ok' })] });
  addRoutes(router, '/readyz', {
    GET: [
      async (_request, response) => {
        const results = await Promise.allSettled(checks.map(({ check }) => check()));
        const states = checks.map(({ name }, index) => [
          name,
          results[index]?.status === 'fulfilled' ? 'ok' : 'unavailable',
        ]);
        const isReady = !isDraining() && results.every(({ status }) => status === 'fulfilled');
        const status = isDraining() ? 'draining' : isReady ? 'ok' : 'unavailable';
        response.set('Cache-Control', 'no-store').status(isReady ? 200 : 503);
        response.json({ status, checks: Object.fromEntries(states) });
      },
    ],
  });
  addRoutes(router, '/metrics', {
    GET: [async (_request, response) => void response.type(metrics.contentType).send(await metrics.exposition())],
  });
  return router;
}
