/** What attackers and broken clients send in place of a good parameter (issue 2, "Bad input, faults"). */

export interface BadForm {
  /** Parameter and what is wrong with it. */
  readonly name: string;
  readonly body: Buffer;
  /** True: the parameter counts as absent, which is fine where it is optional. */
  readonly isAbsence: boolean;
}

const MEGABYTE = 2 ** 20;

/** Percent-encoded values no parameter of OAuth may have, or none that a good request has. */
const BAD_VALUES: Readonly<Record<string, string>> = {
  '1 MB long': 'a'.repeat(MEGABYTE),
  '60 KB long': 'a'.repeat(60_000),
  'with NUL': 'a%00b',
  'with CR': 'a%0Db',
  'with LF': 'a%0Ab',
  'with CR LF and a header': 'a%0D%0ASet-Cookie:%20x=1',
  'with DEL': 'a%7Fb',
  'with %ff': 'a%ffb',
  'with an overlong NUL': 'a%C0%80b',
  'with a lone surrogate': 'a%ED%A0%80b',
  'with a cut-off sequence': 'a%F0%9F%98',
  'with raw bytes that are not UTF-8': 'a\u00ffb',
  'with raw UTF-8': 'a\u00c3\u00a4b',
  'with a raw NUL': 'a\u0000b',
  'with a lone %': 'a%',
  'with half an escape': 'a%4',
  'with %zz': 'a%zzb',
  'an astral character': '%F0%9F%98%80',
  'a right-to-left override': '%E2%80%AEabc',
  'a quote and a backslash': '%22%5C%27',
  SQL: "%27%20OR%20%271%27=%271'--",
  'a template': '$%7B7*7%7D',
  __proto__: '__proto__',
  constructor: 'constructor',
};

const encode = (form: Readonly<Record<string, string>>): string => new URLSearchParams(form).toString();

/** Every bad value of every parameter of a good form, the rest of which stays good. */
export function badForms(good: Readonly<Record<string, string>>): readonly BadForm[] {
  return Object.keys(good).flatMap((parameter) => {
    const { [parameter]: value = '', ...others } = good;
    const rest = encode(others);
    const form = (what: string, pairs: string, isAbsence = false): BadForm => ({
      name: `${parameter} ${what}`,
      body: Buffer.from([rest, pairs].filter(Boolean).join('&'), 'latin1'),
      isAbsence,
    });
    const pair = encode({ [parameter]: value });
    return [
      form('missing', '', true),
      form('empty', `${parameter}=`, true),
      form('without =', parameter, true),
      form('as an array', `${parameter}[]=${encodeURIComponent(value)}`, true),
      form('as an encoded array', `${parameter}%5B0%5D=${encodeURIComponent(value)}`, true),
      form('as an object', `${parameter}[a]=${encodeURIComponent(value)}`, true),
      form('in upper case', `${parameter.toUpperCase()}=${encodeURIComponent(value)}`, true),
      form('as part of __proto__', `__proto__[${parameter}]=${encodeURIComponent(value)}`, true),
      form('repeated', `${pair}&${pair}`),
      form('repeated, once empty', `${pair}&${parameter}=`),
      form('repeated, once percent-encoded', `${pair}&%${parameter.charCodeAt(0).toString(16)}${parameter.slice(1)}=x`),
      ...Object.entries(BAD_VALUES).map(([what, bad]) => form(what, `${parameter}=${bad}`)),
    ];
  });
}

/** Values of a wrong type, or out of bounds, for any field of a JSON body. */
export const BAD_JSON_VALUES: Readonly<Record<string, unknown>> = {
  number: 1,
  'a fraction': 1.5,
  true: true,
  'an object': { a: 1 },
  'an array of an object': [{ a: 1 }],
  'an array of null': [null],
  'an array of an array': [[]],
  'a knex operator': { $ne: null },
  'a text with NUL': 'a\u0000b',
  'a text with CR LF': 'a\r\nb',
  'a lone surrogate': 'a\ud800b, of Some Length 1',
  '10,000 characters': 'a'.repeat(10_000),
  'an array with NUL': ['read:a\u0000'],
  'an array of 1,000': Array.from({ length: 1000 }, (_, index) => `read:a${index}`),
};

/** Bodies that are no JSON object at all, as they go over the wire. */
export const BAD_JSON_BODIES: Readonly<Record<string, string | Buffer>> = {
  'an array': '[]',
  null: 'null',
  'a number': '1',
  'a text': '"name"',
  'cut short': '{"name":',
  'two values': '{"name":"a"}{"name":"b"}',
  'a trailing comma': '{"name":"a",}',
  'a comment': '{"name":"a"/**/}',
  NaN: '{"name":NaN}',
  'a BOM and nothing else': '\ufeff',
  'a NUL': '\u0000',
  'bytes that are not UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
  'UTF-16': Buffer.from('{"name":"a"}', 'utf16le'),
  'a form': 'name=a',
  'nested 10,000 deep': `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  'nested 5,000 objects deep': `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
  'a field nested 10,000 deep': `{"name":"deep","permissions":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
};
