/** Every setting of the service: the one schema that reads them and that `docs/reference/settings.md` is made from. */
import { type CidrBlock, parseCidr } from '@keyturn/lib/protocol';
import { z } from 'zod';
import { parseRedisUrl } from '../db/redis/parse-redis-url.ts';
import { parseDatabaseUrl } from '../db/sql/parse-database-url.ts';
import { parseMasterKeys } from './crypto/master-key.ts';
import { SIGNING_ALGORITHMS } from './signing-keys/signing-key.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));

const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

/** The text that URL parsers give back unchanged, because `iss` is compared byte by byte. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text) || text.endsWith('/')) return false;
  const { href, protocol, username, password, search, hash } = new URL(text);
  const isBare = [username, password, search, hash].every((part) => part === '');
  return isBare && ['http:', 'https:'].includes(protocol) && [text, `${text}/`].includes(href);
}

/** Text that `parse` takes as it is; what it throws, which shows nothing secret, becomes the fault. */
const parsableBy = (parse: (text: string) => unknown) =>
  z.string().superRefine((text, context) => {
    try {
      parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  });

/** A database in memory would forget every key when the service ends. */
function parseStoredDatabaseUrl(text: string): void {
  const address = parseDatabaseUrl(text);
  if (address.kind === 'sqlite' && address.file === ':memory:') throw new Error('must name a file after sqlite:');
}

function parseTrustedProxies(text: string, context: z.RefinementCtx): readonly CidrBlock[] {
  const blocks: CidrBlock[] = [];
  for (const entry of text.split(',').map((part) => part.trim())) {
    try {
      const block = parseCidr(entry);
      if (block.prefix === 0) throw new Error('would trust everybody');
      blocks.push(block);
    } catch {
      // `true` and hop counts let any client that connects directly forge its address (express#2099).
      context.addIssue({
        code: 'custom',
        message: `must be addresses or CIDRs such as 10.0.0.0/8,fd00::/8; "${entry.slice(0, 60)}" is none`,
      });
    }
  }
  return blocks;
}

export interface Setting<S extends z.ZodType = z.ZodType> {
  /** Reads the text of the variable. */
  readonly schema: S;
  /** Taken when the variable is not set; absent: nothing is. */
  readonly fallback?: string;
  /** What the table says of the default when the fallback alone would not. */
  readonly defaultMeaning?: string;
  readonly meaning: string;
  /** True: the value is never shown in a report. */
  readonly secret?: true;
}

const setting = <S extends z.ZodType>(definition: Setting<S>): Setting<S> => definition;

export const SETTINGS = {
  PORT: setting({ schema: integer(1, 65535), fallback: '8080', meaning: 'Port of the service.' }),
  HOST: setting({
    schema: z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'must be a host name or an address to listen on'),
    fallback: '127.0.0.1',
    defaultMeaning: '`127.0.0.1` (`0.0.0.0` in the container)',
    meaning: 'Address the service listens on.',
  }),
  DATABASE_URL: setting({
    schema: parsableBy(parseStoredDatabaseUrl),
    fallback: 'sqlite:./data/keyturn.db',
    meaning: 'Where keys live: an embedded file, or `mysql://user:password@host:3306/database` (MySQL, MariaDB).',
    secret: true,
  }),
  REDIS_URL: setting({
    schema: parsableBy(parseRedisUrl),
    defaultMeaning: 'unset: sessions live in the database',
    meaning: 'Where sessions live: `redis://`, `rediss://`, `redis+sentinel://h1,h2/name`, `redis+cluster://h1,h2`.',
    secret: true,
  }),
  KEYTURN_ISSUER: setting({
    schema: z.string().refine(isIssuer, {
      error: 'must be an http or https URL without a query, a fragment, credentials or a slash at its end',
    }),
    defaultMeaning: '`http://127.0.0.1:$PORT`',
    meaning: 'Public URL, `iss` of every token. `https` is demanded when `NODE_ENV=production`.',
  }),
  KEYTURN_MASTER_KEY: setting({
    schema: parsableBy(parseMasterKeys),
    defaultMeaning: 'made once at `./data/master.key`; demanded in production unless storage is embedded',
    meaning:
      '32 bytes in base64 (`openssl rand -base64 32`). Encrypts signing keys at rest, derives the MAC of refresh tokens. ' +
      'A comma-separated list rotates: the first encrypts, all decrypt.',
    secret: true,
  }),
  KEYTURN_TRUSTED_PROXIES: setting({
    schema: z.string().transform(parseTrustedProxies),
    defaultMeaning: 'none',
    meaning: 'CIDRs of reverse proxies whose `X-Forwarded-For` is believed. `true` and hop counts are refused.',
  }),
  KEYTURN_ACCESS_TOKEN_SECONDS: setting({
    schema: integer(60, 86400),
    fallback: '7200',
    meaning: 'Lifetime of an access token; 60 to 86400.',
  }),
  KEYTURN_REFRESH_GRACE_SECONDS: setting({
    schema: integer(0, 86400),
    fallback: '3600',
    meaning: 'Lifetime of a refresh token beyond its access token’s; 0 to 86400.',
  }),
  KEYTURN_SESSION_MAX_SECONDS: setting({
    schema: integer(0, 999_999_999),
    fallback: '0',
    meaning: 'Absolute end of a session, whatever the refreshes; 0: no bound.',
  }),
  KEYTURN_REFRESH_RETRY_SECONDS: setting({
    schema: integer(0, 30),
    fallback: '0',
    meaning:
      'How long a client whose answer was lost may present the same refresh token again, from the same address, and get ' +
      'the same successor; 0 to 30; 0: strictly single use.',
  }),
  KEYTURN_SIGNING_ALG: setting({
    schema: oneOf(SIGNING_ALGORITHMS),
    fallback: 'ES256',
    meaning: `JWS algorithm of new signing keys: ${SIGNING_ALGORITHMS.join(', ')}.`,
  }),
  KEYTURN_SIGNING_ROTATION_DAYS: setting({
    schema: integer(0, 3650),
    fallback: '30',
    meaning: 'Age at which the signing key is replaced; 0: only by `keyturn signing-keys rotate`.',
  }),
  KEYTURN_OPS_PORT: setting({
    schema: integer(1, 65535),
    defaultMeaning: 'unset: same port',
    meaning: 'Serves `/livez`, `/readyz` and `/metrics` on this port alone.',
  }),
  KEYTURN_LOG_LEVEL: setting({
    schema: oneOf(LOG_LEVELS),
    fallback: 'info',
    meaning: `Least level that is logged: ${LOG_LEVELS.join(', ')}. JSON lines on stdout, made readable on a terminal.`,
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type SettingValues = {
  [Name in SettingName]: z.output<(typeof SETTINGS)[Name]['schema']> | null;
};
