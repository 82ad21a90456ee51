import { randomUUID } from 'node:crypto';
import { claimsOf, type Keyturn } from './keyturn-server.ts';
import type { OpenApiContract, Sent } from './openapi-contract.ts';
import type { Json } from './openapi-schemas.ts';

/** What a row of the walk sends, beside method and path, which are its operation's. */
export interface Call {
  /** For the braces of the path. Default: something fresh for each, by the world's {@link World.fresh}. */
  readonly params?: Readonly<Record<string, string>>;
  /** Without the `?`. */
  readonly query?: string;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly raw?: string;
  /** With `authorization` or `cookie` in it: instead of the administrator's access token. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Person {
  readonly email: string;
  readonly password: string;
  /** Of a browser that is signed in: the cookie, and where its page is from. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything a walk over the operations needs to be at hand; what it makes is new each time. */
export interface World {
  readonly keyturn: Keyturn;
  readonly contract: OpenApiContract;
  /** Access token of the administrator's key. */
  readonly administrator: string;
  /** Access token of a key that holds nothing. */
  readonly powerless: string;
  /** What stands for a parameter of a path where a row names nothing. */
  fresh(parameter: string): Promise<string>;
  /** A body of JSON, checked against the document as well. @throws {Error} unless it is answered with success */
  make(method: string, path: string, json?: unknown): Promise<Json>;
  /** A project of its own; `userId` is its only member and administrator. */
  project(): Promise<{ readonly id: string; readonly userId: string }>;
  /** A new user who is signed in to the console. */
  person(): Promise<Person>;
  /** A session of a new API key. */
  session(): Promise<{ readonly key: string; readonly session: string }>;
}

const PASSWORD = 'seven-otters-juggle-lanterns';

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export const unique = (prefix: string): string => `${prefix}-${randomUUID()}`;

/** An id as none was ever given out. */
export const ABSENT_ID = '01jz6q9d3nf0wr1k8vqj2y5m7c';

export async function createWorld(keyturn: Keyturn, contract: OpenApiContract): Promise<World> {
  const administrator: string = (await keyturn.exchange()).body.access_token;
  const powerlessKey = await keyturn.createKey();
  const powerless: string = (await keyturn.exchange(powerlessKey.clientSecret)).body.access_token;

  async function make(method: string, path: string, json?: unknown): Promise<Json> {
    const sent: Sent = { method, path, headers: bearer(administrator), ...(json === undefined ? {} : { json }) };
    const reply = await contract.send(sent);
    if (reply.status >= 300) throw new Error(`${method} ${path} was answered ${reply.status} ${reply.text}`);
    return reply.body;
  }

  const inDefault = (noun: string, json: unknown) => make('POST', `/v1/projects/default/${noun}`, json);
  const makers: Readonly<Record<string, () => Promise<string>>> = {
    project: async () => 'default',
    key: async () => (await inDefault('keys', { name: unique('key') })).id,
    role: async () => (await inDefault('roles', { name: unique('role'), permissions: [] })).id,
    workspace: async () => (await inDefault('workspaces', { name: unique('workspace') })).id,
    user: async () => (await newUser()).id,
    api_access: async () => (await inDefault('keys', { name: unique('key') })).id,
  };
  const newUser = () => make('POST', '/v1/users', { email: `${unique('user')}@example.com`, name: 'A' });

  async function person(): Promise<Person> {
    const { email, invitation_url: link } = await newUser();
    const token = new URL(link).hash.slice(1);
    const headers = { origin: keyturn.url };
    const json = { token, password: PASSWORD };
    const reply = await contract.send({ method: 'POST', path: '/v1/setup', headers, json });
    if (reply.status !== 201) throw new Error(`a person could not be set up: ${reply.status} ${reply.text}`);
    const cookie = (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    return { email, password: PASSWORD, headers: { ...headers, cookie } };
  }

  return {
    keyturn,
    contract,
    administrator,
    powerless,
    make,
    async fresh(parameter) {
      const maker = makers[parameter];
      if (maker === undefined)
        throw new Error(`a row must say what {${parameter}} is, or tests/support/openapi-world.ts`);
      return maker();
    },
    async project() {
      const { id } = await make('POST', '/v1/projects', { name: unique('project') });
      const { data } = await make('GET', `/v1/projects/${id}/members`);
      return { id, userId: data[0].user_id };
    },
    person,
    async session() {
      const { id, clientSecret } = await keyturn.createKey();
      const { body } = await keyturn.exchange(clientSecret);
      return { key: id, session: claimsOf(body.access_token).sid };
    },
  };
}
