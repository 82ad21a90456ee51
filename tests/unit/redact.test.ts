import { describe, expect, it, test } from '@jest/globals';
import { redactPath, redactSecrets } from '../../server/redact.ts';

describe('redactSecrets', () => {
  test.each([
    ['an API key', '/v1/keys/ktk_l2j4391xlw0k2ipwx5ejmdor8_abcDEF123/x', '/v1/keys/[redacted]/x'],
    ['a refresh token', 'got ktr_AaH5qVJpdEGhj0Ouydw9', 'got [redacted]'],
    ['a set-up link', '/console/setup#kts_QKvLKAKRk5osgl', '/console/setup#[redacted]'],
    ['a JWT', 'Bearer eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHR.c2ln-_x', 'Bearer [redacted]'],
    ['the credentials of a URL', 'mysql://keyturn:s3cret@db:3306/k', 'mysql://[redacted]@db:3306/k'],
    ['long credentials of a URL', `mysql://u:${'p'.repeat(1000)}@db/k`, 'mysql://[redacted]@db/k'],
    ['several', 'ktk_aaaaaaaaaa ktk_bbbbbbbbbb', '[redacted] [redacted]'],
  ])('takes out %s', (_name, text, expected) => {
    expect(redactSecrets(text)).toBe(expected);
  });

  test('leaves ids, URLs and e-mail addresses', () => {
    const text = 'key_01jd req_01m7 https://keys.example.com/a a@example.com';
    expect(redactSecrets(text)).toBe(text);
  });
});

describe('redactSecrets on text made to be slow', () => {
  // What backtracks takes the square of the time: 30 times the text would take 900 times as long.
  it.each(['eyJ', 'ktk_', 'ktk_aaaaaaa ', '://', '://a', 'eyJaaaa', '@'])('of %j repeated costs its length', (part) => {
    const timeOf = (count: number): number => {
      const text = part.repeat(count);
      const times = Array.from({ length: 5 }, () => {
        const started = performance.now();
        redactSecrets(text);
        return performance.now() - started;
      });
      return Math.min(...times);
    };
    timeOf(1000);
    expect(timeOf(60_000)).toBeLessThan(Math.max(timeOf(2_000), 0.05) * 30 * 10);
  });
});

describe('redactPath', () => {
  test.each([
    ['/oauth/token', '/oauth/token'],
    ['/.well-known/jwks.json', '/.well-known/jwks.json'],
    [
      '/v1/projects/default/keys/key_01m7wtjmgfeh0t33sbss8zf57g',
      '/v1/projects/default/keys/key_01m7wtjmgfeh0t33sbss8zf57g',
    ],
    ['/v1/projects/prj_01m7wtjmgceh0t33rtq3c6v7g2/keys/', '/v1/projects/prj_01m7wtjmgceh0t33rtq3c6v7g2/keys/'],
    ['/errors/Sentinel-Chosen-77', '/errors/*'],
    ['/9011@83sd!f1042ds+f19fg86M', '/*'],
    ['/x/%6b%74%6b_abc', '/x/*'],
    ['/x/ktk_l2j4391xlw0k2ipwx5ejmdor8_f8URg5Hon', '/x/*'],
    [`/${'a'.repeat(41)}`, '/*'],
    ['*', '*'],
  ])('makes of %s %s', (path, expected) => {
    expect(redactPath(path)).toBe(expected);
  });
});
