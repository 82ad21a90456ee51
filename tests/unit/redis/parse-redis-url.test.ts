import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseRedisUrl, type RedisAddress } from '../../../db/redis/parse-redis-url.ts';

const plain: RedisAddress = {
  kind: 'single',
  tls: false,
  hosts: [{ host: 'localhost', port: 6379 }],
  username: null,
  password: null,
  database: 0,
  sentinelName: null,
};

describe('parseRedisUrl', () => {
  it.each<[string, Partial<RedisAddress>]>([
    ['redis://localhost', {}],
    ['redis://localhost/', {}],
    ['rediss://localhost:6380/3', { tls: true, hosts: [{ host: 'localhost', port: 6380 }], database: 3 }],
    ['redis://[2001:db8::1]:7000', { hosts: [{ host: '2001:db8::1', port: 7000 }] }],
    ['redis://user:p%40ss%2F%3A@localhost', { username: 'user', password: 'p@ss/:' }],
    ['redis://:a:b@localhost', { password: 'a:b' }],
    ['redis://user@localhost', { username: 'user' }],
    [
      'redis+sentinel://user:pw@a,b:1/my-master.1',
      {
        kind: 'sentinel',
        hosts: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 1 },
        ],
        username: 'user',
        password: 'pw',
        sentinelName: 'my-master.1',
      },
    ],
    [
      'redis+cluster://a,b:1,[::1]',
      {
        kind: 'cluster',
        hosts: [
          { host: 'a', port: 6379 },
          { host: 'b', port: 1 },
          { host: '::1', port: 6379 },
        ],
      },
    ],
  ])('reads %s', (url, expected) => {
    expect(parseRedisUrl(url)).toEqual({ ...plain, ...expected });
  });

  it.each([
    ['', 'must begin with redis://, rediss://, redis+sentinel://, redis+cluster://'],
    ['localhost:6379', 'must begin with'],
    ['http://localhost', 'must begin with'],
    ['constructor://localhost', 'must begin with'],
    ['redis://', 'needs hosts'],
    ['redis://localhost:0', 'needs hosts'],
    ['redis://localhost:65536', 'needs hosts'],
    ['redis://localhost:x', 'needs hosts'],
    ['redis://a,b', 'several hosts'],
    ['redis://a?db=1', 'no spaces, ? or #'],
    ['redis://a/one', 'number of a database'],
    ['redis://%ZZ@a', 'percent-encoded correctly'],
    ['redis+sentinel://a,b', 'name of the master'],
    ['redis+sentinel://a,/name', 'needs hosts'],
    ['redis+cluster://a,b/1', 'nothing after the hosts'],
  ])('refuses %p', (url, reason) => {
    expect(() => parseRedisUrl(url)).toThrow(reason);
  });

  it('repeats nothing of a wrong text, which may be the password', () => {
    const schemes = ['redis', 'redis+sentinel', 'redis+cluster', 'redsi'];
    fc.assert(
      fc.property(fc.constantFrom(...schemes), fc.constantFrom('', '/', '@', ':', ' ', '%'), (scheme, odd) => {
        try {
          parseRedisUrl(`${scheme}://user:hunter2${odd}hunter2@host${odd}:hunter2`);
        } catch (error) {
          expect(String(error)).not.toMatch(/hunter2|user:/);
          return;
        }
        throw new Error('was accepted');
      }),
    );
  });
});
