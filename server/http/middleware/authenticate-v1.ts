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

/** What to do about it here, where the library can only say what is wrong. */
function adviceOf(code: string, issuer: string): string | null {
  if (code === 'token_missing')
    return `send an access token as Authorization: Bearer (${issuer}/oauth/token gives one for an API key), or the console's cookie`;
  if (code === 'audience_mismatch')
    return `the token is for another audience: ask the token endpoint for one with resource=${issuer}`;
  return null;
}

/**
 * Guards `/v1` with the middleware that sibling services use; only the body of a refusal differs, being problem+json.
 */
export function authenticateV1(verifier: Verifier, issuer: string): RequestHandler {
  return authenticate(verifier, {
    realm: 'keyturn',
    clientIp: (request) => request.clientIp?.text ?? null,
    respond(response, { status, code, description }) {
      const problem = new Problem(PROBLEM_BY_STATUS[status], adviceOf(code, issuer) ?? description, { reason: code });
      response.type('application/problem+json');
      response.send(problemBody(problem, issuer, response.req.requestId));
    },
  });
}

export { accessTokenOf } from '@keyturn/lib/express';
