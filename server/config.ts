/** Environment to a frozen {@link Config}; every fault in one report. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { CidrBlock } from '@keyturn/lib/protocol';
import { redactSecrets } from './redact.ts';
import { SETTINGS, type SettingName, type SettingValues } from './settings.ts';
import type { SigningAlgorithm } from './signing-keys/signing-key.ts';

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly databaseUrl: string;
  /** True: the database is an embedded file. */
  readonly isEmbedded: boolean;
  /** `NODE_ENV=production`. */
  readonly isProduction: boolean;
  readonly redisUrl: string | null;
  readonly issuer: string;
  /** As given; null: read from, or made at, {@link masterKeyPath}. */
  readonly masterKey: string | null;
  readonly masterKeyPath: string;
  readonly trustedProxies: readonly CidrBlock[];
  readonly accessTokenSeconds: number;
  readonly refreshGraceSeconds: number;
  /** Null: no bound. */
  readonly sessionMaxSeconds: number | null;
  readonly refreshRetrySeconds: number;
  readonly signingAlgorithm: SigningAlgorithm;
  readonly signingRotationDays: number;
  /** Null: `/livez`, `/readyz` and `/metrics` are on {@link port}. */
  readonly opsPort: number | null;
  readonly logLevel: string;
  /** Variables that start with KEYTURN_ and mean nothing here; most likely misspelt. */
  readonly unknownSettings: readonly string[];
}

export interface ConfigFault {
  readonly name: string;
  readonly message: string;
  /** What was found; null where it is absent or a secret. */
  readonly found: string | null;
}

/** Names every wrong variable, what was wrong with it and how to mend it; secrets are not in it. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(
      ({ name, message, found }) => `  ${name} ${message}${found === null ? '' : ` (is "${found}")`}`,
    );
    super(`${faults.length === 1 ? 'A setting is' : `${faults.length} settings are`} wrong:\n${lines.join('\n')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings of the client commands, which are read in `cli/`. */
const CLIENT_SETTINGS = new Set(['KEYTURN_API_KEY', 'KEYTURN_URL', 'KEYTURN_TOKEN']);

const names = Object.keys(SETTINGS) as SettingName[];

function textOf(name: SettingName, environment: Environment): string | undefined {
  const text = environment[name];
  const file = environment[`${name}_FILE`];
  if (!file) return text || undefined;
  if (text) throw new Error(`is set, and so is ${name}_FILE; keep one of them`);
  let content: string;
  try {
    content = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(`can't be read from the file that ${name}_FILE names (${(error as NodeJS.ErrnoException).code})`);
  }
  // Taken for "not set" it would quietly become the default: another database, another master key.
  if (content === '') throw new Error(`is empty in the file that ${name}_FILE names`);
  return content;
}

function readSettings(environment: Environment, faults: ConfigFault[]): Partial<SettingValues> {
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const { schema, fallback, secret } = SETTINGS[name] as (typeof SETTINGS)[SettingName] & {
      fallback?: string;
      secret?: true;
    };
    try {
      const text = textOf(name, environment) ?? fallback;
      const parsed = text === undefined ? undefined : schema.safeParse(text);
      values[name] = parsed?.data ?? null;
      if (parsed === undefined || parsed.success) continue;
      const message = [...new Set(parsed.error.issues.map((issue) => issue.message))].join('; ');
      faults.push({ name, message, found: secret ? null : redactSecrets(text ?? '').slice(0, 100) });
    } catch (error) {
      faults.push({ name, message: (error as Error).message, found: null });
    }
  }
  return values as Partial<SettingValues>;
}

const isKnown = (name: string): boolean =>
  CLIENT_SETTINGS.has(name.replace(/_FILE$/, '')) || name.replace(/_FILE$/, '') in SETTINGS;

/**
 * Reads the settings, each from `NAME` or the file named by `NAME_FILE`.
 *
 * @throws {ConfigError} naming every wrong variable at once.
 */
export function parseConfig(environment: Environment): Config {
  const faults: ConfigFault[] = [];
  const values = readSettings(environment, faults) as SettingValues;
  const isProduction = environment['NODE_ENV'] === 'production';
  const databaseUrl = values.DATABASE_URL ?? '';
  const isEmbedded = databaseUrl.startsWith('sqlite:');
  const issuer = values.KEYTURN_ISSUER ?? `http://127.0.0.1:${values.PORT}`;

  if (isProduction && !issuer.startsWith('https:') && !faults.some(({ name }) => name === 'KEYTURN_ISSUER'))
    faults.push({
      name: 'KEYTURN_ISSUER',
      message: 'must be the https URL that clients reach when NODE_ENV=production',
      found: issuer,
    });
  if (
    isProduction &&
    !isEmbedded &&
    values.KEYTURN_MASTER_KEY === null &&
    !faults.some(({ name }) => name === 'KEYTURN_MASTER_KEY')
  )
    faults.push({
      name: 'KEYTURN_MASTER_KEY',
      message:
        'is demanded when NODE_ENV=production and the database is not embedded; make one with: openssl rand -base64 32',
      found: null,
    });
  if (values.KEYTURN_OPS_PORT !== null && values.KEYTURN_OPS_PORT === values.PORT)
    faults.push({ name: 'KEYTURN_OPS_PORT', message: 'must differ from PORT', found: String(values.KEYTURN_OPS_PORT) });
  if (faults.length > 0) throw new ConfigError(faults);

  return Object.freeze({
    port: values.PORT as number,
    host: values.HOST as string,
    databaseUrl,
    isEmbedded,
    isProduction,
    redisUrl: values.REDIS_URL,
    issuer,
    masterKey: values.KEYTURN_MASTER_KEY,
    masterKeyPath: path.resolve(
      isEmbedded ? path.dirname(databaseUrl.slice('sqlite:'.length)) : './data',
      'master.key',
    ),
    trustedProxies: values.KEYTURN_TRUSTED_PROXIES ?? [],
    accessTokenSeconds: values.KEYTURN_ACCESS_TOKEN_SECONDS as number,
    refreshGraceSeconds: values.KEYTURN_REFRESH_GRACE_SECONDS as number,
    sessionMaxSeconds: values.KEYTURN_SESSION_MAX_SECONDS || null,
    refreshRetrySeconds: values.KEYTURN_REFRESH_RETRY_SECONDS as number,
    signingAlgorithm: values.KEYTURN_SIGNING_ALG as SigningAlgorithm,
    signingRotationDays: values.KEYTURN_SIGNING_ROTATION_DAYS as number,
    opsPort: values.KEYTURN_OPS_PORT,
    logLevel: values.KEYTURN_LOG_LEVEL as string,
    unknownSettings: Object.keys(environment).filter((name) => name.startsWith('KEYTURN_') && !isKnown(name)),
  });
}
