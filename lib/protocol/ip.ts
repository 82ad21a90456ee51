import { quoteInput } from './quote-input.ts';

/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` */
const MAX_ADDRESS_CHARACTERS = 45;
const MAX_CIDR_CHARACTERS = MAX_ADDRESS_CHARACTERS + '/128'.length;
/** An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) begins with these 96 bits. */
const MAPPED_PREFIX_BITS = 96;
const MAPPED_PREFIX = '::ffff:';
const HEX_GROUP = /^[0-9A-Fa-f]{1,4}$/;
const DECIMAL_PREFIX = /^(?:0|[1-9][0-9]{0,2})$/;
const DIGIT_ZERO = 48;
const DIGIT_NINE = 57;
const DOT = 46;

export type IpFamily = 4 | 6;

/** Where an address stands among all others of its family. */
export interface IpPosition {
  readonly family: IpFamily;
  /** Unsigned 32-bit words, most significant first: one for IPv4, four for IPv6. */
  readonly words: readonly number[];
}

/** An address, the same object shape however it was written: IPv4-mapped IPv6 is IPv4 here. */
export interface IpAddress extends IpPosition {
  /** Canonical: dotted decimal, or RFC 5952. */
  readonly text: string;
}

/** A block of addresses; never holds any of the other family. */
export interface CidrBlock {
  readonly family: IpFamily;
  /** Bits: 0 to 32, or 0 to 128. */
  readonly prefix: number;
  /** Canonical; a block of one address is written without suffix. */
  readonly text: string;
  /** The first address, as {@link IpAddress.words}. */
  readonly words: readonly number[];
  /** True when the text named an address inside the block rather than its first: `10.0.0.1/8`. */
  readonly hostBitsCleared: boolean;
}

/** Text that is no IP address or CIDR block. The message says what is wrong and is safe to show and to log. */
export class InvalidIp extends Error {
  override readonly name = 'InvalidIp';

  constructor(text: string, reason: string) {
    super(`${quoteInput(text)} ${reason}`);
  }
}

/**
 * Reads an address strictly: four decimal numbers without leading zeros (octal readings let 010.8.8.8 pass for 8.8.8.8:
 * CVE-2021-28918, CVE-2021-29418), or RFC 4291 §2.2 text without zone, brackets, port or surrounding space.
 * @throws {InvalidIp}
 */
export function parseIp(text: string): IpAddress {
  const address = readIp(text);
  if (address === null) {
    throw new InvalidIp(text, 'is no IP address: write one like 203.0.113.7 or 2001:db8::7, without port or zone');
  }
  return address;
}

/** Whether {@link parseIp} accepts the text. */
export function isIp(text: string): boolean {
  return readIp(text) !== null;
}

/** {@link parseIp} for hot paths that meet bad text often: null instead of an error. */
export function readIp(text: string): IpAddress | null {
  const position = readIpPosition(text);
  if (position === null) return null;
  const { family, words } = position;
  return { family, words, text: formatWords(words) };
}

/** {@link readIp} without the canonical text, which costs more than all the rest. */
export function readIpPosition(text: string): IpPosition | null {
  const words = readWords(text);
  if (words === null) return null;
  const own = isMapped(words) ? words.slice(3) : words;
  return { family: familyOf(own), words: own };
}

/**
 * Reads a block. A bare address is a block of one; host bits are cleared, which `hostBitsCleared` tells; the mapped block
 * `::ffff:10.0.0.0/104` is the IPv4 block `10.0.0.0/8`.
 * @throws {InvalidIp}
 */
export function parseCidr(text: string): CidrBlock {
  if (text.length > MAX_CIDR_CHARACTERS) throw new InvalidIp(text, 'is too long for an IP address or CIDR block');
  const slash = text.indexOf('/');
  const words = readWords(slash === -1 ? text : text.slice(0, slash));
  if (words === null) {
    throw new InvalidIp(text, 'is no CIDR block: write one like 203.0.113.0/24 or 2001:db8::/32, with a full address');
  }
  const bits = words.length * 32;
  const prefix = slash === -1 ? bits : readPrefix(text.slice(slash + 1));
  if (prefix === null || prefix > bits) {
    throw new InvalidIp(text, `needs a prefix length of 0 to ${bits} after '/', in plain digits without leading zero`);
  }
  if (!isMapped(words)) return blockOf(words, prefix);
  if (prefix < MAPPED_PREFIX_BITS) {
    throw new InvalidIp(
      text,
      `is wider than the IPv4-mapped range: use a prefix of ${MAPPED_PREFIX_BITS} or more, or IPv4`,
    );
  }
  return blockOf(words.slice(3), prefix - MAPPED_PREFIX_BITS);
}

/** Is the address in the block? Allocates nothing. */
export function cidrContains(block: CidrBlock, ip: IpPosition): boolean {
  if (block.family !== ip.family) return false;
  for (let word = 0, bits = block.prefix; bits > 0; word++, bits -= 32) {
    const difference = (block.words[word] as number) ^ (ip.words[word] as number);
    if (bits >= 32 ? difference !== 0 : difference >>> (32 - bits) !== 0) return false;
  }
  return true;
}

function readPrefix(text: string): number | null {
  return DECIMAL_PREFIX.test(text) ? Number(text) : null;
}

function readWords(text: string): number[] | null {
  if (text.length > MAX_ADDRESS_CHARACTERS) return null;
  if (!text.includes(':')) {
    const word = readIpv4Word(text);
    return word === null ? null : [word];
  }
  // So Node tells the IPv4 peers of a socket that takes both families: on the path of every request.
  const mapped = text.startsWith(MAPPED_PREFIX) ? readIpv4Word(text.slice(MAPPED_PREFIX.length)) : null;
  return mapped === null ? readIpv6Words(text) : [0, 0, 0xffff, mapped];
}

function readIpv4Word(text: string): number | null {
  let word = 0;
  let octets = 0;
  let octet = -1;
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (octet === -1 || octets === 4) return null;
      word = word * 256 + octet;
      octets++;
      octet = -1;
    } else if (code < DIGIT_ZERO || code > DIGIT_NINE || octet === 0) {
      return null;
    } else {
      octet = (octet === -1 ? 0 : octet * 10) + code - DIGIT_ZERO;
      if (octet > 255) return null;
    }
  }
  return octets === 4 ? word : null;
}

function readIpv6Words(text: string): number[] | null {
  const gap = text.indexOf('::');
  if (gap === -1) {
    const groups = readGroups(text, true);
    return groups?.length === 8 ? wordsOf(groups) : null;
  }
  if (text.includes('::', gap + 1)) return null;
  const head = readGroups(text.slice(0, gap), false);
  const tail = readGroups(text.slice(gap + 2), true);
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  return missing < 1 ? null : wordsOf([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** 16-bit groups between colons; where the text ends the address, its last may be dotted IPv4, which makes two. */
function readGroups(text: string, endsAddress: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (HEX_GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const word = endsAddress && index === parts.length - 1 ? readIpv4Word(part) : null;
    if (word === null) return null;
    groups.push(word >>> 16, word & 0xffff);
  }
  return groups;
}

function wordsOf(groups: readonly number[]): number[] {
  return [0, 2, 4, 6].map((at) => (groups[at] as number) * 0x10000 + (groups[at + 1] as number));
}

function isMapped(words: readonly number[]): boolean {
  return words.length === 4 && words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

function familyOf(words: readonly number[]): IpFamily {
  return words.length === 1 ? 4 : 6;
}

function blockOf(given: readonly number[], prefix: number): CidrBlock {
  const words = given.map((word, index) => clearHostBits(word, prefix - index * 32));
  const text = formatWords(words);
  return {
    family: familyOf(words),
    words,
    prefix,
    text: prefix === words.length * 32 ? text : `${text}/${prefix}`,
    hostBitsCleared: words.some((word, index) => word !== given[index]),
  };
}

function clearHostBits(word: number, networkBits: number): number {
  if (networkBits >= 32) return word;
  return networkBits <= 0 ? 0 : (word & (-1 << (32 - networkBits))) >>> 0;
}

function formatWords(words: readonly number[]): string {
  if (words.length === 1) {
    const word = words[0] as number;
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
  }
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const gap = longestZeroRun(groups);
  if (gap === null) return groups.map(hex).join(':');
  return `${groups.slice(0, gap.start).map(hex).join(':')}::${groups.slice(gap.end).map(hex).join(':')}`;
}

/** RFC 5952 §4.2: the longest run of at least two zero groups, the first of equals. */
function longestZeroRun(groups: readonly number[]): { start: number; end: number } | null {
  let longest: { start: number; end: number } | null = null;
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start >= 2 && (longest === null || end - start > longest.end - longest.start)) longest = { start, end };
  }
  return longest;
}

function hex(group: number): string {
  return group.toString(16);
}
