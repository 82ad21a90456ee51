/** What `keyturn serve` says on a new store: the first API key, and three lines that show what it is good for. */
import { chmodSync, writeFileSync } from 'node:fs';
import type { Bootstrapped } from '../../server/access-control/bootstrap.ts';

/** One word of any POSIX shell, whatever `text` holds. */
export function shellQuote(text: string): string {
  if (/^[\w./:@%+,-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Exchange, call, refresh: each on one line, for any POSIX shell with curl and sed, none needing what another shell
 * knows. Keys and tokens go by pipes and the shell's own printf, so no list of processes shows them.
 *
 * @param tokensFile absolute path, where the first line leaves its answer for the other two
 */
export function quickstartLines(issuer: string, clientSecret: string, tokensFile: string): readonly string[] {
  const url = (urlPath: string) => shellQuote(issuer + urlPath);
  // Quoted in any case: a path that needs it and one that doesn't look alike.
  const file = `'${tokensFile.replaceAll("'", "'\\''")}'`;
  const bearer = String.raw`sed -n 's/.*"access_token":"\([^"]*\)".*/Authorization: Bearer \1/p' ${file}`;
  const form = String.raw`sed -n 's/.*"refresh_token":"\([^"]*\)".*/grant_type=refresh_token\&refresh_token=\1/p' ${file}`;
  const exchange = `curl -sS -H @- -d grant_type=client_credentials ${url('/oauth/token')}`;
  return [
    `printf 'X-API-Key: %s' '${clientSecret}' | ${exchange} | tee ${file}; echo`,
    `${bearer} | curl -sS -H @- ${url('/v1/me')}; echo`,
    `${form} | curl -sS -d @- ${url('/oauth/token')}; echo`,
  ];
}

/** Empty, for its owner alone: `tee` would give it the mode of the shell's umask. */
export function makeTokensFile(file: string): void {
  writeFileSync(file, '', { mode: 0o600 });
  chmodSync(file, 0o600);
}

export function quickstartText(
  issuer: string,
  { clientSecret, setupUrl }: Bootstrapped,
  lines: readonly string[],
): string {
  const [exchange, call, refresh] = lines;
  return `
Keyturn runs at ${issuer}, on a new store. This is its first API key, which may do everything.
It is shown only once; keep it in a safe place:

  ${clientSecret}

Set-up link for the web console, which a later version brings:

  ${setupUrl}

Paste these three lines, one after the other, into another shell.

1. Exchange the API key for an access token of two hours and a refresh token:

${exchange}

2. Call a protected endpoint with the access token:

${call}

3. Refresh. Paste it twice: the second is refused, because a refresh token works once:

${refresh}
`;
}
