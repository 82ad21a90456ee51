/** The management API over HTTP, for the commands that need no database access. */
import { CommandFailure } from './command-failure.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';

const ANSWER_MS = 15_000;

interface Answer {
  readonly status: number;
  /** Null for 204. */
  readonly body: unknown;
}

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

function refusal({ status, body }: Answer, requestId: string | null): CommandFailure {
  const { code, detail, request_id, error, error_description, ...rest } = (body ?? {}) as ErrorBody &
    Record<string, unknown>;
  const id = request_id ?? requestId;
  const name = code ?? error ?? `http_${status}`;
  const message = `${detail ?? error_description ?? 'the service refused'} (${name}${id ? `, request ${id}` : ''})`;
  const { required_permission, errors, permissions } = rest;
  return new CommandFailure(exitCodeOf(status), name, message, {
    status,
    request_id: id ?? undefined,
    required_permission,
    errors,
    permissions,
  });
}

function unreachable(url: string, error: unknown): CommandFailure {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  const reason =
    name === 'TimeoutError' ? `no answer in ${ANSWER_MS / 1000} seconds` : (cause?.code ?? 'no connection');
  const message = `${url} can't be reached (${reason}): check KEYTURN_URL, and that the service runs`;
  return new CommandFailure(EXIT_CODES.unreachable, 'service_unreachable', message);
}

async function readAnswer(url: string, init: RequestInit): Promise<Answer & { readonly requestId: string | null }> {
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
  const requestId = response.headers.get('x-request-id');
  if (status === 204) return { status, body: null, requestId };
  try {
    return { status, body: JSON.parse(text), requestId };
  } catch {
    const message = `${url} answered ${status} without JSON: is KEYTURN_URL the address of Keyturn itself?`;
    throw new CommandFailure(exitCodeOf(status), 'not_keyturn', message, { status });
  }
}

export interface ApiClient {
  /**
   * @param path from `/v1` on
   * @param body sent as JSON
   * @throws {CommandFailure} for every answer but a success, and for none
   */
  request<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>;
}

/** Exchanges the API key once, at the first request. */
export function createApiClient(baseUrl: string, apiKey: string): ApiClient {
  async function send<T>(path: string, init: RequestInit): Promise<T> {
    const { requestId, ...answer } = await readAnswer(baseUrl + path, init);
    if (answer.status >= 300) throw refusal(answer, requestId);
    return answer.body as T;
  }
  // What the service calls itself, whatever name or tunnel leads to it here.
  async function readIssuer(): Promise<string> {
    const metadata = await send<{ issuer?: unknown } | null>('/.well-known/oauth-authorization-server', {});
    if (typeof metadata?.issuer === 'string') return metadata.issuer;
    const message = `${baseUrl} does not say its issuer: is KEYTURN_URL the address of Keyturn itself?`;
    throw new CommandFailure(EXIT_CODES.failed, 'not_keyturn', message);
  }
  async function exchange(): Promise<{ access_token: string }> {
    // Without it, the token of a project that has audiences of its own would be for those alone (RFC 8707 §2).
    const resource = await readIssuer();
    return send('/oauth/token', {
      method: 'POST',
      headers: { 'X-API-Key': apiKey },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
    });
  }
  let exchanged: ReturnType<typeof exchange> | null = null;
  return {
    async request(method, path, body) {
      exchanged ??= exchange();
      const { access_token: token } = await exchanged;
      const authorization = { Authorization: `Bearer ${token}` };
      if (body === undefined) return send(path, { method, headers: authorization });
      const headers = { ...authorization, 'Content-Type': 'application/json' };
      return send(path, { method, headers, body: JSON.stringify(body) });
    },
  };
}
