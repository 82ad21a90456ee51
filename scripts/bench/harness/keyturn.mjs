/* Keyturn as a contender: the built program, set up as docs/how-to/run-in-production.md says, its log at its default level. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePorts } from '../../services.mjs';
import { startProgram } from './program.mjs';

const keyturn = fileURLToPath(new URL('../../../cli/keyturn.mjs', import.meta.url));
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
/** The floor answers for a token of these. */
export const PERMISSIONS = ['read:credential/prod-db', 'read:credential/prod-cache', 'create:backup'];

async function postForm(port, parameters) {
  const response = await fetch(`http://127.0.0.1:${port}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}: ${answer.error_description}`);
  return answer;
}

/**
 * A bootstrapped Keyturn, serving.
 *
 * @param {{ databaseUrl: string, redisUrl?: string, args?: string[], env?: Record<string, string>, cwd?: string }} options
 */
export async function startKeyturn({ databaseUrl, redisUrl, args = [], env = {}, cwd }) {
  const [port] = await freePorts(1);
  const settings = {
    NODE_ENV: 'production',
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
    KEYTURN_ISSUER: 'https://keyturn.example',
    KEYTURN_MASTER_KEY: randomBytes(32).toString('base64'),
    ...env,
  };
  const { stdout } = await promisify(execFile)(process.execPath, [keyturn, 'bootstrap', '--json'], {
    env: { ...process.env, NODE_OPTIONS: '', ...settings },
    cwd,
  });
  const administrator = JSON.parse(stdout);
  const serve = () => startProgram({ args: [keyturn, 'serve', '--json', ...args], env: settings, cwd });
  return createHandle({ administrator, port, serve, program: await serve() });
}

function createHandle({ administrator, port, serve, program: first }) {
  let program = first;
  let accessToken = null;

  async function authorization() {
    accessToken ??= (
      await postForm(port, { grant_type: 'client_credentials', client_secret: administrator.client_secret })
    ).access_token;
    return `Bearer ${accessToken}`;
  }

  async function manage(method, resource, body) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/projects/default/${resource}`, {
      method,
      headers: { authorization: await authorization(), 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${resource}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  return {
    port,
    administrator,
    get pid() {
      return program.pid;
    },
    cpuUs: () => program.cpuUs(),
    memory: () => program.memory(),
    /** The key that signs now. */
    async publicJwk() {
      const response = await fetch(`http://127.0.0.1:${port}/.well-known/jwks.json`);
      return (await response.json()).keys[0];
    },
    /** The header of the administrator. */
    authorization,
    /** Its request for something of the project, such as `POST`, `roles`. */
    manage,
    /** A new API key, `client_secret` included. */
    createKey: (fields) => manage('POST', 'keys', { permissions: PERMISSIONS, ...fields }),
    /** What the load sends to exchange the key. */
    exchange: ({ client_secret }) => ({
      path: '/oauth/token',
      headers: FORM,
      body: `grant_type=client_credentials&client_secret=${client_secret}`,
    }),
    /** What it sends to refresh: a session for each of `connections`. */
    async refresh({ client_secret }, connections) {
      const answers = await Promise.all(
        Array.from({ length: connections }, () => postForm(port, { grant_type: 'client_credentials', client_secret })),
      );
      return {
        path: '/oauth/token',
        headers: FORM,
        bodyBefore: 'grant_type=refresh_token&refresh_token=',
        tokens: answers.map(({ refresh_token }) => refresh_token),
      };
    },
    stop: () => program.stop(),
    async restart() {
      await program.stop();
      program = await serve();
    },
  };
}
