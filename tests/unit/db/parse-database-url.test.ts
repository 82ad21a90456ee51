import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type DatabaseAddress, parseDatabaseUrl } from '../../../db/sql/parse-database-url.ts';

const mysql = { kind: 'mysql', host: 'h', port: 3306, user: '', password: '', database: 'db' } as const;

describe('parseDatabaseUrl', () => {
  it.each<[string, DatabaseAddress]>([
    ['sqlite:./data/keyturn.db', { kind: 'sqlite', file: './data/keyturn.db' }],
    ['sqlite:/var/my keys #1?.db', { kind: 'sqlite', file: '/var/my keys #1?.db' }],
    ['sqlite::memory:', { kind: 'sqlite', file: ':memory:' }],
    ['mysql://h/db', mysql],
    ['mysql://u@h/db', { ...mysql, user: 'u' }],
    ['mysql://u:@h:1/db', { ...mysql, user: 'u', port: 1 }],
    ['mysql://u:a:b@h:65535/db', { ...mysql, user: 'u', password: 'a:b', port: 65_535 }],
    ['mysql://u%3A1:p%40ss%2F%25@h/d%C3%A9', { ...mysql, user: 'u:1', password: 'p@ss/%', database: 'dé' }],
    ['mysql://u:p@[2001:db8::1]:3307/db', { ...mysql, host: '2001:db8::1', port: 3307, user: 'u', password: 'p' }],
  ])('reads %s', (url, expected) => {
    expect(parseDatabaseUrl(url)).toEqual(expected);
  });

  it.each([
    ['', 'must be sqlite:PATH or mysql://'],
    ['keyturn.db', 'must be sqlite:PATH or mysql://'],
    ['postgres://u:p@h/db', 'must be sqlite:PATH or mysql://'],
    ['MYSQL://h/db', 'must be sqlite:PATH or mysql://'],
    ['mysql:h/db', 'must be sqlite:PATH or mysql://'],
    ['mysql://', 'must be sqlite:PATH or mysql://'],
    ['sqlite:', 'must be sqlite:PATH or mysql://'],
    ['sqlite:a\0b', 'NUL'],
    ['mysql://u:p@h', 'name of the database'],
    ['mysql://h/a/b', 'needs a host'],
    ['mysql://u:p@h/', 'needs a host'],
    ['mysql://u:p@:3306/db', 'needs a host'],
    ['mysql://u:p@h:0/db', 'needs a host'],
    ['mysql://u:p@h:99999/db', 'needs a host'],
    ['mysql://u:p@h:/db', 'needs a host'],
    ['mysql://u:p@a,b/db', 'needs a host'],
    ['mysql://u:p@h/db?ssl=true', 'no spaces, ? or #'],
    ['mysql://u:p#1@h/db', 'no spaces, ? or #'],
    ['mysql://u:p%zz@h/db', 'percent-encoded correctly'],
    ['mysql://u:p%00@h/db', 'NUL'],
  ])('refuses %p', (url, reason) => {
    expect(() => parseDatabaseUrl(url)).toThrow(reason);
  });

  it('reads every user, password and database that is percent-encoded', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((drawn) => !drawn.includes('\0'));
    fc.assert(
      fc.property(text, text, text, (user, password, database) => {
        const url = `mysql://${[user, password].map(encodeURIComponent).join(':')}@h/${encodeURIComponent(database)}`;
        expect(parseDatabaseUrl(url)).toEqual({ ...mysql, user, password, database });
      }),
    );
  });

  it('repeats nothing of a wrong text, which may be the password', () => {
    const odd = fc.constantFrom('/', '@', ':', ' ', '%', '#', '?', '%00');
    fc.assert(
      fc.property(fc.constantFrom('mysql://', 'mysql:', 'mysqk://', ''), odd, (scheme, part) => {
        const parse = () => parseDatabaseUrl(`${scheme}user:hunter2${part}hunter2@host${part}:hunter2`);
        expect(parse).toThrow(Error);
        expect(parse).not.toThrow(/hunter2|user:h/);
      }),
    );
  });
});
