/** The management API over HTTP, for the commands that need no database access. */
import { CommandFailure } from './command-failure.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { printable } from './output.ts';

const ANSWER_MS = 15_000;

interface Answer {
  readonly status: number;
  /** Null for 204. */
  readonly body: unknown;
  readonly etag: string | null;
  readonly requestId: string | null;
}

/** What else a refusal may say, beside its words: passed on with --json. */
const FURTHER_MEMBERS = [
  'required_permission',
  'errors',
  'permissions',
  'key_count',
  'member_count',
  'length',
  'key_id',
];

interface ErrorBody {
  /** RFC 9457, with our members. */
  readonly code?: string;
  readonly detail?: string;
  readonly request_id?: string;
  /** RFC 6749 §5.2. */
  readonly error?: string;
  readonly error_description?: string;
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401) return EXIT_CODES.notAuthenticated;
  if (status === 403) return EXIT_CODES.denied;
  // What a proxy says whose service is down, and what Keyturn says whose store is down.
  return status >= 502 && status <= 504 ? EXIT_CODES.unreachable : EXIT_CODES.failed;
}

function refusal({ status, body, requestId }: Answer): CommandFailure {
  const refused = (body ?? {}) as ErrorBody & Record<string, unknown>;
  const id = refused.request_id ?? requestId;
  const name = refused.code ?? refused.error ?? `http_${status}`;
  const words = refused.detail ?? refused.error_description ?? 'the service refused';
  const message = printable(`${words} (${name}${id ? `, request ${id}` : ''})`);
  const further = Object.fromEntries(FURTHER_MEMBERS.map((member) => [member, refused[member]]));
  return new CommandFailure(exitCodeOf(status), name, message, { status, request_id: id ?? undefined, ...further });
}

function unreachable(url: string, error: unknown): CommandFailure {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  const reason =
    name === 'TimeoutError' ? `no answer in ${ANSWER_MS / 1000} seconds` : (cause?.code ?? 'no connection');
  const message = `${url} can't be reached (${reason}): check KEYTURN_URL, and that the service runs`;
  return new CommandFailure(EXIT_CODES.unreachable, 'service_unreachable', message);
}

async function readAnswer(url: string, init: RequestInit): Promise<Answer> {
  let text: string;
  let response: Response;
  try {
    // A redirect is not followed: it could carry the API key to another host.
    response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
    text = await response.text();
  } catch (error) {
    throw unreachable(url, error);
  }
  const { status } = response;
  const answer = { status, etag: response.headers.get('etag'), requestId: response.headers.get('x-request-id') };
  if (status === 204) return { ...answer, body: null };
  try {
    return { ...answer, body: JSON.parse(text) };
  } catch {
    const message = `${url} answered ${status} without JSON: is KEYTURN_URL the address of Keyturn itself?`;
    throw new CommandFailure(exitCodeOf(status), 'not_keyturn', message, { status });
  }
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export interface ApiClient {
  /**
   * @param path from `/v1` on
   * @param body sent as JSON
   * @param etag sent as `If-Match`: a change is meant for what was read with it, and for nothing newer
   * @throws {CommandFailure} for every answer but a success, and for none
   */
  request<T>(method: Method, path: string, body?: unknown, etag?: string | null): Promise<T>;
  /** As `GET` of {@link request}, with the ETag of what is answered. */
  read<T>(path: string): Promise<{ readonly object: T; readonly etag: string | null }>;
}

async function succeed(url: string, init: RequestInit): Promise<Answer> {
  const answer = await readAnswer(url, init);
  if (answer.status >= 300) throw refusal(answer);
  return answer;
}

/** What the service calls itself, whatever name or tunnel leads to it here. */
async function readIssuer(baseUrl: string): Promise<string> {
  const { body } = await succeed(`${baseUrl}/.well-known/oauth-authorization-server`, {});
  const { issuer } = (body ?? {}) as { issuer?: unknown };
  if (typeof issuer === 'string') return issuer;
  const message = `${baseUrl} does not say its issuer: is KEYTURN_URL the address of Keyturn itself?`;
  throw new CommandFailure(EXIT_CODES.failed, 'not_keyturn', message);
}

async function exchange(baseUrl: string, apiKey: string): Promise<string> {
  // Without it, the token of a project that has audiences of its own would be for those alone (RFC 8707 §2).
  const resource = await readIssuer(baseUrl);
  const { body } = await succeed(`${baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { 'X-API-Key': apiKey },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  return (body as { access_token: string }).access_token;
}

/** Exchanges the API key once, at the first request. */
export function createApiClient(baseUrl: string, apiKey: string): ApiClient {
  let exchanged: Promise<string> | null = null;
  async function send(method: Method, path: string, body?: unknown, etag?: string | null): Promise<Answer> {
    exchanged ??= exchange(baseUrl, apiKey);
    const headers = new Headers({ Authorization: `Bearer ${await exchanged}` });
    if (etag) headers.set('If-Match', etag);
    if (body === undefined) return succeed(baseUrl + path, { method, headers });
    headers.set('Content-Type', 'application/json');
    return succeed(baseUrl + path, { method, headers, body: JSON.stringify(body) });
  }
  return {
    async request<T>(method: Method, path: string, body?: unknown, etag?: string | null) {
      return (await send(method, path, body, etag)).body as T;
    },
    async read<T>(path: string) {
      const { body, etag } = await send('GET', path);
      return { object: body as T, etag };
    },
  };
}
