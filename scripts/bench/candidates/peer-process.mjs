/* What the peers have in common as programs: the work that is asked of each, and how they speak to the harness. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The permissions that the floor and Keyturn answer with, so that every answer is about as long. */
export const SCOPES = ['read:credential/prod-db', 'read:credential/prod-cache', 'create:backup'];
export const ACCESS_TOKEN_SECONDS = 7_200;
export const REFRESH_TOKEN_SECONDS = 10_800;
/** A name only: nobody resolves it. */
export const ISSUER = 'https://peer.example';
export const AUDIENCE = 'https://api.example';
export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
export const CONNECTIONS = Number(process.env.CONNECTIONS ?? 1);

/** A machine client with a secret as random as Keyturn's generated ones: 256 bits. Its name is new in every process. */
export function createClientCredentials() {
  return {
    clientId: `ci-runner_${randomBytes(12).toString('hex')}`,
    clientSecret: randomBytes(32).toString('base64url'),
  };
}

/** The two requests of RFC 6749 with the secret in the body, which every library here takes. */
export function describeRequests({ path, clientId, clientSecret, scope, refreshTokens }) {
  const client = `client_id=${clientId}&client_secret=${clientSecret}`;
  const withScope = scope === undefined ? '' : `&scope=${encodeURIComponent(scope)}`;
  return {
    exchange: { path, headers: FORM, body: `grant_type=client_credentials&${client}${withScope}` },
    refresh: {
      path,
      headers: FORM,
      bodyBefore: `grant_type=refresh_token&${client}&refresh_token=`,
      tokens: refreshTokens,
    },
  };
}

/** The replies of a pipeline or transaction of ioredis, which itself does not fail when one of its commands does. */
export async function executeAll(pipeline) {
  return (await pipeline.exec()).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}

/** Name and installed version of a package; its own `exports` may hide package.json from `import`. */
export function versionOf(name) {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return `${name} ${JSON.parse(readFileSync(file, 'utf8')).version}`;
}

/**
 * Listens on a free port and tells the harness, by the one line on stdout that it waits for.
 *
 * @param ready `version`, `exchange`, `refresh`, and `publicJwk`, with which anybody can prove that the tokens are real
 */
export async function serve(server, ready) {
  await new Promise((resolve, reject) => server.listen(0, '127.0.0.1', resolve).once('error', reject));
  process.stdout.write(`${JSON.stringify({ port: server.address().port, ...ready })}\n`);
  process.stdin.on('end', () => process.exit(0)).resume();
  process.on('SIGTERM', () => process.exit(0));
}
