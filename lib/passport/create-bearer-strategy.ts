import type { IncomingHttpHeaders } from 'node:http';
import type { Request } from 'express';
import { Strategy, type VerifyFunctionWithRequest } from 'passport-http-bearer';
import {
  type BearerFailure,
  escapeRealm,
  invalidRequestFailure,
  missingTokenFailure,
  verificationFailure,
} from '../verifier/bearer-failure.ts';
import { assertOneToken, InvalidBearerRequest, readBearerToken } from '../verifier/bearer-token.ts';
import { type CallerIpOptions, createCallerIp } from '../verifier/caller-ip.ts';
import { VerificationError } from '../verifier/verification-error.ts';
import type { Verifier } from '../verifier/verifier.ts';

export interface BearerStrategyOptions extends CallerIpOptions<Request> {
  /** `realm` of challenges. Default: the verifier's issuer. */
  readonly realm?: string;
}

/** All that passport-http-bearer gets to see of a request. */
interface HeaderOnlyRequest {
  readonly headers: Pick<IncomingHttpHeaders, 'authorization'>;
  readonly callerIp: string | null;
  /** Express's, for what Passport's callback throws. */
  readonly next: (error: unknown) => void;
}

/**
 * A strategy named `bearer` whose user is the `AccessToken`. passport-http-bearer alone also takes tokens from query and
 * body, hands arrays and objects to the callback, answers 400 without challenge and leaves quotes in challenges unescaped;
 * so it is given one well-formed header and nothing else.
 *
 * Use it with `{ session: false }`; with `{ assignProperty: 'auth' }` added, `requirePermission` of `@keyturn/lib/express`
 * works behind it. Without keys to verify with, Passport's error carries `status` 503 and a `Retry-After` header.
 *
 * @throws {TypeError} for options of a wrong kind
 */
export function createBearerStrategy(
  verifier: Verifier,
  options: BearerStrategyOptions = {},
): Strategy<VerifyFunctionWithRequest> {
  const { realm = verifier.issuer } = options;
  if (typeof realm !== 'string') throw new TypeError('realm must be a string');
  const callerIp = createCallerIp(options);

  class HeaderOnlyBearerStrategy extends Strategy<VerifyFunctionWithRequest> {
    /** Passport adds it to each use of the strategy. */
    declare readonly fail: (challenge: string, status: number) => void;
    declare readonly error: (error: unknown) => void;

    override authenticate(req: Request): void {
      const presented = readToken(req, realm);
      if (typeof presented === 'string') {
        const request: HeaderOnlyRequest = {
          headers: { authorization: `Bearer ${presented}` },
          callerIp: callerIp(req),
          // The one of the router that runs us: later it may be another's.
          next: req.next ?? ((error) => this.error(error)),
        };
        super.authenticate(request as unknown as Request);
        return;
      }
      // Passport sends challenges with 401 only; RFC 6750 §3 wants one with 400 too.
      const challenge = presented.challenge ?? '';
      if (presented.status === 400) req.res?.setHeader('WWW-Authenticate', challenge);
      this.fail(challenge, presented.status);
    }
  }

  return new HeaderOnlyBearerStrategy(
    { realm: escapeRealm(realm), passReqToCallback: true },
    async (request, token, done) => {
      const { callerIp: ip, next } = request as unknown as HeaderOnlyRequest;
      let outcome: Parameters<typeof done>;
      try {
        outcome = [null, await verifier.verify(token, { ip })];
      } catch (error) {
        outcome = refusal(error, realm);
      }
      // A callback given to `passport.authenticate` may throw. Express catches that where a strategy is synchronous; here
      // it would be an unhandled rejection, and a bad token could end the process. So it goes where Express would send it,
      // past the callback: `this.error` would call that a second time, and what throws once may throw again.
      try {
        done(...outcome);
      } catch (error) {
        next(error);
      }
    },
  );
}

function readToken(req: Request, realm: string): string | BearerFailure {
  try {
    const token = readBearerToken(req);
    if (token === null) return missingTokenFailure(realm);
    assertOneToken(token);
    return token;
  } catch (error) {
    if (error instanceof InvalidBearerRequest) return invalidRequestFailure(realm, error.message);
    throw error;
  }
}

/** What to tell passport-http-bearer: a refusal of the token, or an error for Express to answer. */
function refusal(error: unknown, realm: string): [unknown, false?, { message: string }?] {
  if (!(error instanceof VerificationError)) return [error];
  const { status, description, retryAfterSeconds } = verificationFailure(realm, error);
  if (status !== 503) return [null, false, { message: description }];
  const headers = { 'Retry-After': String(retryAfterSeconds), 'Cache-Control': 'no-store' };
  return [Object.assign(new Error(description, { cause: error }), { status, headers })];
}
