/** Where the database is, parsed from `DATABASE_URL`. */
export type DatabaseAddress =
  | {
      readonly kind: 'sqlite';
      /** A path as it was written, or `:memory:`. */
      readonly file: string;
    }
  | {
      readonly kind: 'mysql';
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly database: string;
    };

const FORMS = 'must be sqlite:PATH or mysql://user:password@host:3306/database';

/**
 * Parses `sqlite:PATH`, `sqlite::memory:` or `mysql://[user[:password]@]host[:port]/database`. Default port: 3306. User,
 * password and database are percent-decoded; user and password are empty where there is none.
 *
 * @throws {Error} that says what to mend and repeats nothing of the text: a misplaced part may be the password.
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  const [, scheme, rest = ''] = /^(sqlite:|mysql:\/\/)(.+)$/s.exec(text) ?? [];
  if (scheme === undefined) throw new Error(FORMS);
  if (scheme === 'sqlite:') {
    if (rest.includes('\0')) throw new Error('must name a file without a NUL character');
    return { kind: 'sqlite', file: rest };
  }
  return { kind: 'mysql', ...parseMysql(rest) };
}

function parseMysql(text: string): Omit<Extract<DatabaseAddress, { kind: 'mysql' }>, 'kind'> {
  if (/[\s?#]/.test(text)) throw new Error('must have no spaces, ? or # (in a password, write them percent-encoded)');
  const [, userInfo = '', hostAndPort = '', path] = /^(?:([^@/]*)@)?([^@/]*)(?:\/([^@/]+))?$/.exec(text) ?? [];
  const { host, port } = parseHost(hostAndPort);
  if (path === undefined) throw new Error('must end with the name of the database, as /keyturn');
  const colon = userInfo.indexOf(':');
  return {
    host,
    port,
    user: decode(colon < 0 ? userInfo : userInfo.slice(0, colon)),
    password: colon < 0 ? '' : decode(userInfo.slice(colon + 1)),
    database: decode(path),
  };
}

function parseHost(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, portText] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(portText ?? 3306);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Error('needs a host as host or host:port (@ and / in a password must be percent-encoded)');
  }
  return { host, port };
}

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw new Error('has a user, password or database that is not percent-encoded correctly');
  }
  // The protocol ends a text at NUL: what was meant would be cut without a word.
  if (decoded.includes('\0')) throw new Error('must have no NUL character in user, password or database');
  return decoded;
}
