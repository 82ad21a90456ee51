/** What the commands that talk to a running service need to know. */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseGeneratedSecret } from '@keyturn/lib/protocol';
import { CommandFailure } from './command-failure.ts';
import { EXIT_CODES } from './exit-codes.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';

const usage = (message: string) => new CommandFailure(EXIT_CODES.usage, 'usage', message);

/** @param file a path, or `-` for stdin */
async function readSecret(file: string): Promise<string> {
  try {
    return (file === '-' ? await text(process.stdin) : readFileSync(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw usage(`can't read ${file} (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Base URL of the service: KEYTURN_URL, else KEYTURN_ISSUER, else http://127.0.0.1:8080. */
export function serviceUrl(): string {
  const name = process.env['KEYTURN_URL'] ? 'KEYTURN_URL' : 'KEYTURN_ISSUER';
  const url = process.env[name] || DEFAULT_URL;
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const isHttp = parsed?.protocol === 'http:' || parsed?.protocol === 'https:';
  // fetch would refuse credentials with a message that quotes them.
  if (!isHttp || parsed?.username || parsed?.password || parsed?.search || parsed?.hash)
    throw usage(`${name} must be an http or https URL without credentials, query or fragment`);
  return url.replace(/\/+$/, '');
}

async function givenApiKey(file: string | undefined): Promise<string | undefined> {
  if (file !== undefined) return readSecret(file);
  const { KEYTURN_API_KEY: apiKey, KEYTURN_API_KEY_FILE: apiKeyFile } = process.env;
  if (apiKey && apiKeyFile) throw usage('KEYTURN_API_KEY and KEYTURN_API_KEY_FILE are both set; keep one of them');
  return apiKeyFile ? readSecret(apiKeyFile) : apiKey;
}

/** @param file of `--api-key-file`; without it KEYTURN_API_KEY or the file that KEYTURN_API_KEY_FILE names */
export async function clientApiKey(file: string | undefined): Promise<string> {
  const apiKey = (await givenApiKey(file))?.trim();
  if (!apiKey) throw usage('an API key is needed: set KEYTURN_API_KEY or KEYTURN_API_KEY_FILE, or pass --api-key-file');
  // Not sent: other characters make fetch fail with a message that quotes the header.
  if (parseGeneratedSecret(apiKey) !== null) return apiKey;
  throw new CommandFailure(
    EXIT_CODES.notAuthenticated,
    'api_key_malformed',
    'this is no API key: it must be ktk_… whole, as it was shown once; a character is wrong or missing',
  );
}

/**
 * A client secret that somebody has chosen; undefined: Keyturn is to generate one.
 *
 * @throws {CommandFailure} when it and the API key would both come from stdin
 */
export async function readChosenSecret(options: {
  readonly apiKeyFile?: string;
  readonly chosenSecretFile?: string;
}): Promise<string | undefined> {
  const { apiKeyFile, chosenSecretFile } = options;
  if (apiKeyFile === '-' && chosenSecretFile === '-') throw usage('only one of the two secrets can come from stdin');
  return chosenSecretFile === undefined ? undefined : readSecret(chosenSecretFile);
}
