import { type Clock, systemClock } from './clock.ts';
import { parseKeySet } from './key-set.ts';
import { type KeySource, LocalKeySource, RemoteKeySource } from './key-source.ts';
import { TokenMemory } from './token-memory.ts';
import { isSigningAlgorithm, SIGNING_ALGORITHMS, type SigningAlgorithm } from './verification-key.ts';

/** RFC 7517 §5. */
export interface Jwks {
  readonly keys: readonly object[];
}

export interface VerifierOptions {
  /** Keyturn's public URL, exactly as in `iss` (`KEYTURN_ISSUER` there). */
  readonly issuer: string;
  /** What this service is called in `aud`; of a list, one is enough. Null: tokens for any service are taken. */
  readonly audience: string | readonly string[] | null;
  /** Where the keys are. Default: `<issuer>/.well-known/jwks.json`. No other address is ever asked. */
  readonly jwksUri?: string;
  /**
   * The keys themselves, or a function that returns them, asked at every verification: then nothing is fetched. It must
   * return the same object for as long as the keys are the same.
   */
  readonly jwks?: Jwks | (() => Jwks);
  /** Signing algorithms that are accepted; each key still has exactly one. Default: all four. */
  readonly algorithms?: readonly SigningAlgorithm[];
  /** Null: tokens are accepted from everywhere, whatever their IP allowlist says. Leave out to have it enforced. */
  readonly ipAllowlist?: null;
  /** Seconds by which clocks may differ at `exp`, `iat` and `nbf`: 0 to 60. Default: 5. */
  readonly clockToleranceSeconds?: number;
  /**
   * How many accepted tokens are remembered, so that seeing one again costs no signature: 2 to 1000000. Expiry, audience
   * and caller are checked each time all the same. Null: none, each token is verified anew. Default: 10000.
   */
  readonly rememberedTokens?: number | null;
  /** Bytes of memory that they may take, about: 1048576 to 1073741824. Default: 33554432, which is 32 MiB. */
  readonly rememberedBytes?: number;
  /** Seconds after which keys are renewed in the background: 1 to 86400. Default: 600. */
  readonly jwksMaxAgeSeconds?: number;
  /** Least seconds between two requests for keys, unknown kids and failures included: 1 to 3600. Default: 30. */
  readonly jwksCooldownSeconds?: number;
  /** Milliseconds that a request for keys may take, body included: 100 to 30000. Default: 3000. */
  readonly fetchTimeoutMs?: number;
  /** For a proxy or private CA. Must honour `signal` and `redirect`. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** For tests. */
  readonly clock?: Clock;
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof VerifierOptions>([
  'issuer',
  'audience',
  'jwksUri',
  'jwks',
  'algorithms',
  'ipAllowlist',
  'clockToleranceSeconds',
  'rememberedTokens',
  'rememberedBytes',
  'jwksMaxAgeSeconds',
  'jwksCooldownSeconds',
  'fetchTimeoutMs',
  'fetch',
  'clock',
]);

const MIB = 1024 * 1024;

/** The options, checked and completed. */
export interface VerifierRules {
  readonly issuer: string;
  /** Null: not checked. */
  readonly audiences: readonly string[] | null;
  readonly algorithms: readonly SigningAlgorithm[];
  readonly enforceIpAllowlist: boolean;
  readonly clockToleranceSeconds: number;
  readonly keys: KeySource;
  /** Null: none is kept. */
  readonly memory: TokenMemory | null;
  readonly clock: Clock;
}

/**
 * @throws {TypeError} for an option that is missing or of a wrong kind, by name
 * @throws {RangeError} for a number out of bounds
 */
export function parseVerifierOptions(options: VerifierOptions): VerifierRules {
  if (typeof options !== 'object' || options === null) throw new TypeError('createVerifier needs options');
  for (const name of Object.keys(options)) {
    // A misspelt option would leave a check at its default without a word.
    if (!OPTION_NAMES.has(name)) throw new TypeError(`createVerifier has no option ${JSON.stringify(name)}`);
  }
  const { issuer, ipAllowlist } = options;
  if (!isNonEmptyText(issuer)) throw new TypeError('issuer must be a non-empty string');
  if (ipAllowlist !== undefined && ipAllowlist !== null) {
    throw new TypeError('ipAllowlist can only be null, which switches the check off');
  }
  const clock = options.clock ?? systemClock;
  return {
    issuer,
    audiences: parseAudiences(options.audience),
    algorithms: parseAlgorithms(options.algorithms),
    enforceIpAllowlist: ipAllowlist !== null,
    clockToleranceSeconds: boundedNumber('clockToleranceSeconds', options.clockToleranceSeconds ?? 5, 0, 60),
    keys: createKeySource(options, clock),
    memory: createMemory(options),
    clock,
  };
}

function parseAudiences(audience: unknown): readonly string[] | null {
  if (audience === null) return null;
  const audiences = Array.isArray(audience) ? [...audience] : [audience];
  if (audiences.length === 0 || !audiences.every(isNonEmptyText)) {
    throw new TypeError('audience must be a string, a list of strings, or null to accept tokens for any audience');
  }
  return audiences;
}

function parseAlgorithms(algorithms: readonly SigningAlgorithm[] = SIGNING_ALGORITHMS): readonly SigningAlgorithm[] {
  if (!Array.isArray(algorithms) || algorithms.length === 0 || !algorithms.every(isSigningAlgorithm)) {
    throw new TypeError(`algorithms must be a list out of ${SIGNING_ALGORITHMS.join(', ')}`);
  }
  return [...algorithms];
}

function createKeySource(options: VerifierOptions, clock: Clock): KeySource {
  const { jwks, jwksUri, issuer, fetch = globalThis.fetch } = options;
  const maxAgeSeconds = boundedNumber('jwksMaxAgeSeconds', options.jwksMaxAgeSeconds ?? 600, 1, 86_400);
  const cooldownSeconds = boundedNumber('jwksCooldownSeconds', options.jwksCooldownSeconds ?? 30, 1, 3600);
  const timeoutMs = boundedNumber('fetchTimeoutMs', options.fetchTimeoutMs ?? 3000, 100, 30_000);
  if (typeof fetch !== 'function') throw new TypeError('fetch must be a function');
  if (jwks === undefined) {
    const uri = parseJwksUri(jwksUri, issuer);
    return new RemoteKeySource({
      uri,
      fetch,
      timeoutMs,
      maxAgeMs: maxAgeSeconds * 1000,
      cooldownMs: cooldownSeconds * 1000,
      clock,
    });
  }
  if (jwksUri !== undefined) throw new TypeError('jwks and jwksUri exclude each other');
  if (typeof jwks === 'function') return new LocalKeySource(jwks);
  assertUsableJwks(jwks);
  return new LocalKeySource(() => jwks);
}

function createMemory({ rememberedTokens = 10_000, rememberedBytes = 32 * MIB }: VerifierOptions): TokenMemory | null {
  const maxBytes = boundedNumber('rememberedBytes', rememberedBytes, MIB, 1024 * MIB);
  if (rememberedTokens === null) return null;
  return new TokenMemory({
    maxTokens: boundedNumber('rememberedTokens', rememberedTokens, 2, 1_000_000),
    maxBytes,
  });
}

function parseJwksUri(jwksUri: string | undefined, issuer: string): string {
  const text = jwksUri ?? `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw new TypeError(
      jwksUri === undefined
        ? 'issuer must be an http(s) URL without credentials, or give jwksUri or jwks'
        : 'jwksUri must be an http(s) URL without credentials',
    );
  }
  return url.href;
}

function assertUsableJwks(jwks: unknown): void {
  try {
    parseKeySet(jwks);
  } catch (cause) {
    throw new TypeError('jwks must be a JWKS with at least one usable key', { cause });
  }
}

function boundedNumber(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw new RangeError(`${name} must be a number from ${min} to ${max}`);
  }
  return value;
}

function isNonEmptyText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
