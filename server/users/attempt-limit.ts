import { hash } from 'node:crypto';
import type { IpAddress } from '@keyturn/lib/protocol';

const WINDOW_SECONDS = 15 * 60;

/** Failed sign-ins within {@link AttemptLimitRule.windowSeconds}, counted from the first; whoever has had them is locked out. */
export interface AttemptLimitRule {
  readonly name: string;
  readonly maxAttempts: number;
  readonly windowSeconds: number;
}

export const ACCOUNT_RULE: AttemptLimitRule = { name: 'account', maxAttempts: 10, windowSeconds: WINDOW_SECONDS };
/** Wider: behind one address may be a whole office. */
export const ADDRESS_RULE: AttemptLimitRule = { name: 'address', maxAttempts: 100, windowSeconds: WINDOW_SECONDS };

export interface Attempt {
  readonly isAllowed: boolean;
  /** How many there are in this window, this one included. */
  readonly count: number;
  /** Until the window ends. */
  readonly remainingMs: number;
}

/**
 * Counts attempts for all instances together. An attempt is counted before it is made, in one atomic step, so that a
 * thousand at once are no more than one after the other. Answers or throws {@link DependencyUnavailable} within about a
 * second: nobody is let in uncounted.
 */
export interface AttemptLimit {
  readonly rule: AttemptLimitRule;
  take(name: string): Promise<Attempt>;
  /** The attempt was none after all. */
  giveBack(name: string): Promise<void>;
  /** Begins anew. */
  clear(name: string): Promise<void>;
}

/** Not the address itself: people type their passwords there, too. */
export function accountName(email: string): string {
  return hash('sha256', email, 'base64url');
}

/** What one person may have of the IPv6 addresses, a /64, counts as one. */
export function addressName(ip: IpAddress | null): string {
  if (ip === null) return 'unknown';
  if (ip.family === 4) return ip.text;
  return ip.words
    .slice(0, 2)
    .map((word) => word.toString(16))
    .join('-');
}
