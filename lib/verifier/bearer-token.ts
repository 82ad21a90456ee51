import type { IncomingMessage } from 'node:http';

/** A request as Node or Express has it; `body` where some middleware has parsed it already. */
export type BearerRequest = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'url' | 'socket'> & {
  readonly body?: unknown;
};

/** The request is malformed in the sense of RFC 6750 §3.1. The message is fit for `error_description`. */
export class InvalidBearerRequest extends Error {
  override readonly name = 'InvalidBearerRequest';
}

const BEARER = /^bearer(?: +|$)/i;
const TOKEN_PARAMETER = /^access_token(?:\[|$)/;
/** Without either of these no parameter can be called `access_token`: nearly every query need not be parsed. */
const TOKEN_PARAMETER_HINT = /access_token|%/;

/**
 * What follows `Authorization: Bearer` (RFC 6750 §2.1), or null when there is none; {@link assertOneToken} says whether it
 * can be a token. The other two places of the RFC are refused, also beside a header: a query string ends in logs,
 * histories and `Referer` (RFC 9700 §4.3.2), a body can be sent by a form of another site.
 *
 * @throws {InvalidBearerRequest}
 */
export function readBearerToken(request: BearerRequest): string | null {
  if (isTokenInQuery(request.url) || isTokenInBody(request.body)) {
    throw new InvalidBearerRequest('send the access token in the Authorization header only, not in the query or body');
  }
  const authorization = request.headers.authorization;
  if (authorization === undefined) return null;
  // Node keeps the first of several without a word; a proxy in front may have looked at the last.
  if (countAuthorizationHeaders(request.rawHeaders) > 1) {
    throw new InvalidBearerRequest('send one Authorization header, not several');
  }
  const scheme = BEARER.exec(authorization)?.[0];
  return scheme === undefined ? null : authorization.slice(scheme.length);
}

/**
 * Not asked about a token that is remembered, which is one: looking through 4 KiB takes a third as long as all the rest.
 *
 * @throws {InvalidBearerRequest}
 */
export function assertOneToken(text: string): void {
  if (text === '' || text.includes(' ') || text.includes('\t') || text.includes('\u00a0')) {
    throw new InvalidBearerRequest('write the header as Authorization: Bearer, a space and the access token');
  }
}

function isTokenInQuery(url = ''): boolean {
  const start = url.indexOf('?');
  if (start === -1) return false;
  const query = url.slice(start + 1);
  if (!TOKEN_PARAMETER_HINT.test(query)) return false;
  // Parsed, not searched: `access%5Ftoken` is the same parameter, and `access_token[]` is one to some parsers.
  for (const name of new URLSearchParams(query).keys()) {
    if (TOKEN_PARAMETER.test(name)) return true;
  }
  return false;
}

function isTokenInBody(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, 'access_token');
}

function countAuthorizationHeaders(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 13 && name.toLowerCase() === 'authorization') count += 1;
  }
  return count;
}
