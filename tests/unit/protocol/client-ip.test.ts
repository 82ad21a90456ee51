import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCidr, parseIp, resolveClientIp } from '../../../lib/protocol/index.ts';
import { ipVectors } from './ip-vectors.ts';

const trustedProxies = [parseCidr('10.0.0.0/8')];

function clientOf(peer: string | undefined, forwardedFor: string | undefined): string | null {
  return resolveClientIp({ peer, forwardedFor, trustedProxies })?.text ?? null;
}

/** What we chose where the vectors leave it open. */
const decided: Record<string, string> = {
  '10.0.0.5 or DENY (decide)': '10.0.0.5',
  '203.0.113.9 or DENY': '203.0.113.9',
};

test.each(ipVectors.forwarded)('peer $peer, X-Forwarded-For $xff: $client', ({ trust, peer, xff, client }) => {
  const proxies = [parseCidr(trust.replace('cidr:', ''))];
  const expected = decided[client] ?? (client.startsWith('DENY') ? null : client);
  const resolved = resolveClientIp({ peer, forwardedFor: xff ?? undefined, trustedProxies: proxies });
  expect(resolved?.text ?? null).toBe(expected);
});

describe('resolveClientIp', () => {
  test.each([
    ['no peer', undefined, '203.0.113.9', null],
    ['a peer that is no address', 'unknown', undefined, null],
    ['a trusted peer that forwarded nothing', '10.0.0.5', undefined, '10.0.0.5'],
    ['a blank header', '10.0.0.5', ' \t ', '10.0.0.5'],
    ['a header of NBSP', '10.0.0.5', '\u00a0', null],
    ['all hops trusted: the leftmost', '10.0.0.5', '10.0.0.7, 10.0.0.6', '10.0.0.7'],
    ['an empty hop next to a trusted one', '10.0.0.5', '203.0.113.9,', null],
    ['an empty hop left of a trusted one', '10.0.0.5', '203.0.113.9, ,10.0.0.6', null],
    ['a leading comma left of a trusted one', '10.0.0.5', ',10.0.0.6', null],
    ['commas alone', '10.0.0.5', ',,', null],
    ['a hop with a port', '10.0.0.5', '203.0.113.9:443', null],
    ['IPv6 and mapped hops', '::ffff:10.0.0.5', '2001:DB8::1,\t::ffff:10.0.0.6', '2001:db8::1'],
    ['an untrusted peer, whatever it claims', '203.0.113.9', 'unknown', '203.0.113.9'],
  ])('%s', (_, peer, forwardedFor, expected) => {
    expect(clientOf(peer, forwardedFor)).toBe(expected);
  });

  test('nothing a client writes changes the address its proxy saw', () => {
    const forged = fc.array(fc.oneof(fc.ipV4(), fc.string(), fc.constant('10.0.0.1')), { maxLength: 5 });
    fc.assert(
      fc.property(forged, fc.array(fc.constantFrom('10.0.0.6', '10.9.9.9'), { maxLength: 3 }), (written, proxies) => {
        expect(clientOf('10.0.0.5', [...written, '203.0.113.9', ...proxies].join(', '))).toBe('203.0.113.9');
      }),
    );
  });

  test('without trusted proxies the peer is the client', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.string(), (peer, forwardedFor) => {
        expect(resolveClientIp({ peer, forwardedFor, trustedProxies: [] })).toEqual(parseIp(peer));
      }),
    );
  });

  test('a huge header is read from the right only as far as it is trusted', () => {
    expect(clientOf('10.0.0.5', `${'1.1.1.1,'.repeat(12_500)}203.0.113.9`)).toBe('203.0.113.9');
    expect(clientOf('10.0.0.5', '1'.repeat(100_000))).toBeNull();
    expect(clientOf('10.0.0.5', '10.0.0.1,'.repeat(12_500))).toBeNull();
    expect(clientOf('10.0.0.5', `203.0.113.9${',10.0.0.1'.repeat(12_500)}`)).toBe('203.0.113.9');
  });
});
