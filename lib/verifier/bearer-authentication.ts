import type { AccessToken } from './access-token.ts';
import {
  type BearerFailure,
  invalidRequestFailure,
  missingTokenFailure,
  verificationFailure,
} from './bearer-failure.ts';
import { assertOneToken, type BearerRequest, InvalidBearerRequest, readBearerToken } from './bearer-token.ts';
import { VerificationError } from './verification-error.ts';
import { recallAccessToken, type VerificationContext, type Verifier } from './verifier.ts';

export type BearerOutcome = { readonly accessToken: AccessToken } | { readonly failure: BearerFailure };

interface BearerSettings<Request> {
  readonly verifier: Verifier;
  readonly realm: string;
  readonly callerIp: (request: Request) => string | null;
}

/**
 * A request's token, verified, or the answer of RFC 6750 §3 to it; a promise when the token has to be verified first.
 * Throws, or rejects, only for mistakes in the program.
 */
export function authenticateBearer<Request extends BearerRequest>(
  request: Request,
  { verifier, realm, callerIp }: BearerSettings<Request>,
): BearerOutcome | Promise<BearerOutcome> {
  try {
    const token = readBearerToken(request);
    if (token === null) return { failure: missingTokenFailure(realm) };
    const context = { ip: callerIp(request) };
    const accessToken = recallAccessToken(verifier, token, context);
    if (accessToken !== null) return { accessToken };
    assertOneToken(token);
    return verifyBearer(token, context, verifier, realm);
  } catch (error) {
    return failureOutcome(error, realm);
  }
}

async function verifyBearer(
  token: string,
  context: VerificationContext,
  verifier: Verifier,
  realm: string,
): Promise<BearerOutcome> {
  try {
    return { accessToken: await verifier.verify(token, context) };
  } catch (error) {
    return failureOutcome(error, realm);
  }
}

function failureOutcome(error: unknown, realm: string): BearerOutcome {
  if (error instanceof VerificationError) return { failure: verificationFailure(realm, error) };
  if (error instanceof InvalidBearerRequest) return { failure: invalidRequestFailure(realm, error.message) };
  throw error;
}
