import { BlockList, isIP } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cidrContains, InvalidIp, isIp, parseCidr, parseIp } from '../../../lib/protocol/index.ts';
import { ipVectors } from './ip-vectors.ts';

/** Addresses, near misses and noise from the alphabet of addresses. */
const addressLike = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc.ipV4().map((v4) => `::ffff:${v4}`),
  fc
    .array(fc.constantFrom('0', '1', '00', 'a', 'FFFF', '12345', '', '1.2.3.4', 'g'), { maxLength: 9 })
    .map((p) => p.join(':')),
  fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.')),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef:./% '), maxLength: 20 }),
);

function blockOrNull(text: string) {
  try {
    return parseCidr(text);
  } catch (error) {
    if (error instanceof InvalidIp) return null;
    throw error;
  }
}

describe('vectors', () => {
  test.each(ipVectors.strict_valid)('%s is an address', (text) => {
    expect(isIp(text)).toBe(true);
    expect(() => parseIp(text)).not.toThrow();
  });

  test.each(ipVectors.strict_invalid)('%j is no address', (text) => {
    expect(isIp(text)).toBe(false);
    expect(() => parseIp(text)).toThrow(InvalidIp);
    expect(() => parseCidr(text)).toThrow(InvalidIp);
  });

  test.each(ipVectors.cidr_match)('$cidr and $ip: $allow ($why)', ({ cidr, ip, allow }) => {
    expect(isIp(ip) && cidrContains(parseCidr(cidr), parseIp(ip))).toBe(allow);
  });

  test.each(ipVectors.cidr_reject.filter((text) => !text.includes('host bits set')))('%j is no block', (text) => {
    expect(() => parseCidr(text)).toThrow(InvalidIp);
  });

  test('host bits are cleared, visibly (the vectors leave it open)', () => {
    expect(ipVectors.cidr_reject.some((text) => text.startsWith('10.0.0.1/8 (host bits set'))).toBe(true);
    expect(parseCidr('10.0.0.1/8')).toMatchObject({ text: '10.0.0.0/8', hostBitsCleared: true });
    expect(parseCidr('10.0.0.0/8').hostBitsCleared).toBe(false);
  });
});

describe('parseIp', () => {
  test.each([
    ['10.0.0.1', 4, '10.0.0.1'],
    ['::ffff:10.0.0.1', 4, '10.0.0.1'],
    ['::FFFF:a00:1', 4, '10.0.0.1'],
    ['::10.0.0.1', 6, '::a00:1'],
    ['2001:DB8:0:0:1:0:0:1', 6, '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', 6, '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::0:1:1:1:1:1', 6, null],
    ['2001:db8::1:1:1:1:1', 6, '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', 6, '1:0:0:2::3'],
    ['0:0:0:0:0:0:0:0', 6, '::'],
    ['1::', 6, '1::'],
    ['0001::00ff', 6, '1::ff'],
    ['64:ff9b::192.0.2.33', 6, '64:ff9b::c000:221'],
  ])('%s is IPv%d, in canonical text %s', (text, family, canonical) => {
    if (canonical === null) expect(isIp(text)).toBe(false);
    else expect(parseIp(text)).toMatchObject({ family, text: canonical });
  });

  test.each(['1.2.3.4::', '1.2.3.4:1:1:1:1:1:1:1', '1.2.3.4::1', ':::', ':1:2:3:4:5:6:7', '1::2:', '::1.2.3'])(
    '%s is no address',
    (text) => {
      expect(isIp(text)).toBe(false);
    },
  );

  test('agrees with node:net, except that zones are refused', () => {
    let valid = 0;
    fc.assert(
      fc.property(addressLike, (text) => {
        fc.pre(!text.includes('%'));
        if (isIp(text)) valid++;
        expect(isIp(text)).toBe(isIP(text) !== 0);
      }),
      { numRuns: 10_000 },
    );
    expect(valid).toBeGreaterThan(1_000);
    expect(isIp('fe80::1%eth0')).toBe(false);
  });

  test('canonical text reads back as the same address, and is the text of the URL standard', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseIp(text);
        expect(parseIp(address.text)).toEqual(address);
        if (address.family === 6) expect(new URL(`http://[${text}]/`).hostname).toBe(`[${address.text}]`);
      }),
      { numRuns: 3_000 },
    );
  });

  test('a huge text is refused before it is scanned', () => {
    const unscannable = Object.assign(Object.create(null), { length: 100_000 });
    expect(isIp(unscannable)).toBe(false);
    for (const huge of ['1'.repeat(100_000), ':'.repeat(100_000), `${'0'.repeat(100_000)}.0.0.1`]) {
      expect(() => parseIp(huge)).toThrow(InvalidIp);
      expect(() => parseCidr(huge)).toThrow(InvalidIp);
    }
  });

  test('the message is printable ASCII, bounded, and names the text', () => {
    expect(() => parseIp('10.0.0.1\n')).toThrow("'10.0.0.1<U+000A>' is no IP address");
    expect(() => parseIp('x'.repeat(100_000))).toThrow(/^.{1,400}$/);
  });
});

