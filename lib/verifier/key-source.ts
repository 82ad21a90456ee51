import type { Clock } from './clock.ts';
import { fetchJwks, type JwksRequest } from './fetch-jwks.ts';
import { type KeySet, parseKeySet } from './key-set.ts';

/** Where a verifier has its keys from. Nothing here throws or rejects. */
export interface KeySource {
  /** The keys at hand, or null when there are none (yet). */
  current(): KeySet | null;
  /** The keys after an attempt to get newer ones, when one is allowed now. */
  refresh(): Promise<KeySet | null>;
  /** Why the last attempt brought no keys, or null when it did. */
  readonly failure: unknown;
}

/** Keys in this process. They are read again when `getJwks` returns another object than the last time. */
export class LocalKeySource implements KeySource {
  readonly #getJwks: () => unknown;
  #jwks: unknown;
  #keySet: KeySet | null = null;
  failure: unknown = null;

  constructor(getJwks: () => unknown) {
    this.#getJwks = getJwks;
  }

  current(): KeySet | null {
    try {
      const jwks = this.#getJwks();
      if (jwks !== this.#jwks || this.#keySet === null) {
        this.#keySet = parseKeySet(jwks, this.#keySet);
        this.#jwks = jwks;
      }
      this.failure = null;
    } catch (error) {
      this.failure = error;
    }
    return this.#keySet;
  }

  async refresh(): Promise<KeySet | null> {
    return this.current();
  }
}

export interface RemoteKeySourceOptions extends JwksRequest {
  readonly maxAgeMs: number;
  readonly cooldownMs: number;
  readonly clock: Clock;
}

/**
 * Keys from a JWKS address. One request at a time and none within the cool-down of the one before, whether it succeeded
 * or not and whatever kids arrive: a flood of unknown kids must not become a flood of requests to the issuer. Keys older
 * than the maximal age are renewed in the background and serve on, however long, while the issuer can't be reached.
 */
export class RemoteKeySource implements KeySource {
  readonly #options: RemoteKeySourceOptions;
  #keySet: KeySet | null = null;
  #loadedAtMs = 0;
  #attemptedAtMs: number | null = null;
  #inFlight: Promise<void> | null = null;
  failure: unknown = null;

  constructor(options: RemoteKeySourceOptions) {
    this.#options = options;
  }

  current(): KeySet | null {
    if (this.#keySet !== null && this.#hasElapsed(this.#loadedAtMs, this.#options.maxAgeMs)) void this.refresh();
    return this.#keySet;
  }

  async refresh(): Promise<KeySet | null> {
    if (this.#inFlight === null && this.#isAttemptAllowed()) {
      this.#attemptedAtMs = this.#options.clock.nowMs();
      this.#inFlight = this.#load().finally(() => {
        this.#inFlight = null;
      });
    }
    await this.#inFlight;
    return this.#keySet;
  }

  #isAttemptAllowed(): boolean {
    return this.#attemptedAtMs === null || this.#hasElapsed(this.#attemptedAtMs, this.#options.cooldownMs);
  }

  /** A clock that was set back counts as elapsed: it must not hold requests off until it has caught up. */
  #hasElapsed(sinceMs: number, durationMs: number): boolean {
    const elapsedMs = this.#options.clock.nowMs() - sinceMs;
    return elapsedMs < 0 || elapsedMs >= durationMs;
  }

  async #load(): Promise<void> {
    try {
      this.#keySet = parseKeySet(await fetchJwks(this.#options), this.#keySet);
      this.#loadedAtMs = this.#options.clock.nowMs();
      this.failure = null;
    } catch (error) {
      this.failure = error;
    }
  }
}
