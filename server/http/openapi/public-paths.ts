/** What load balancers, Prometheus and readers of this document ask for. */
import type { Json } from './documented-schemas.ts';

const tags = ['Service'];
const headers = { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } };
const text = { type: 'string' };

const answer = (description: string, mediaType: string, schema: Json): Json => ({
  description,
  headers,
  content: { [mediaType]: { schema } },
});

const readiness: Json = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'unavailable', 'draining'] },
    checks: { type: 'object', additionalProperties: { enum: ['ok', 'unavailable'] } },
  },
  required: ['status', 'checks'],
};

const get = (operationId: string, summary: string, responses: Json): Json => ({
  get: { operationId, tags, summary, security: [], responses },
});

export const publicPaths: Json = {
  '/openapi.json': get('getOpenApiDocument', 'This document', {
    200: answer('OK', 'application/json', { type: 'object', additionalProperties: true }),
  }),
};

/** Absent where they have a port of their own. */
export const healthPaths: Json = {
  '/livez': get('getLiveness', 'Whether the process answers', {
    200: answer('It does', 'application/json', {
      type: 'object',
      properties: { status: { const: 'ok' } },
      required: ['status'],
    }),
  }),
  '/readyz': get('getReadiness', 'Whether requests should be sent here', {
    200: answer('They should', 'application/json', readiness),
    503: answer('A store does not answer, or the process is about to end', 'application/json', readiness),
  }),
  '/metrics': get('getMetrics', 'Metrics for Prometheus', { 200: answer('OK', 'text/plain', text) }),
};
