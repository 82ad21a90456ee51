import { type CidrBlock, parseCidr, resolveClientIp } from '../protocol/index.ts';
import type { BearerRequest } from './bearer-token.ts';

export interface CallerIpOptions<Request = BearerRequest> {
  /**
   * Addresses and CIDR blocks of the proxies whose `X-Forwarded-For` is believed. Default: none, the peer is the caller.
   * `true` and hop counts are refused: both let a client that reaches the service directly choose its address.
   */
  readonly trustedProxies?: readonly string[];
  /** Tells the caller's address by other means, instead of `trustedProxies`; null when it can't be told. */
  readonly clientIp?: (request: Request) => string | null;
}

/**
 * How the address of a caller is told.
 *
 * @throws {TypeError} for options of a wrong kind
 */
export function createCallerIp<Request extends BearerRequest>(
  options: CallerIpOptions<Request>,
): (request: Request) => string | null {
  const { trustedProxies, clientIp } = options;
  if (clientIp !== undefined) {
    if (typeof clientIp !== 'function') throw new TypeError('clientIp must be a function');
    if (trustedProxies !== undefined) throw new TypeError('clientIp and trustedProxies exclude each other');
    return clientIp;
  }
  const proxies = parseTrustedProxies(trustedProxies ?? []);
  if (proxies.length === 0) return (request) => request.socket.remoteAddress ?? null;
  return (request) => {
    const forwarded = request.headers['x-forwarded-for'];
    return (
      resolveClientIp({
        peer: request.socket.remoteAddress,
        forwardedFor: Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
        trustedProxies: proxies,
      })?.text ?? null
    );
  };
}

function parseTrustedProxies(trustedProxies: unknown): readonly CidrBlock[] {
  if (!Array.isArray(trustedProxies)) {
    throw new TypeError(
      'trustedProxies must be a list of addresses and CIDR blocks: true or a number of hops would let anyone who reaches ' +
        'this service directly forge an address',
    );
  }
  return trustedProxies.map(parseTrustedProxy);
}

function parseTrustedProxy(entry: unknown): CidrBlock {
  if (typeof entry !== 'string') throw new TypeError('trustedProxies must be strings');
  let block: CidrBlock;
  try {
    block = parseCidr(entry);
  } catch (cause) {
    throw new TypeError(`trustedProxies: ${cause instanceof Error ? cause.message : 'not a CIDR block'}`, { cause });
  }
  if (block.prefix === 0) throw new TypeError(`trustedProxies: ${block.text} would trust everyone`);
  return block;
}
