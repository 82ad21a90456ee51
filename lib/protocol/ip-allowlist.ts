import type { CidrBlock, IpPosition } from './ip.ts';
import { cidrContains, InvalidIp, parseCidr, readIpPosition } from './ip.ts';
import { quoteInput } from './quote-input.ts';

const MAX_ENTRIES = 100;

/** A list that cannot be an allowlist. The message names the entry and how to mend it. */
export class InvalidAllowlist extends Error {
  override readonly name = 'InvalidAllowlist';
}

/** The addresses from which an API key may be used. The empty list allows any. */
export class IpAllowlist {
  /** Canonical, without duplicates, in the order given. */
  readonly entries: readonly string[];
  /** In order of their first addresses, none inside another: CIDR blocks nest or are disjoint, so one can hold an address. */
  readonly #blocks: readonly CidrBlock[];
  /** A token is mostly used from one place. */
  #lastAllowedText: string | null = null;

  private constructor(blocks: readonly CidrBlock[]) {
    this.entries = Object.freeze([...new Set(blocks.map((block) => block.text))]);
    this.#blocks = outermost(blocks);
  }

  /**
   * @param entries at most 100 addresses or CIDR blocks, as {@link parseCidr} takes them; `/0` is refused, because a list
   * that allows everyone should be seen to: it is the empty one
   * @throws {InvalidAllowlist}
   */
  static parse(entries: readonly string[]): IpAllowlist {
    if (entries.length > MAX_ENTRIES) {
      throw new InvalidAllowlist(
        `an IP allowlist has at most ${MAX_ENTRIES} entries and this one has ${entries.length}: join neighbours into CIDR blocks`,
      );
    }
    return new IpAllowlist(entries.map(parseEntry));
  }

  /** Whether a call from here is allowed. A non-empty list refuses null (address unknown) and text that is no address. */
  allows(ip: string | IpPosition | null): boolean {
    if (this.#blocks.length === 0) return true;
    if (typeof ip !== 'string') return ip !== null && this.#holds(ip);
    if (ip === this.#lastAllowedText) return true;
    const position = readIpPosition(ip);
    if (position === null || !this.#holds(position)) return false;
    // A copy: the text may have been cut out of a long header, which would live as long.
    this.#lastAllowedText = `${ip}/`.slice(0, -1);
    return true;
  }

  #holds(position: IpPosition): boolean {
    const candidate = this.#lastStartingAtOrBefore(position);
    return candidate !== undefined && cidrContains(candidate, position);
  }

  #lastStartingAtOrBefore(position: IpPosition): CidrBlock | undefined {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comparePositions(this.#blocks[middle] as CidrBlock, position) <= 0) low = middle + 1;
      else high = middle;
    }
    return this.#blocks[low - 1];
  }
}

function parseEntry(entry: string): CidrBlock {
  let block: CidrBlock;
  try {
    block = parseCidr(entry);
  } catch (error) {
    if (error instanceof InvalidIp) throw new InvalidAllowlist(error.message, { cause: error });
    throw error;
  }
  if (block.prefix === 0) {
    throw new InvalidAllowlist(`${quoteInput(entry)} allows every address: use an empty list if that is meant`);
  }
  return block;
}

function outermost(blocks: readonly CidrBlock[]): CidrBlock[] {
  const kept: CidrBlock[] = [];
  const sorted = [...blocks].sort((a, b) => comparePositions(a, b) || a.prefix - b.prefix);
  for (const block of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !cidrContains(last, block)) kept.push(block);
  }
  return kept;
}

function comparePositions(a: IpPosition, b: IpPosition): number {
  if (a.family !== b.family) return a.family - b.family;
  for (let word = 0; word < a.words.length; word++) {
    const difference = (a.words[word] as number) - (b.words[word] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
