import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { AccessToken } from '../verifier/access-token.ts';
import { authenticateBearer, type BearerOutcome } from '../verifier/bearer-authentication.ts';
import type { BearerFailure } from '../verifier/bearer-failure.ts';
import { type CallerIpOptions, createCallerIp } from '../verifier/caller-ip.ts';
import type { Verifier } from '../verifier/verifier.ts';

declare global {
  namespace Express {
    interface Request {
      /** Set by `authenticate` of `@keyturn/lib/express`. */
      auth?: AccessToken;
    }
  }
}

/** Writes the body of a refusal and ends the answer. Status and headers stand already. */
export type Respond = (res: Response, failure: BearerFailure) => void;

export interface AuthenticateOptions extends CallerIpOptions<Request> {
  /** `realm` of challenges. Default: the verifier's issuer. */
  readonly realm?: string;
  /** Default: `{ error, error_description, code }` as JSON, with `required_permission` at 403. */
  readonly respond?: Respond;
}

interface Refusal {
  readonly realm: string;
  readonly respond: Respond;
}

/** How `authenticate` refuses a request, for {@link requirePermission} further on, where that is not the default way. */
const refusals = new WeakMap<object, Refusal>();

/**
 * Lets requests with a valid token in `Authorization: Bearer …` pass, as `req.auth`, and answers the others: 401, 400 for a
 * malformed request or a token in query or body, 503 while there are no keys.
 *
 * @throws {TypeError} for options of a wrong kind
 */
export function authenticate(verifier: Verifier, options: AuthenticateOptions = {}): RequestHandler {
  const { realm = verifier.issuer, respond = respondWithJson } = options;
  if (typeof realm !== 'string') throw new TypeError('realm must be a string');
  if (typeof respond !== 'function') throw new TypeError('respond must be a function');
  const settings = { verifier, realm, callerIp: createCallerIp(options) };
  const refusal: Refusal = { realm, respond };
  const isDefaultRefusal = realm === verifier.issuer && respond === respondWithJson;

  function settle(outcome: BearerOutcome, req: Request, res: Response, next: NextFunction): void {
    try {
      if ('failure' in outcome) {
        refuse(res, outcome.failure, respond);
        return;
      }
      req.auth = outcome.accessToken;
      if (!isDefaultRefusal) refusals.set(req, refusal);
    } catch (error) {
      // Express 4 does not look at promises.
      next(error);
      return;
    }
    next();
  }

  return (req, res, next) => {
    const outcome = authenticateBearer(req, settings);
    if ('then' in outcome) outcome.then((later) => settle(later, req, res, next), next);
    else settle(outcome, req, res, next);
  };
}

/**
 * The token of a request that has passed {@link authenticate}, typed without `undefined`.
 *
 * @throws {TypeError} when the route is not behind `authenticate`
 */
export function accessTokenOf(req: Request): AccessToken {
  if (!(req.auth instanceof AccessToken)) throw new TypeError('this route must stand behind authenticate()');
  return req.auth;
}

/** The way of {@link authenticate}, or the default one behind Passport. */
export function refusalOf(req: Request): Refusal {
  return refusals.get(req) ?? { realm: accessTokenOf(req).issuer, respond: respondWithJson };
}

export function refuse(res: Response, failure: BearerFailure, respond: Respond): void {
  res.statusCode = failure.status;
  res.setHeader('Cache-Control', 'no-store');
  if (failure.challenge !== null) res.setHeader('WWW-Authenticate', failure.challenge);
  if (failure.retryAfterSeconds !== null) res.setHeader('Retry-After', failure.retryAfterSeconds);
  respond(res, failure);
}

function respondWithJson(res: Response, { error, description, code, requiredPermission }: BearerFailure): void {
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  const permission = requiredPermission === null ? {} : { required_permission: requiredPermission };
  res.end(JSON.stringify({ error, error_description: description, code, ...permission }));
}
