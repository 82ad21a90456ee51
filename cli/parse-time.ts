/** Times and durations as people give them to commands. */
import { InvalidArgumentError } from 'commander';
import { systemClock } from '../server/clock.ts';

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;
const DURATION = /^(\d{1,9})([smhdw])$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

function durationSeconds(text: string): number | null {
  const [, count, unit] = DURATION.exec(text) ?? [];
  return count === undefined ? null : Number(count) * SECONDS[unit as keyof typeof SECONDS];
}

/**
 * Seconds of `45s`, `30m`, `12h`, `90d`, `2w`.
 *
 * @throws {InvalidArgumentError}
 */
export function parseDuration(text: string): number {
  const seconds = durationSeconds(text);
  if (seconds !== null) return seconds;
  throw new InvalidArgumentError('It must be a number and s, m, h, d or w: 24h, 7d.');
}

function parseTime(text: string, direction: 1 | -1): string {
  const seconds = durationSeconds(text);
  const ms = seconds === null ? Date.parse(text) : systemClock.nowMs() + direction * seconds * 1_000;
  const isTime = seconds !== null || DATE.test(text) || DATE_TIME.test(text);
  // Beyond what a Date can hold, too.
  if (isTime && Math.abs(ms) <= 8.64e15) return new Date(ms).toISOString();
  const whence = direction === 1 ? 'from now' : 'back from now';
  throw new InvalidArgumentError(
    `It must be a time (2027-01-31T18:00:00Z), a day (2027-01-31, from 00:00 UTC) or a duration ${whence} (30d).`,
  );
}

/** RFC 3339, UTC; a duration counts back from now. Throws {@link InvalidArgumentError}. */
export const parsePastTime = (text: string): string => parseTime(text, -1);

/** RFC 3339, UTC; a duration counts on from now. Throws {@link InvalidArgumentError}. */
export const parseFutureTime = (text: string): string => parseTime(text, 1);

const NEVER = 'never';

/** As {@link parseFutureTime}; `never` stays, because commander takes null for an option without a value. */
export const parseExpiry = (text: string): string => (text === NEVER ? NEVER : parseFutureTime(text));

/** What the API takes for a value of {@link parseExpiry}. */
export const toExpiry = (expiry: string | undefined): string | null | undefined => (expiry === NEVER ? null : expiry);
