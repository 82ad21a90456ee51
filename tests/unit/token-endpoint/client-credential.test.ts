import { describe, expect, test } from '@jest/globals';
import { parseClientCredential } from '../../../server/token-endpoint/client-credential.ts';
import { TokenFault } from '../../../server/token-endpoint/token-faults.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

function parse(source: { authorization?: string; apiKey?: string; body?: Record<string, string> }) {
  return parseClientCredential({
    authorization: source.authorization,
    apiKey: source.apiKey,
    parameters: new Map(Object.entries(source.body ?? {})),
  });
}

describe('parseClientCredential', () => {
  test('finds none where there is none; a client_id alone is a name', () => {
    expect(parse({})).toBeNull();
    expect(parse({ body: { client_id: 'c' } })).toBeNull();
  });

  test('reads Basic form-encoded first, then as it stands', () => {
    expect(parse({ authorization: basic('c_1:a%41+b') })).toEqual({
      method: 'client_secret_basic',
      clientId: 'c_1',
      secrets: ['aA b', 'a%41+b'],
    });
  });

  test.each([
    ['a colon in the secret', 'c:a:b', ['a:b']],
    ['a percent that is no encoding', 'c:100%', ['100%']],
    ['an encoded colon', 'c:a%3Ab', ['a:b', 'a%3Ab']],
    ['characters beyond ASCII', 'c:pä', ['pä']],
  ])('reads Basic with %s', (_name, text, secrets) => {
    expect(parse({ authorization: basic(text) })?.secrets).toEqual(secrets);
  });

  test('takes an API key as a user without a password', () => {
    expect(parse({ authorization: basic('ktk_x:') })).toMatchObject({ clientId: null, secrets: ['ktk_x'] });
  });

  test('takes an API key as the password of a user without a name', () => {
    expect(parse({ authorization: basic(':ktk_x') })).toMatchObject({ clientId: null, secrets: ['ktk_x'] });
  });

  test('takes the client_id of the body beside X-API-Key, and beside Basic when it is the same', () => {
    expect(parse({ apiKey: 'ktk_x', body: { client_id: 'c' } })).toMatchObject({ method: 'api_key', clientId: 'c' });
    expect(parse({ authorization: basic('c:s'), body: { client_id: 'c' } })?.clientId).toBe('c');
    expect(() => parse({ authorization: basic('c:s'), body: { client_id: 'd' } })).toThrow(
      new TokenFault('client_id_contradicts'),
    );
  });

  test.each([
    ['Basic and X-API-Key', { authorization: basic('c:s'), apiKey: 'k' }],
    ['Basic and body', { authorization: basic('c:s'), body: { client_secret: 's' } }],
    ['X-API-Key and body', { apiKey: 'k', body: { client_secret: 's' } }],
    ['all three', { authorization: basic('c:s'), apiKey: 'k', body: { client_secret: 's' } }],
  ])('refuses %s together', (_name, source) => {
    expect(() => parse(source)).toThrow(new TokenFault('client_authentication_repeated'));
  });

  test.each([
    ['another scheme', 'Bearer ktk_x'],
    ['no colon', basic('client')],
    ['no base64', 'Basic c:s'],
    ['two words', `${basic('c:s')} x`],
    ['invalid UTF-8', `Basic ${Buffer.from([0x63, 0x3a, 0xff]).toString('base64')}`],
    ['an undecodable client_id', basic('c%:s')],
  ])('refuses an Authorization with %s', (_name, authorization) => {
    expect(() => parse({ authorization })).toThrow(new TokenFault('client_authentication_unsupported'));
  });
});
