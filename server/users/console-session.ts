import { randomBase64url } from '../random.ts';
import { hashToken } from './setup-link.ts';

const IDLE_MS = 30 * 60_000;
const ABSOLUTE_MS = 12 * 3_600_000;
/** Not a write for each click: a session ends up to this much sooner than 30 minutes after the last one. */
const SEEN_EVERY_MS = 60_000;

/** A person signed in to the console. */
export interface ConsoleSession {
  /** Of the cookie, which is stored nowhere. */
  readonly tokenHash: string;
  readonly userId: string;
  readonly createdAtMs: number;
  /** Up to a minute late. */
  readonly lastSeenAtMs: number;
  /** Absolute end, whatever is done. */
  readonly expiresAtMs: number;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export function newConsoleSession(
  userId: string,
  nowMs: number,
  { ip, userAgent }: Pick<ConsoleSession, 'ip' | 'userAgent'>,
): { readonly session: ConsoleSession; readonly token: string } {
  const token = randomBase64url(32);
  const times = { createdAtMs: nowMs, lastSeenAtMs: nowMs, expiresAtMs: nowMs + ABSOLUTE_MS };
  return { session: { tokenHash: hashToken(token), userId, ...times, ip, userAgent }, token };
}

/** When it ends if nothing is done any more. */
export function idleEndMs({ lastSeenAtMs, expiresAtMs }: ConsoleSession): number {
  return Math.min(lastSeenAtMs + IDLE_MS, expiresAtMs);
}

export function isLive(session: ConsoleSession, nowMs: number): boolean {
  return nowMs < idleEndMs(session);
}

export function isToBeSeen({ lastSeenAtMs }: ConsoleSession, nowMs: number): boolean {
  return nowMs - lastSeenAtMs >= SEEN_EVERY_MS;
}

/** Last seen before this: ended. */
export function idleSinceMs(nowMs: number): number {
  return nowMs - IDLE_MS;
}
