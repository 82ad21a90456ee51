/** A Passport strategy for Keyturn's access tokens (RFC 6750 §2.1), on passport-http-bearer. */
export type { BearerStrategyOptions } from './create-bearer-strategy.ts';
export { createBearerStrategy } from './create-bearer-strategy.ts';
