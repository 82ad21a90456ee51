/** The real service in this process, on a real store, spoken to over HTTP. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll } from '@jest/globals';
import { type Bootstrapped, bootstrap } from '../../server/access-control/bootstrap.ts';
import { type Clock, systemClock } from '../../server/clock.ts';
import { composeService, type Service } from '../../server/compose.ts';
import { parseConfig } from '../../server/config.ts';
import { createLogger } from '../../server/logging.ts';
import type { KeyturnStorage, KeyturnStorageKind } from './keyturn-storage.ts';

/** An answer read to its end. `body` is the JSON in it, null for anything else. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what tests are about is whether the members are there
  readonly body: any;
}

export interface CreatedKey {
  readonly id: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export type Form = Readonly<Record<string, string>> | string;

export interface Keyturn {
  readonly url: string;
  readonly service: Service;
  /** The key that bootstrap gave the store; the same for every instance on it. */
  readonly administrator: Bootstrapped;
  /** The settings of its store, the master key among them. */
  readonly storageEnvironment: KeyturnStorage['environment'];
  /** All that was logged, a JSON text each. */
  readonly logLines: readonly string[];
  /** `POST /oauth/token` with a form. */
  token(form: Form, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  /** client_credentials by X-API-Key, with the key given or the administrator's. */
  exchange(apiKey?: string, form?: Readonly<Record<string, string>>): Promise<Reply>;
  refresh(refreshToken: string, form?: Readonly<Record<string, string>>): Promise<Reply>;
  /** A request with an access token, the administrator's unless one is given; `json` becomes the body. */
  api(method: string, path: string, json?: unknown, accessToken?: string): Promise<Reply>;
  /** `POST /v1/projects/default/keys` by the administrator; a `name` of its own unless one is given. */
  createKey(fields?: Readonly<Record<string, unknown>>): Promise<CreatedKey>;
  close(): Promise<void>;
}

export interface KeyturnOptions {
  /** Settings beyond those of the store. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** Default debug. */
  readonly logLevel?: string;
}

/** Bootstrap happens once for a store; instances that start later on it find its key here. */
const administrators = new WeakMap<KeyturnStorage, Bootstrapped>();

export async function readReply(response: Response): Promise<Reply> {
  const text = await response.text();
  const isJson = text !== '' && /[/+]json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null };
}

/** A port bound at once, so that the issuer can be known before the service is made and no other suite takes it. */
async function bindPort(): Promise<{ readonly handle: Server; readonly port: number }> {
  const handle = createServer().listen(0, '127.0.0.1');
  await once(handle, 'listening');
  return { handle, port: (handle.address() as AddressInfo).port };
}

async function administratorOf(storage: KeyturnStorage, { storage: stores }: Service, issuer: string, clock: Clock) {
  const known = administrators.get(storage);
  if (known !== undefined) return known;
  const made = await bootstrap({ ...stores, clock }, { issuer, email: null });
  if (made === null) throw new Error('the store was not empty');
  administrators.set(storage, made);
  return made;
}

export async function startKeyturn(storage: KeyturnStorage, options: KeyturnOptions = {}): Promise<Keyturn> {
  const { environment = {}, clock = systemClock, logLevel = 'debug' } = options;
  const { handle, port } = await bindPort();
  const issuer = `http://127.0.0.1:${port}`;
  const logLines: string[] = [];
  const logger = createLogger(logLevel, { write: (line) => void logLines.push(line) });
  const config = parseConfig({ PORT: String(port), KEYTURN_ISSUER: issuer, ...storage.environment, ...environment });
  const service = await composeService(config, { logger, clock });
  service.server.listen(handle);
  const administrator = await administratorOf(storage, service, issuer, clock);
  const client = createClient(issuer, administrator);
  return {
    url: issuer,
    service,
    administrator,
    storageEnvironment: storage.environment,
    logLines,
    ...client,
    async close() {
      const isClosed = once(service.server, 'close');
      service.server.close();
      service.server.closeAllConnections();
      await isClosed;
      await service.close();
    },
  };
}

/** For a suite: one service on a store of its own, there before the first test and gone after the last. */
export function keyturnFor(kind: KeyturnStorageKind, options: KeyturnOptions = {}): () => Keyturn {
  let storage: KeyturnStorage | undefined;
  let keyturn: Keyturn | undefined;
  beforeAll(async () => {
    storage = await kind.open();
    keyturn = await startKeyturn(storage, options);
  });
  afterAll(async () => {
    await keyturn?.close();
    await storage?.close();
  });
  return () => {
    if (keyturn === undefined) throw new Error('the service runs while tests do');
    return keyturn;
  };
}

export type Client = Pick<Keyturn, 'token' | 'exchange' | 'refresh' | 'api' | 'createKey'>;

/** Speaks to a service, wherever it runs. */
export function createClient(url: string, administrator: Pick<Bootstrapped, 'clientSecret'>): Client {
  let administratorToken: string | null = null;

  const token: Client['token'] = async (form, headers = {}) => {
    const body = typeof form === 'string' ? form : new URLSearchParams(form).toString();
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return readReply(await fetch(`${url}/oauth/token`, { method: 'POST', headers: { ...type, ...headers }, body }));
  };

  const exchange: Client['exchange'] = (apiKey = administrator.clientSecret, form = {}) =>
    token({ grant_type: 'client_credentials', ...form }, { 'x-api-key': apiKey });

  async function asAdministrator(): Promise<string> {
    if (administratorToken !== null) return administratorToken;
    const { status, text, body } = await exchange();
    if (status !== 200) throw new Error(`the administrator's exchange was answered ${status} ${text}`);
    administratorToken = body.access_token as string;
    return administratorToken;
  }

  const api: Client['api'] = async (method, path, json, accessToken) => {
    const headers: Record<string, string> = { authorization: `Bearer ${accessToken ?? (await asAdministrator())}` };
    if (json !== undefined) headers['content-type'] = 'application/json';
    const body = json === undefined ? null : JSON.stringify(json);
    return readReply(await fetch(url + path, { method, headers, body }));
  };

  return {
    token,
    exchange,
    refresh: (refreshToken, form = {}) => token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...form }),
    api,
    async createKey(fields = {}) {
      const name = `key-${randomUUID()}`;
      const { status, text, body } = await api('POST', '/v1/projects/default/keys', { name, ...fields });
      if (status !== 201) throw new Error(`creating a key was answered ${status} ${text}`);
      return { id: body.id, clientId: body.client_id, clientSecret: body.client_secret };
    },
  };
}

/** The claims of a token, unverified. */
// biome-ignore lint/suspicious/noExplicitAny: what tests are about is whether the members are there
export function claimsOf(accessToken: string): any {
  return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString());
}
