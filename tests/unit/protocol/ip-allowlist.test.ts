import { BlockList } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { InvalidAllowlist, IpAllowlist, isIp, parseCidr, parseIp } from '../../../lib/protocol/index.ts';
import { ipVectors } from './ip-vectors.ts';

describe('parse', () => {
  test('keeps canonical entries, each once, in the order given', () => {
    const entries = ['203.0.113.9/24', '2001:DB8::1', '203.0.113.0/24', '10.0.0.1/32', '::ffff:10.0.0.1'];
    expect(IpAllowlist.parse(entries).entries).toEqual(['203.0.113.0/24', '2001:db8::1', '10.0.0.1']);
  });

  test('canonical entries read back as themselves', () => {
    const once = IpAllowlist.parse(['10.1.2.3/8', 'FE80::/10', '10.0.0.1']).entries;
    expect(IpAllowlist.parse(once).entries).toEqual(once);
  });

  test.each(['0.0.0.0/0', '::/0', '10.0.0.1/0', '::ffff:0:0/96'])('refuses %s, which is everyone', (entry) => {
    expect(() => IpAllowlist.parse(['10.0.0.1', entry])).toThrow(InvalidAllowlist);
    expect(() => IpAllowlist.parse([entry])).toThrow(`'${entry}' allows every address`);
  });

  test('takes 100 entries and no more', () => {
    const entries = Array.from({ length: 101 }, (_, index) => `10.0.0.${index}`);
    expect(IpAllowlist.parse(entries.slice(1)).entries).toHaveLength(100);
    expect(() => IpAllowlist.parse(entries)).toThrow(InvalidAllowlist);
  });

  test.each([...ipVectors.strict_invalid, ...ipVectors.cidr_reject.filter((text) => !text.includes('host bits'))])(
    'refuses %j',
    (entry) => {
      expect(() => IpAllowlist.parse([entry])).toThrow(InvalidAllowlist);
    },
  );
});

describe('allows', () => {
  test('the empty list allows everything, the unknown address too', () => {
    const list = IpAllowlist.parse([]);
    for (const ip of [null, '10.0.0.1', 'unknown', parseIp('::1')]) expect(list.allows(ip)).toBe(true);
  });

  test('a non-empty list refuses an unknown or unparsable address', () => {
    const list = IpAllowlist.parse(['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1']);
    for (const ip of [null, ...ipVectors.strict_invalid]) expect(list.allows(ip)).toBe(false);
    for (const ip of ['10.0.0.1', '255.255.255.255', '::', 'ffff::']) expect(list.allows(ip)).toBe(true);
  });

  test.each(ipVectors.cidr_match.filter(({ cidr }) => parseCidr(cidr).prefix > 0))(
    '$cidr and $ip: $allow ($why)',
    ({ cidr, ip, allow }) => {
      expect(IpAllowlist.parse([cidr]).allows(ip)).toBe(allow);
      if (isIp(ip)) expect(IpAllowlist.parse([cidr]).allows(parseIp(ip))).toBe(allow);
    },
  );

  test('agrees with node:net BlockList for nested, adjacent and mixed entries', () => {
    // Few distinct bits, so that blocks nest and addresses fall on their edges.
    const near4 = fc
      .tuple(fc.constantFrom(0, 127, 128, 255), fc.constantFrom(0, 1, 255))
      .map(([a, b]) => `10.${a}.${b}.${a}`);
    const near6 = fc
      .tuple(fc.constantFrom('0', '7fff', '8000', 'ffff'), fc.nat(3))
      .map(([a, b]) => `2001:${a}::${a}:${b}`);
    const entry4 = fc.tuple(near4, fc.integer({ min: 8, max: 32 })).map(([ip, prefix]) => `${ip}/${prefix}`);
    const entry6 = fc.tuple(near6, fc.integer({ min: 16, max: 128 })).map(([ip, prefix]) => `${ip}/${prefix}`);
    let allowed = 0;
    fc.assert(
      fc.property(
        fc.array(fc.oneof(entry4, entry6), { minLength: 1, maxLength: 12 }),
        fc.array(fc.oneof(near4, near6), { minLength: 5, maxLength: 5 }),
        (entries, ips) => {
          const list = IpAllowlist.parse(entries);
          const reference = new BlockList();
          for (const entry of entries) {
            const { text, prefix, family } = parseCidr(entry);
            reference.addSubnet(text.replace(/\/.*/, ''), prefix, family === 4 ? 'ipv4' : 'ipv6');
          }
          for (const ip of ips) {
            const expected = reference.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4');
            if (expected) allowed++;
            expect(list.allows(ip)).toBe(expected);
          }
        },
      ),
      { numRuns: 3_000 },
    );
    expect(allowed).toBeGreaterThan(500);
  });
});
