/** A browser at the console: keeps the cookie that it is given, and sends Origin as browsers do. */
import { randomInt } from 'node:crypto';
import { type Keyturn, type Reply, readReply } from './keyturn-server.ts';

const _COOKIE = '__Host-keyturn';
/** Behind a proxy, so that each browser has an address of its own: failed sign-ins are counted by it. */
export const BEHIND_PROXY = { KEYTURN_TRUSTED_PROXIES: '127.0.0.1/32' } as const;

export interface Browser {
  /** Where it is seen from. */
  readonly ip: string;
  /** As it would be sent; null: signed out. */
  cookie(): string | null;
  request(method: string, path: string, json?: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  /** Opens a set-up or invitation link. */
  setUp(url: string, fields: Readonly<Record<string, unknown>>): Promise<Reply>;
  signIn(email: string, password: string): Promise<Reply>;
}

export function openBrowser({ url }: Pick<Keyturn, 'url'>): Browser {
  const ip = `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
  let cookie: string | null = null;

  const request: Browser['request'] = async (method, path, json, headers = {}) => {
    const sent = { 'x-forwarded-for': ip, origin: url, 'sec-fetch-site': 'same-origin', ...headers };
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(cookie === null ? {} : { cookie }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== '')),
      },
      body: json === undefined ? null : JSON.stringify(json),
    });
    const [pair] = (response.headers.get('set-cookie') ?? '').split(';');
    if (pair) cookie = pair.endsWith('=') ? null : pair;
    return readReply(response);
  };

  return {
    ip,
    cookie: () => cookie,
    request,
    setUp: (link, fields) => request('POST', '/v1/setup', { token: link.split('#')[1], ...fields }),
    signIn: (email, password) => request('POST', '/v1/session', { email, password }),
  };
}
