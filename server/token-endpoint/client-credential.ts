import { isGeneratedSecretForm } from '@keyturn/lib/protocol';
import { TokenFault } from './token-faults.ts';

/** What a client sent to prove itself (RFC 6749 §2.3.1), not yet checked. */
export interface ClientCredential {
  readonly method: 'client_secret_basic' | 'client_secret_post' | 'api_key';
  /** Null where the secret alone names its key. */
  readonly clientId: string | null;
  /**
   * The readings of the secret, the standard's first. Basic gives two when they differ: RFC 6749 form-encodes the
   * password, and `curl -u` and many clients do not, so that a chosen secret with `%` or `+` in it reads differently.
   */
  readonly secrets: readonly string[];
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;

function formDecode(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function parseBasic(authorization: string): ClientCredential {
  const encoded = BASIC.exec(authorization)?.[1];
  if (encoded === undefined) throw new TokenFault('client_authentication_unsupported');
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const clientId = colon < 0 ? null : formDecode(text.slice(0, colon));
  const rawSecret = text.slice(colon + 1);
  if (colon < 0 || clientId === null || text.includes('\ufffd'))
    throw new TokenFault('client_authentication_unsupported');
  // `curl -u ktk_…:`, as with other vendors' keys: the API key alone, where a user's name belongs.
  if (rawSecret === '' && isGeneratedSecretForm(clientId))
    return { method: 'client_secret_basic', clientId: null, secrets: [clientId] };
  const decodedSecret = formDecode(rawSecret);
  const secrets = [...new Set(decodedSecret === null ? [rawSecret] : [decodedSecret, rawSecret])];
  return { method: 'client_secret_basic', clientId: clientId === '' ? null : clientId, secrets };
}

export interface ClientAuthenticationSource {
  readonly authorization: string | undefined;
  /** Header `X-API-Key`. */
  readonly apiKey: string | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * The one credential of a request, or null when it carries none. A client_id without a secret is a name, not a
 * credential.
 *
 * @throws {TokenFault} client_authentication_repeated, client_authentication_unsupported, client_id_contradicts
 */
export function parseClientCredential({
  authorization,
  apiKey,
  parameters,
}: ClientAuthenticationSource): ClientCredential | null {
  const secret = parameters.get('client_secret');
  const clientId = parameters.get('client_id') ?? null;
  const sent = [authorization, apiKey, secret].filter((credential) => credential !== undefined);
  if (sent.length > 1) throw new TokenFault('client_authentication_repeated');
  if (authorization !== undefined) {
    const basic = parseBasic(authorization);
    if (clientId !== null && basic.clientId !== null && clientId !== basic.clientId)
      throw new TokenFault('client_id_contradicts');
    return { ...basic, clientId: basic.clientId ?? clientId };
  }
  if (apiKey !== undefined) return { method: 'api_key', clientId, secrets: [apiKey] };
  if (secret !== undefined) return { method: 'client_secret_post', clientId, secrets: [secret] };
  return null;
}
