import { describe, expect, test } from '@jest/globals';
import { parseFormBody } from '../../../server/token-endpoint/form-body.ts';
import { TokenFault } from '../../../server/token-endpoint/token-faults.ts';

const FORM = 'application/x-www-form-urlencoded';

function reasonOf(body: string | Buffer, contentType: string | undefined = FORM): string {
  try {
    parseFormBody(contentType, Buffer.from(body));
  } catch (error) {
    if (error instanceof TokenFault) return error.reason;
    throw error;
  }
  return 'accepted';
}

describe('parseFormBody', () => {
  test('reads percent-encoded UTF-8, plus as space, and what stands between = signs', () => {
    const parameters = parseFormBody(FORM, Buffer.from('a=1+2&b=%C3%A4%2B&c=x=y&&d'));
    expect([...parameters]).toEqual([
      ['a', '1 2'],
      ['b', 'ä+'],
      ['c', 'x=y'],
    ]);
  });

  test('takes a parameter without a value as absent (RFC 6749 §3.2)', () => {
    expect(parseFormBody(FORM, Buffer.from('scope=&grant_type=x')).has('scope')).toBe(false);
  });

  test.each([
    ['charset', `${FORM}; charset=UTF-8`],
    ['quoted charset, other case', 'Application/X-WWW-Form-Urlencoded;charset="utf-8"'],
  ])('takes a content type with %s', (_name, contentType) => {
    expect(reasonOf('a=b', contentType)).toBe('accepted');
  });

  test.each([['application/json'], [`${FORM}; charset=latin1`], [`x${FORM}`], ['multipart/form-data; boundary=x']])(
    'refuses %s',
    (contentType) => {
      expect(reasonOf('{}', contentType)).toBe('body_not_form');
    },
  );

  test('refuses a body without a content type, and takes an empty one for no parameters', () => {
    expect(() => parseFormBody(undefined, Buffer.from('a=b'))).toThrow(new TokenFault('body_not_form'));
    expect(parseFormBody(undefined, Buffer.alloc(0)).size).toBe(0);
  });

  test.each([
    ['the same value', 'a=1&a=1'],
    ['another encoding of the name', 'scope=x&%73cope=y'],
    ['an empty value', 'a=&a=1'],
    ['a name nobody knows', 'foo=1&foo=2'],
  ])('refuses a repeated parameter with %s', (_name, body) => {
    expect(reasonOf(body)).toBe('parameter_repeated');
  });

  test('reads arrays and objects of other parsers as what they are: names', () => {
    const parameters = parseFormBody(FORM, Buffer.from('a[]=1&a[b]=2&__proto__=3&constructor=4'));
    expect([...parameters.keys()]).toEqual(['a[]', 'a[b]', '__proto__', 'constructor']);
    expect(Object.hasOwn(Object.prototype, 'b')).toBe(false);
  });

  test.each([
    ['invalid UTF-8', 'a=%ff'],
    ['an overlong encoding', 'a=%c0%80'],
    ['a surrogate', 'a=%ed%a0%80'],
    ['a lone percent', 'a=100%'],
    ['NUL', 'a=x%00'],
    ['CR', 'a=x%0d'],
    ['LF in the name', 'a%0a=x'],
    ['DEL', 'a=%7f'],
    ['a raw line break', 'a=x\n'],
    ['raw UTF-8', 'a=ä'],
  ])('refuses %s', (_name, body) => {
    expect(reasonOf(body)).toBe('body_malformed');
  });
});
