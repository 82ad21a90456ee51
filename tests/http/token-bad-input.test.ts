import { describe, expect, it } from '@jest/globals';
import { OAUTH_ERROR_CODES } from '@keyturn/lib/protocol';
import { badForms } from '../support/bad-values.ts';
import { keyturnFor, type Reply, readReply } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { sendRaw } from '../support/raw-http.ts';

const POST = 'POST /oauth/token HTTP/1.1';
const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';

/** Anything of ours or of a library: a path, a frame of a stack, SQL. */
const INSIDE = /node_modules|\.[jt]s:\d|\bat [A-Za-z.]+ \(|SQLITE_|\bER_[A-Z]|select .* from/;

function faultsOf({ status, text, body }: Reply, isAbsence: boolean, isOptional: boolean): string[] {
  if (status === 200 && isAbsence && isOptional) return [];
  const faults: string[] = [];
  if (status < 400 || status >= 500) faults.push(`status ${status}`);
  if (!OAUTH_ERROR_CODES.includes(body?.error)) faults.push(`error ${body?.error}`);
  if (!/^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,1000}$/.test(body?.error_description)) faults.push('error_description');
  if (INSIDE.test(text)) faults.push(`shows ${text}`);
  return faults;
}

describe.each(keyturnStorages)('bad input of the token endpoint on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  const exchangeForm = async () => {
    const { clientId, clientSecret } = await keyturn().createKey({ permissions: ['read:a'] });
    const credentials = { client_id: clientId, client_secret: clientSecret };
    return { grant_type: 'client_credentials', ...credentials, scope: 'read:a', resource: keyturn().url };
  };

  const refreshForm = async () => {
    const { grant_type: _, ...form } = await exchangeForm();
    const { body } = await keyturn().exchange(form.client_secret);
    return { grant_type: 'refresh_token', refresh_token: body.refresh_token, ...form };
  };

  // A secret alone names its key, and a refresh needs none: so these may be left out.
  it.each([
    ['an exchange', exchangeForm, ['client_id', 'scope', 'resource']],
    ['a refresh', refreshForm, ['client_id', 'client_secret', 'scope', 'resource']],
  ] as const)(
    'answers every bad value of every parameter of %s with 4xx and an error of the RFC',
    async (_, make, optional) => {
      const template = badForms(await make());
      const wrong: string[] = [];
      for (let index = 0; index < template.length; index += 1) {
        // A form whose absence is fine spends its refresh token: each gets one of its own.
        const form = template[index]?.isAbsence ? badForms(await make())[index] : template[index];
        if (form === undefined) throw new Error('there is one form for each');
        const { name, body, isAbsence } = form;
        const reply = await keyturn().token(body.toString('latin1'));
        const isOptional = optional.some((parameter) => name.startsWith(`${parameter} `));
        for (const fault of faultsOf(reply, isAbsence, isOptional)) wrong.push(`${name}: ${fault}`);
      }
      expect(wrong).toEqual([]);
      expect((await keyturn().token(await make())).status).toBe(200);
    },
  );

  it.each([
    ['Authorization twice', ['Authorization: Basic YTpi', 'Authorization: Basic YTpi'], 400],
    ['X-API-Key twice', ['X-API-Key: a', 'X-API-Key: b'], 400],
    ['an empty Authorization', ['Authorization:'], 401],
    ['an empty X-API-Key', ['X-API-Key:'], 401],
    ['Basic of 10 KB', [`Authorization: Basic ${'QUJD'.repeat(2500)}`], 401],
    ['an X-API-Key of 10 KB', [`X-API-Key: ${'k'.repeat(10_000)}`], 401],
    ['an X-API-Key in Latin-1', ['X-API-Key: k\u00ff\u00e4'], 401],
    ['Basic with NUL in user and password', [`Authorization: Basic ${Buffer.from('a\0:b\0').toString('base64')}`], 401],
    ['Basic with CR LF', [`Authorization: Basic ${Buffer.from('a:b\r\nc').toString('base64')}`], 401],
    ['Basic with a lone %', [`Authorization: Basic ${Buffer.from('a%:b%').toString('base64')}`], 401],
    ['an X-Request-Id with JSON in it', ['X-Request-Id: ","level":60,"x":"', 'X-API-Key: a'], 401],
    ['a forged X-Forwarded-For', ['X-Forwarded-For: 203.0.113.7, x, ,;', 'X-API-Key: a'], 401],
  ])('answers %s with an error of the RFC', async (_, headers, status) => {
    const reply = await sendRaw(keyturn().url, [POST, FORM_TYPE, ...headers], 'grant_type=client_credentials');
    const body = JSON.parse(reply.text.slice(reply.text.indexOf('\r\n\r\n')));
    expect({ status: reply.status, isOAuth: OAUTH_ERROR_CODES.includes(body.error) }).toEqual({
      status,
      isOAuth: true,
    });
  });

  it.each([
    ['NUL in a header', [FORM_TYPE, 'X-API-Key: a\0b']],
    ['LF in a header', [FORM_TYPE, 'X-API-Key: a\nX-Other: b\rc']],
    ['headers of 100 KB', [FORM_TYPE, `X-API-Key: ${'a'.repeat(100_000)}`]],
    ['two lengths', [FORM_TYPE, 'Content-Length: 3']],
    ['a length and chunks', [FORM_TYPE, 'Transfer-Encoding: chunked']],
    ['an obsolete folded header', [FORM_TYPE, 'X-API-Key: a', ' b']],
  ])('lets node refuse %s before anything is read', async (_, headers) => {
    const { status, text } = await sendRaw(keyturn().url, [POST, ...headers], 'grant_type=client_credentials');
    expect([400, 401, 431]).toContain(status);
    expect(text).not.toMatch(INSIDE);
  });

  it.each([
    ['JSON', 'application/json', '{"grant_type":"client_credentials"}', 400],
    ['no type', null, 'grant_type=client_credentials', 400],
    ['multipart', 'multipart/form-data; boundary=x', '--x--', 400],
    ['text', 'text/plain', 'grant_type=client_credentials', 400],
    ['a form in another charset', 'application/x-www-form-urlencoded; charset=utf-16', 'grant_type=a', 400],
    ['a form that is gzip', 'application/x-www-form-urlencoded', Buffer.from([0x1f, 0x8b, 8, 0]), 400],
  ])('refuses a body of %s as invalid_request that says what to do', async (_, type, body, status) => {
    const headers = type === null ? [] : [`Content-Type: ${type}`];
    const reply = await sendRaw(keyturn().url, [POST, ...headers], body);
    expect(reply.status).toBe(status);
    expect(reply.text).toMatch(
      /"error":"invalid_request","error_description":"(send the parameters as|the body is not)/,
    );
  });

  it('refuses bodies over 64 KiB with 413, said in Content-Length or chunked, and goes on', async () => {
    const big = `grant_type=client_credentials&x=${'a'.repeat(2 ** 20)}`;
    const said = await keyturn().token(big);
    const chunked = await fetch(`${keyturn().url}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new Blob([big]).stream(),
      duplex: 'half',
    });
    expect([said.status, chunked.status]).toEqual([413, 413]);
    expect([said.body.error, (await readReply(chunked)).body.error]).toEqual(['invalid_request', 'invalid_request']);
    const justRight = `grant_type=client_credentials&x=${'a'.repeat(2 ** 16 - 32)}`;
    expect(justRight.length).toBe(2 ** 16);
    expect((await keyturn().token(justRight)).status).toBe(401);
  });

  it('leaves Object.prototype alone and logs none of it as an error', async () => {
    await keyturn().token('__proto__[polluted]=1&__proto__.polluted=1&constructor[prototype][polluted]=1&grant_type=a');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const errors = keyturn().logLines.filter((line) => JSON.parse(line).level >= 50);
    expect(errors).toEqual([]);
  });
});