describe('parseCidr', () => {
  test.each([
    ['10.0.0.7', 4, 32, '10.0.0.7', false],
    ['10.0.0.7/32', 4, 32, '10.0.0.7', false],
    ['2001:DB8::7', 6, 128, '2001:db8::7', false],
    ['2001:db8::7/128', 6, 128, '2001:db8::7', false],
    ['2001:db8::7/32', 6, 32, '2001:db8::/32', true],
    ['2001:db8:ffff::/33', 6, 33, '2001:db8:8000::/33', true],
    ['255.255.255.255/1', 4, 1, '128.0.0.0/1', true],
    ['10.0.0.7/0', 4, 0, '0.0.0.0/0', true],
    ['::/0', 6, 0, '::/0', false],
    ['::ffff:10.1.2.3', 4, 32, '10.1.2.3', false],
    ['::ffff:10.1.2.3/104', 4, 8, '10.0.0.0/8', true],
    ['::ffff:0:0/96', 4, 0, '0.0.0.0/0', false],
  ])('%s is IPv%d /%d, in canonical text %s', (text, family, prefix, canonical, hostBitsCleared) => {
    const block = parseCidr(text);
    expect(block).toMatchObject({ family, prefix, text: canonical, hostBitsCleared });
    expect(parseCidr(block.text)).toEqual({ ...block, hostBitsCleared: false });
  });

  test.each([
    '::ffff:10.0.0.0/95',
    '::ffff:10.0.0.0/8',
    '10.0.0.0/129',
    '10.0.0.0/١',
    '10.0.0.0/8\n',
    '/',
    '1.2.3.4/1/1',
  ])('%j is no block', (text) => {
    expect(blockOrNull(text)).toBeNull();
  });
});

describe('cidrContains', () => {
  const blockAndAddress = fc.oneof(
    fc.record({ network: fc.ipV4(), other: fc.ipV4(), prefix: fc.integer({ min: 1, max: 32 }), flip: fc.nat(31) }),
    fc.record({ network: fc.ipV6(), other: fc.ipV6(), prefix: fc.integer({ min: 1, max: 128 }), flip: fc.nat(127) }),
  );

  test('agrees with node:net BlockList, also one flipped bit away', () => {
    fc.assert(
      fc.property(blockAndAddress, ({ network, other, prefix, flip }) => {
        const block = parseCidr(`${network}/${prefix}`.replace(/^::ffff:.*/i, '2001:db8::/32'));
        const near = flipBit(block.text.replace(/\/.*/, ''), flip);
        const list = new BlockList();
        const family = block.family === 4 ? 'ipv4' : 'ipv6';
        list.addSubnet(block.text.replace(/\/.*/, ''), block.prefix, family);
        for (const text of [other, near, network]) {
          const address = parseIp(text);
          if (address.family !== block.family) continue;
          expect(cidrContains(block, address)).toBe(list.check(address.text, family));
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

/** The address with one bit changed. */
function flipBit(text: string, bit: number): string {
  const { words, family } = parseIp(text);
  const width = family === 4 ? 32 : 128;
  const value = words.reduce((sum, word) => sum * 0x1_0000_0000n + BigInt(word), 0n) ^ (1n << BigInt(bit % width));
  const groups = Array.from(
    { length: width / 16 },
    (_, index) => (value >> BigInt(width - 16 * (index + 1))) & 0xffffn,
  );
  if (family === 6) return groups.map((group) => group.toString(16)).join(':');
  return groups.flatMap((group) => [group >> 8n, group & 0xffn]).join('.');
}
