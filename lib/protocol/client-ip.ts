import type { CidrBlock, IpAddress } from './ip.ts';
import { cidrContains, readIp } from './ip.ts';

/** What a request says about where it came from. */
export interface ForwardedRequest {
  /** Address of the TCP peer; undefined once the socket is gone. */
  readonly peer: string | undefined;
  /** Value of `X-Forwarded-For`, repeated headers joined by commas. */
  readonly forwardedFor: string | undefined;
  /** The proxies whose word is taken. Blocks of proxies only: whoever calls from inside one can claim any address. */
  readonly trustedProxies: readonly CidrBlock[];
}

/**
 * The address a request came from, or null where that cannot be known: then an allowlist must deny.
 *
 * Each trusted proxy appended the address it saw, so the list is read from the right for as long as the hop is trusted;
 * what a client wrote itself stands further left and is never reached (a hop count would be blind to who the hop was).
 * All hops trusted: the leftmost. An absent or blank header names nobody, and the peer itself is the client. An empty or
 * unparsable hop next to a trusted one is null, never skipped: skipping would believe what stands left of it.
 */
export function resolveClientIp({ peer, forwardedFor, trustedProxies }: ForwardedRequest): IpAddress | null {
  let hop = peer === undefined ? null : readIp(peer);
  if (forwardedFor === undefined || trimBlanks(forwardedFor) === '') return hop;
  let end = forwardedFor.length;
  while (end >= 0 && hop !== null && isTrusted(hop, trustedProxies)) {
    const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1);
    hop = readIp(trimBlanks(forwardedFor.slice(comma + 1, end)));
    end = comma;
  }
  return hop;
}

function isTrusted(hop: IpAddress, trustedProxies: readonly CidrBlock[]): boolean {
  return trustedProxies.some((block) => cidrContains(block, hop));
}

/** Only the blanks of RFC 9110 §5.6.3: `trim()` would also take NBSP or U+FEFF off something that is no address. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
