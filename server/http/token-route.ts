import type { IncomingMessage, ServerResponse } from 'node:http';
import { isGeneratedSecretForm } from '@keyturn/lib/protocol';
import { SecretHasherBusy } from '../api-keys/secret-hasher.ts';
import { DependencyUnavailable } from '../dependency-unavailable.ts';
import type { Logger } from '../logging.ts';
import type { Metrics } from '../metrics.ts';
import { retryAfterSeconds } from '../random.ts';
import type { TokenEndpoint } from '../token-endpoint/token-endpoint.ts';
import { describeTokenFault, TOKEN_FAULTS, TokenFault } from '../token-endpoint/token-faults.ts';
import { parseTokenRequest, type TokenRequest } from '../token-endpoint/token-request.ts';
import { withDeadline } from './deadline.ts';
import { logFault } from './log-fault.ts';
import { BodyAborted, BodyTooLarge, readBody } from './read-body.ts';

const MAX_BODY_BYTES = 64 * 1024;

function faultOf(error: unknown): TokenFault {
  if (error instanceof TokenFault) return error;
  if (error instanceof BodyTooLarge) return new TokenFault('body_too_large');
  if (error instanceof SecretHasherBusy) return new TokenFault('client_busy');
  if (error instanceof DependencyUnavailable) return new TokenFault('dependency_unavailable');
  return new TokenFault('internal');
}

function singleHeader(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  // Node keeps the first Authorization of several without a word: a proxy may have judged another one.
  if (value !== undefined && countHeaders(request.rawHeaders, name) > 1)
    throw new TokenFault('client_authentication_repeated');
  return value as string | undefined;
}

function countHeaders(rawHeaders: readonly string[], lowerCaseName: string): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName) count += 1;
  }
  return count;
}

const hasChosenSecret = ({ credential }: TokenRequest): boolean =>
  credential?.secrets.some((secret) => !isGeneratedSecretForm(secret)) === true;

/**
 * As one list and one text: Node then copies no headers and joins head and body. A token response is ASCII throughout; what a
 * refusal repeats of the request may not be.
 */
function sendJson(response: ServerResponse, status: number, requestId: string, body: object): void {
  const text = JSON.stringify(body);
  const isAscii = status === 200;
  response.writeHead(status, [
    'Content-Type',
    'application/json;charset=UTF-8',
    'Content-Length',
    String(isAscii ? text.length : Buffer.byteLength(text)),
    'Cache-Control',
    'no-store',
    'Pragma',
    'no-cache',
    'X-Request-Id',
    requestId,
  ]);
  response.end(text, isAscii ? 'latin1' : 'utf8');
}

/**
 * `POST /oauth/token` straight on node:http: Express, its body parser and its `res.json` would cost more than the
 * exchange itself.
 */
export function createTokenRoute({
  issueToken,
  metrics,
  logger,
  issuer,
}: {
  readonly issueToken: TokenEndpoint;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly issuer: string;
}) {
  function sendFault(request: IncomingMessage, response: ServerResponse, fault: TokenFault): void {
    const { error, status } = TOKEN_FAULTS[fault.reason];
    if (status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="keyturn", charset="UTF-8"');
    if (status === 405) response.setHeader('Allow', 'POST');
    if (status === 429 || status === 503) response.setHeader('Retry-After', retryAfterSeconds());
    sendJson(response, status, request.requestId, {
      error,
      error_description: describeTokenFault(fault),
      error_uri: `${issuer}/errors/${fault.reason}`,
      request_id: request.requestId,
    });
  }

  async function readRequest(request: IncomingMessage): Promise<TokenRequest> {
    if (request.method !== 'POST') throw new TokenFault('method_not_allowed');
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') throw new TokenFault('body_encoded');
    return parseTokenRequest({
      query: request.sentQuery,
      contentType: request.headers['content-type'],
      authorization: singleHeader(request, 'authorization'),
      apiKey: singleHeader(request, 'x-api-key'),
      body: await readBody(request, MAX_BODY_BYTES),
    });
  }

  return async function tokenRoute(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const { requestId, clientIp: ip } = request;
    let grantType = 'none';
    let outcome = 'ok';
    try {
      const tokenRequest = await readRequest(request);
      grantType = tokenRequest.grantType;
      const { response: body, keyId } = await withDeadline(hasChosenSecret(tokenRequest) ? 1 : 0, (isTooLate) =>
        issueToken(tokenRequest, { ip, requestId, isTooLate }),
      );
      sendJson(response, 200, requestId, body);
      logger.debug({ request_id: requestId, key_id: keyId, grant_type: grantType }, 'token issued');
    } catch (error) {
      if (error instanceof BodyAborted) return void response.destroy();
      const fault = faultOf(error);
      outcome = fault.reason;
      if (outcome === 'grant_type_unsupported') grantType = 'other';
      logFault(logger, requestId, error, outcome);
      sendFault(request, response, fault);
    }
    metrics.observeToken(grantType, outcome, (performance.now() - started) / 1000);
  };
}
