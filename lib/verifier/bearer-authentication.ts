import type { AccessToken } from './access-token.ts';
import {
  type BearerFailure,
  invalidRequestFailure,
  missingTokenFailure,
  verificationFailure,
} from './bearer-failure.ts';
import { type BearerRequest, InvalidBearerRequest, readBearerToken } from './bearer-token.ts';
import { VerificationError } from './verification-error.ts';
import type { Verifier } from './verifier.ts';

export type BearerOutcome = { readonly accessToken: AccessToken } | { readonly failure: BearerFailure };

/** A request's token, verified, or the answer of RFC 6750 §3 to it. Rejects only for mistakes in the program. */
export async function authenticateBearer<Request extends BearerRequest>(
  verifier: Verifier,
  request: Request,
  { realm, callerIp }: { readonly realm: string; readonly callerIp: (request: Request) => string | null },
): Promise<BearerOutcome> {
  try {
    const token = readBearerToken(request);
    if (token === null) return { failure: missingTokenFailure(realm) };
    return { accessToken: await verifier.verify(token, { ip: callerIp(request) }) };
  } catch (error) {
    if (error instanceof VerificationError) return { failure: verificationFailure(realm, error) };
    if (error instanceof InvalidBearerRequest) return { failure: invalidRequestFailure(realm, error.message) };
    throw error;
  }
}
