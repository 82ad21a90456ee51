import { type ClientCredential, parseClientCredential } from './client-credential.ts';
import { parseFormBody } from './form-body.ts';
import { TokenFault } from './token-faults.ts';

/** A token request as it came over HTTP. */
export interface RawTokenRequest {
  /** After the `?`; empty when there is none. */
  readonly query: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  /** Header `X-API-Key`. */
  readonly apiKey: string | undefined;
  readonly body: Buffer;
}

/** A token request parsed once; what follows never touches the raw form. */
export interface TokenRequest {
  readonly grantType: string;
  readonly credential: ClientCredential | null;
  readonly clientId: string | null;
  readonly refreshToken: string | null;
  /** Permissions asked for; null: all. Not yet known to be permissions. */
  readonly scope: readonly string[] | null;
  /** RFC 8707; null: the project's audiences. */
  readonly resource: string | null;
}

const SENSITIVE = new Set([
  'client_secret',
  'refresh_token',
  'client_id',
  'grant_type',
  'scope',
  'access_token',
  'api_key',
]);

function assertNoneInUrl(query: string): void {
  if (query === '') return;
  for (const name of new URLSearchParams(query).keys())
    if (SENSITIVE.has(name)) throw new TokenFault('parameters_in_url', name);
}

/**
 * @throws {TokenFault} for a request that no grant could take (RFC 6749 §5.2 invalid_request, invalid_client).
 */
export function parseTokenRequest(raw: RawTokenRequest): TokenRequest {
  assertNoneInUrl(raw.query);
  const parameters = parseFormBody(raw.contentType, raw.body);
  const credential = parseClientCredential({ authorization: raw.authorization, apiKey: raw.apiKey, parameters });
  const grantType = parameters.get('grant_type');
  if (grantType === undefined) throw new TokenFault('grant_type_missing');
  return {
    grantType,
    credential,
    clientId: parameters.get('client_id') ?? null,
    refreshToken: parameters.get('refresh_token') ?? null,
    scope: parameters.get('scope')?.split(' ') ?? null,
    resource: parameters.get('resource') ?? null,
  };
}
