import type { IpAllowlist } from '../protocol/index.ts';
import { RecentMap } from '../protocol/recent-map.ts';
import type { AccessToken } from './access-token.ts';
import type { KeySet } from './key-set.ts';

/**
 * What was read and compiled from a token with a valid signature: all that is needed to check it again, and no more,
 * because what is kept of each token is most of what keeping it costs.
 */
export interface VerifiedToken {
  readonly accessToken: AccessToken;
  readonly notBeforeSeconds: number | null;
  /** Null when the token may be used from anywhere. */
  readonly ipAllowlist: IpAllowlist | null;
}

export interface TokenMemoryBounds {
  readonly maxTokens: number;
  readonly maxBytes: number;
}

interface RememberedToken extends VerifiedToken {
  readonly text: string;
}

/**
 * The end of the signature, which no two tokens here share. V8 has to hash a key anew for each request, whose header is a
 * new string: for an 8 KiB token that takes 11 µs, for these twelve characters nothing to speak of. The whole token is
 * compared afterwards, which takes 0.1 µs.
 */
const INDEX_CHARACTERS = 12;

/** Heap that a token takes at most, by measurement: text and claims, each permission and each CIDR block, compiled. */
const BYTES_PER_TOKEN = 1536;
const BYTES_PER_CHARACTER = 2;
const BYTES_PER_PERMISSION = 400;
const BYTES_PER_ALLOWLIST_ENTRY = 256;

/**
 * Tokens that a verifier has accepted, so that it need not decode them and check their signatures again. Whoever recalls
 * one still has to hold its claims against the clock and the caller.
 */
export class TokenMemory {
  readonly #bounds: TokenMemoryBounds;
  #keySet: KeySet | null = null;
  #tokens: RecentMap<RememberedToken>;

  constructor(bounds: TokenMemoryBounds) {
    this.#bounds = bounds;
    this.#tokens = createTokens(bounds);
  }

  /** The token with exactly this text, when these keys have verified it and it has not expired. */
  recall(text: unknown, keySet: KeySet | null, nowMs: number): VerifiedToken | undefined {
    if (typeof text !== 'string') return undefined;
    const token = this.#tokensOf(keySet).get(text.slice(-INDEX_CHARACTERS));
    // Without tolerance: for the few seconds that clocks may differ, a token is verified anew each time.
    return token?.text === text && token.accessToken.expiresAtSeconds * 1000 > nowMs ? token : undefined;
  }

  /** Only for tokens that passed every check, with these keys. */
  remember(text: string, { accessToken, notBeforeSeconds, ipAllowlist }: VerifiedToken, keySet: KeySet): void {
    // A copy: V8 keeps the whole of a long text alive for the sake of a token that was cut out of it.
    const ownText = Buffer.from(text, 'latin1').toString('latin1');
    const token = { text: ownText, accessToken, notBeforeSeconds, ipAllowlist };
    this.#tokensOf(keySet).add(ownText.slice(-INDEX_CHARACTERS), token);
  }

  /** With other keys than before all is forgotten: one that is gone may have been stolen. */
  #tokensOf(keySet: KeySet | null): RecentMap<RememberedToken> {
    if (keySet !== this.#keySet) {
      this.#keySet = keySet;
      this.#tokens = createTokens(this.#bounds);
    }
    return this.#tokens;
  }
}

function createTokens({ maxTokens, maxBytes }: TokenMemoryBounds): RecentMap<RememberedToken> {
  return new RecentMap({ maxEntries: maxTokens, maxWeight: maxBytes, weightOf: bytesOf });
}

function bytesOf({ text, accessToken }: RememberedToken): number {
  return (
    BYTES_PER_TOKEN +
    BYTES_PER_CHARACTER * text.length +
    BYTES_PER_PERMISSION * accessToken.permissions.length +
    BYTES_PER_ALLOWLIST_ENTRY * accessToken.ipAllowlist.length
  );
}
