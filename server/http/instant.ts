import { z } from 'zod';

/** An RFC 3339 time in a request; parsed to milliseconds since the epoch. */
export const instant = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time such as 2027-01-31T18:00:00Z' })
  .transform((text) => Date.parse(text));

/** In an answer. */
export const toTime = (atMs: number): string => new Date(atMs).toISOString();
