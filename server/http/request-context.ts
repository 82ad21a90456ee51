import type { IncomingMessage } from 'node:http';
import { type CidrBlock, type IpAddress, resolveClientIp } from '@keyturn/lib/protocol';
import { newId } from '../random.ts';
import { redactSecrets } from '../redact.ts';

declare module 'node:http' {
  interface IncomingMessage {
    /** To be answered as `X-Request-Id`; in every log line and problem of the request. */
    requestId: string;
    /** As it was sent, without scheme, authority and query; Express rewrites `url` while it routes. */
    sentPath: string;
    /** What stood after the `?`; empty when there was none. */
    sentQuery: string;
    /** Null where it could not be told. */
    clientIp: IpAddress | null;
  }
}

/** What a proxy in front may name a request; anything else is replaced, so that it can't forge a log line or hold a key. */
const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** RFC 9112 §3.2.2: a server must accept `POST http://host/path`, which is how a proxy is asked. */
const ABSOLUTE_FORM_ORIGIN = /^[a-z]+:\/\/[^/?]*/i;

/** Gives a request its id and its client's address: the first thing that happens to it. */
export function openRequest(request: IncomingMessage, trustedProxies: readonly CidrBlock[]): void {
  const given = request.headers['x-request-id'];
  const isTaken = typeof given === 'string' && REQUEST_ID.test(given) && redactSecrets(given) === given;
  request.requestId = isTaken ? given : newId('req');
  const target = (request.url ?? '/').replace(ABSOLUTE_FORM_ORIGIN, '');
  const queryStart = target.indexOf('?');
  request.sentPath = queryStart < 0 ? target : target.slice(0, queryStart);
  request.sentQuery = queryStart < 0 ? '' : target.slice(queryStart + 1);
  const forwardedFor = request.headers['x-forwarded-for'];
  request.clientIp = resolveClientIp({
    peer: request.socket.remoteAddress,
    forwardedFor: Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor,
    trustedProxies,
  });
}
