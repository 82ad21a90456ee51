import type { Verifier } from '@keyturn/lib';
import { authenticate } from '@keyturn/lib/express';
import type { RequestHandler } from 'express';
import { Problem, problemBody } from '../problem.ts';

const PROBLEM_BY_STATUS = {
  400: 'authorization_malformed',
  401: 'unauthenticated',
  403: 'permission_missing',
  503: 'dependency_unavailable',
} as const;

/**
 * Guards `/v1` with the middleware that sibling services use; only the body of a refusal differs, being problem+json.
 */
export function authenticateV1(verifier: Verifier, issuer: string): RequestHandler {
  return authenticate(verifier, {
    realm: 'keyturn',
    clientIp: (request) => request.clientIp?.text ?? null,
    respond(response, { status, code, description }) {
      const problem = new Problem(PROBLEM_BY_STATUS[status], description, { reason: code });
      response.type('application/problem+json');
      response.send(problemBody(problem, issuer, response.req.requestId));
    },
  });
}

export { accessTokenOf } from '@keyturn/lib/express';
