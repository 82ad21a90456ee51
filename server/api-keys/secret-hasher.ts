/** bcrypt reads no further; `$2b$` ignores the rest without a word (Okta, 2024-10-30). */
export const MAX_CHOSEN_SECRET_BYTES = 72;

/**
 * The slow hash of chosen secrets. Runs beside the event loop, with a bound on what waits. `hash` and `compare` throw
 * {@link SecretHasherBusy} when the queue is full and {@link SecretTooLong} over {@link MAX_CHOSEN_SECRET_BYTES}.
 */
export interface SecretHasher {
  /** How many secrets may be under way at once, those that wait included. */
  readonly capacity: number;
  /**
   * A salted hash, `$2b$12$…`.
   *
   * @param salt that of another hash ({@link bcryptSaltOf}). Default: a new one.
   */
  hash(secret: string, salt?: string): Promise<string>;
  /** False also for text that is no hash. */
  compare(secret: string, hash: string): Promise<boolean>;
  /** Ends the workers; what runs is finished, what waits is rejected. Nothing may be asked afterwards. */
  close(): Promise<void>;
}

/** As many secrets as may wait are waiting: HTTP answers 429 with `Retry-After`. */
export class SecretHasherBusy extends Error {
  constructor() {
    super('too many secrets are being checked at once');
    this.name = 'SecretHasherBusy';
  }
}

/** Two secrets that agree in their first 72 bytes would be the same to bcrypt: refused when set and when presented. */
export class SecretTooLong extends RangeError {
  constructor() {
    super(`a chosen secret has at most ${MAX_CHOSEN_SECRET_BYTES} bytes in UTF-8`);
    this.name = 'SecretTooLong';
  }
}
