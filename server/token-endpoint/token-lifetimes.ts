export interface TokenLifetimes {
  readonly accessTokenSeconds: number;
  /** Access token's lifetime plus grace. */
  readonly refreshTokenSeconds: number;
  /** Absolute end of a session; null: no bound. */
  readonly sessionMaxSeconds: number | null;
  /** 0: strictly single use. */
  readonly refreshRetrySeconds: number;
}
