/** Attacks on JWT verification, numbered so that none is forgotten. Every token here must be refused. */

import { createHmac, createPublicKey } from 'node:crypto';
import dns from 'node:dns';
import fs from 'node:fs';
import net from 'node:net';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createVerifier, type VerifierOptions } from '@keyturn/lib';
import { authenticate } from '@keyturn/lib/express';
import express from 'express';
import { CompactEncrypt, GeneralSign, SignJWT } from 'jose';
import request from 'supertest';
import {
  AUDIENCE,
  base64url,
  claimsOf,
  createKey,
  FakeClock,
  ISSUER,
  type Listener,
  listen,
  NOW_SECONDS,
  outcomeOf,
  signTexts,
  signToken,
} from '../unit/verifier/forge.ts';

const key = createKey();
const ip = '203.0.113.7';
const canonicalHeader = JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: key.kid });
const canonicalClaims = JSON.stringify(claimsOf());
const listeners: Listener[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  for (const listener of listeners.splice(0)) await listener.close();
});

async function jwksServer(...args: Parameters<typeof listen>): Promise<Listener> {
  const listener = await listen(...args);
  listeners.push(listener);
  return listener;
}

function verifierOf(changes: Partial<VerifierOptions> = {}) {
  return createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: { keys: [key.jwk] },
    clock: new FakeClock(),
    ...changes,
  });
}

const verifier = verifierOf();
const refusal = (token: unknown) => outcomeOf(verifier.verify(token, { ip }));

/** Status of a route behind the Express middleware: what the outside sees. */
async function statusOf(token: string): Promise<number> {
  const app = express()
    .use(authenticate(verifier))
    .get('/', (_req, res) => void res.end('in'));
  return (await request(app).get('/').set('Authorization', `Bearer ${token}`)).status;
}

test('the token that the attacks start from is accepted', async () => {
  expect(await refusal(signTexts(key, canonicalHeader, canonicalClaims))).toBe('accepted');
  expect(await statusOf(signToken(key))).toBe(200);
});

test('attack 1: alg none, in all 16 spellings, with an empty or garbage signature', async () => {
  for (let spelling = 0; spelling < 16; spelling += 1) {
    const alg = [...'none'].map((letter, bit) => (spelling & (1 << bit) ? letter.toUpperCase() : letter)).join('');
    const unsigned = `${base64url(JSON.stringify({ alg, typ: 'at+jwt', kid: key.kid }))}.${base64url(canonicalClaims)}`;
    expect(await refusal(`${unsigned}.`)).toBe('token_malformed');
    expect(await refusal(unsigned)).toBe('token_malformed');
    for (const signature of ['AAAA', signToken(key).split('.')[2]]) {
      expect(await refusal(`${unsigned}.${signature}`)).toBe('algorithm_not_allowed');
    }
    expect(await statusOf(`${unsigned}.`)).toBe(401);
    expect(await statusOf(`${unsigned}.AAAA`)).toBe(401);
  }
});

test('attack 2: HS256 with the public key as secret, in every text it has', async () => {
  for (const signer of [key, createKey('RS256'), createKey('EdDSA')]) {
    const own = verifierOf({ jwks: { keys: [signer.jwk] } });
    const pem = signer.publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const secrets: (string | Buffer)[] = [
      pem,
      pem.trimEnd(),
      `${pem}\n`,
      pem.replaceAll('\n', '\r\n'),
      pem.replaceAll('\n', ''),
    ];
    secrets.push(
      signer.publicKey.export({ format: 'der', type: 'spki' }),
      JSON.stringify(signer.jwk),
      `${JSON.stringify(signer.jwk)}\n`,
    );
    secrets.push(
      JSON.stringify(signer.publicKey.export({ format: 'jwk' })),
      String(signer.jwk['x'] ?? signer.jwk['n']),
      '',
    );
    for (const secret of secrets) {
      for (const alg of ['HS256', 'HS384', 'HS512', signer.algorithm]) {
        const input = `${base64url(JSON.stringify({ alg, typ: 'at+jwt', kid: signer.kid }))}.${base64url(canonicalClaims)}`;
        const mac = createHmac(alg.startsWith('HS') ? alg.replace('HS', 'sha') : 'sha256', secret).update(input);
        const outcome = await outcomeOf(own.verify(`${input}.${mac.digest('base64url')}`, { ip }));
        expect(outcome).toBe(alg === signer.algorithm ? 'signature_invalid' : 'algorithm_not_allowed');
      }
    }
  }
});

test('attack 2: a key is used with its own algorithm only (RS256 and PS256, ES256 and EdDSA)', async () => {
  const rs256 = createKey('RS256', 'rsa');
  const own = verifierOf({ jwks: { keys: [rs256.jwk, key.jwk] } });
  expect(await outcomeOf(own.verify(signToken({ ...rs256, algorithm: 'PS256' }), { ip }))).toBe(
    'algorithm_not_allowed',
  );
  expect(await outcomeOf(own.verify(signToken(createKey('EdDSA', key.kid)), { ip }))).toBe('algorithm_not_allowed');
});

describe('attack 3: 500 hostile kids', () => {
  const patterns = [
    '../'.repeat(9),
    '/dev/null',
    "' OR 1=1 --",
    "x' UNION SELECT 'c2VjcmV0",
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '| cat /etc/passwd',
    'http://127.0.0.1/jwks',
    '{{7*7}}',
    '\u0000',
    '\r\nX: y',
    '%00',
    '*',
    `${key.kid} `,
    key.kid.toUpperCase(),
    `${key.kid}\u0000`,
    'a'.repeat(2000),
    '\ud83d\ude00',
  ];
  const texts = Array.from(
    { length: 500 },
    (_, index) => `${patterns[index % patterns.length]}${index < patterns.length ? '' : index}`,
  );

  test('are unknown, and touch no file, name server or connection', async () => {
    await refusal(signToken(key));
    const spies = [
      jest.spyOn(fs, 'readFileSync'),
      jest.spyOn(fs, 'openSync'),
      jest.spyOn(fs, 'readFile'),
      jest.spyOn(fs.promises, 'readFile'),
      jest.spyOn(dns, 'lookup'),
      jest.spyOn(net.Socket.prototype, 'connect'),
      jest.spyOn(globalThis, 'fetch'),
    ];
    for (const kid of texts) expect(await refusal(signToken(key, {}, { kid }))).toBe('key_unknown');
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });

  test.each([[7], [null], [true], [[key.kid]], [{ kid: key.kid }], [''], [undefined]])(
    'kid = %j is no name',
    async (kid) => {
      expect(await refusal(signToken(key, {}, { kid }))).toBe('header_invalid');
      expect(await statusOf(signToken(key, {}, { kid }))).toBe(401);
    },
  );
});

test('attack 4: jku and x5u are not fetched', async () => {
  const attacker = createKey('ES256', 'evil');
  const listener = await jwksServer((_req, res) => res.end(JSON.stringify({ keys: [attacker.jwk] })));
  for (const header of [
    { jku: listener.url },
    { x5u: listener.url },
    { jku: [listener.url] },
    { jku: listener.url, x5u: listener.url },
  ]) {
    for (const signer of [attacker, key]) expect(await refusal(signToken(signer, {}, header))).toBe('header_invalid');
  }
  expect(await refusal(signToken(attacker, { jku: listener.url }, { kid: listener.url }))).toBe('key_unknown');
  expect(listener.count()).toBe(0);
});

test('attack 5: a key that the token brings along', async () => {
  const attacker = createKey('ES256', key.kid);
  const { kid: _kid, ...bare } = attacker.jwk;
  for (const jwk of [attacker.jwk, bare]) {
    expect(await refusal(signToken(attacker, {}, { jwk }))).toBe('header_invalid');
    expect(await refusal(signToken(attacker, {}, { jwk, kid: undefined }))).toBe('header_invalid');
  }
  expect(await refusal(signToken(attacker, {}, { x5c: [base64url('certificate')] }))).toBe('header_invalid');
  expect(await refusal(signToken(attacker))).toBe('signature_invalid');
});

test('attack 6: crit, validly signed', async () => {
  for (const crit of [['x'], [], ['exp'], ['b64'], 'x', null, {}]) {
    expect(await refusal(signToken(key, {}, { crit, x: 1, b64: true }))).toBe('header_invalid');
  }
});

test('attack 7: signatures of zeros, of the group order, and in DER', async () => {
  const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
  const zero = Buffer.alloc(32);
  const one = Buffer.concat([Buffer.alloc(31), Buffer.of(1)]);
  const full = Buffer.alloc(32, 0xff);
  const [header, payload, signature] = signToken(key).split('.') as [string, string, string];
  const numbers = [zero, one, order, full];
  for (const r of numbers) {
    for (const s of numbers) {
      expect(await refusal(`${header}.${payload}.${Buffer.concat([r, s]).toString('base64url')}`)).toBe(
        'signature_invalid',
      );
    }
  }
  const raw = Buffer.from(signature, 'base64url');
  const integer = (bytes: Buffer) => Buffer.concat([Buffer.of(2, 33, 0), bytes]);
  const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  const der = Buffer.concat([Buffer.of(0x30, body.length), body]);
  const edward = createKey('EdDSA');
  const edwards = verifierOf({ jwks: { keys: [edward.jwk] } });
  const edwardParts = signToken(edward).split('.').slice(0, 2).join('.');
  for (const odd of [
    der,
    raw.subarray(0, 63),
    Buffer.concat([raw, Buffer.of(0)]),
    Buffer.concat([Buffer.of(0), raw]),
    Buffer.of(0),
  ]) {
    expect(await refusal(`${header}.${payload}.${odd.toString('base64url')}`)).toBe('signature_invalid');
  }
  for (const odd of [
    Buffer.alloc(64),
    Buffer.alloc(64, 0xff),
    Buffer.concat([one, zero]),
    Buffer.alloc(63),
    Buffer.alloc(65),
  ]) {
    expect(await outcomeOf(edwards.verify(`${edwardParts}.${odd.toString('base64url')}`, { ip }))).toBe(
      'signature_invalid',
    );
  }
});

test('attack 7: the other signature (r, n - s) is valid by ES256 and no way around revocation, which is by jti', async () => {
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const [header, payload, signature] = signToken(key).split('.') as [string, string, string];
  const raw = Buffer.from(signature, 'base64url').toString('hex');
  const s = (order - BigInt(`0x${raw.slice(64)}`)).toString(16).padStart(64, '0');
  const twin = `${header}.${payload}.${Buffer.from(raw.slice(0, 64) + s, 'hex').toString('base64url')}`;
  expect((await verifier.verify(twin, { ip })).tokenId).toBe((await verifier.verify(signToken(key), { ip })).tokenId);
});

test('attack 8: b64 false, detached and unencoded payloads', async () => {
  for (const header of [{ b64: false, crit: ['b64'] }, { b64: false }, { b64: true }]) {
    expect(await refusal(signToken(key, {}, header))).toBe('header_invalid');
  }
  const [header, , signature] = signToken(key).split('.');
  expect(await refusal(`${header}..${signature}`)).toBe('token_malformed');
  expect(await refusal(`${header}.${canonicalClaims}.${signature}`)).toBe('token_malformed');
});

test('attack 9: a payload that is no object, validly signed', async () => {
  for (const payload of [
    '[]',
    `[${canonicalClaims}]`,
    'null',
    '1',
    'true',
    '"x"',
    JSON.stringify(canonicalClaims),
    '{}',
  ]) {
    expect(await refusal(signTexts(key, canonicalHeader, payload))).toBe('claims_malformed');
    expect(await statusOf(signTexts(key, canonicalHeader, payload))).toBe(401);
  }
});

test('attack 10: iss as list, prefix, suffix, other case, with slash', async () => {
  for (const iss of [[ISSUER], [ISSUER, 'https://evil'], { 0: ISSUER }, 7, null, true, '']) {
    expect(await refusal(signToken(key, { iss }))).toBe('claims_malformed');
  }
  const near = [
    ISSUER.slice(0, -1),
    `${ISSUER}.evil`,
    `${ISSUER}/`,
    ISSUER.toUpperCase(),
    ` ${ISSUER}`,
    `${ISSUER}\n`,
    `${ISSUER}:443`,
    'https',
    `${ISSUER}#`,
  ];
  for (const iss of near) expect(await refusal(signToken(key, { iss }))).toBe('issuer_mismatch');
});

test('attack 11: members given twice, in header and claims, validly signed', async () => {
  const claims = [
    canonicalClaims.replace('{', `{"iss":"https://evil",`),
    canonicalClaims.replace(/}$/, `,"scope":"*:*"}`),
    canonicalClaims.replace(/}$/, `,"sc\\u006fpe":"*:*"}`),
    canonicalClaims.replace(/}$/, `,"exp":${NOW_SECONDS + 7200}}`),
    canonicalClaims.replace('{', `{"__proto__":{},"__proto__":{},`),
    canonicalClaims.replace(/}$/, `,"act":{"sub":"a","sub":"b"}}`),
  ];
  for (const text of claims) {
    JSON.parse(text);
    expect(await refusal(signTexts(key, canonicalHeader, text))).toBe('claims_malformed');
  }
  const headers = [
    canonicalHeader.replace('{', '{"alg":"none",'),
    canonicalHeader.replace(/}$/, ',"alg":"ES256"}'),
    canonicalHeader.replace(/}$/, ',"k\\u0069d":"x"}'),
    canonicalHeader.replace(':', ': '),
  ];
  for (const text of headers) {
    JSON.parse(text);
    expect(await refusal(signTexts(key, text, canonicalClaims))).toBe('header_invalid');
  }
});

test('attack 12: JSON serialization and polyglots are refused before they are parsed', async () => {
  const [header, payload, signature] = signToken(key).split('.') as [string, string, string];
  const general = await new GeneralSign(Buffer.from(canonicalClaims))
    .addSignature(key.privateKey)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
    .sign();
  const polyglots = [
    JSON.stringify(general),
    JSON.stringify({ protected: header, payload, signature }),
    `{"protected":"${header}","payload":"${payload}","signature":"${signature}"}`,
    `{"${header}.${payload}.${signature}":"","protected":"${header}","payload":"e30","signature":"${signature}"}`,
    `"${header}.${payload}.${signature}"`,
    `{${header}.${payload}.${signature}}`,
    `${header}.${payload}.${signature}{}`,
  ];
  const parse = jest.spyOn(JSON, 'parse');
  for (const token of polyglots) expect(await refusal(token)).toBe('token_malformed');
  expect(parse).not.toHaveBeenCalled();
});

test('attack 13: an encrypted token, zip bombs and p2c are refused before anything is decoded', async () => {
  const rsa = createKey('RS256', key.kid);
  const jwe = await new CompactEncrypt(Buffer.from(canonicalClaims))
    .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: key.kid })
    .encrypt(rsa.publicKey);
  const p2c = `${base64url('{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA"}')}.AAAA.AAAA.AAAA.AAAA`;
  const bomb = `${base64url('{"alg":"dir","enc":"A128GCM","zip":"DEF"}')}..AAAA.${'A'.repeat(4000)}.AAAA`;
  const decode = jest.spyOn(JSON, 'parse');
  for (const token of [jwe, p2c, bomb]) expect(await refusal(token)).toBe('token_malformed');
  expect(decode).not.toHaveBeenCalled();
  for (const header of [{ zip: 'DEF' }, { enc: 'A128GCM' }])
    expect(await refusal(signToken(key, {}, header))).toBe('header_invalid');
  expect(await refusal(signToken(key, {}, { alg: 'PBES2-HS256+A128KW', p2c: 2147483647 }))).toBe(
    'algorithm_not_allowed',
  );
});

describe('attack 14: one token has one text', () => {
  // 64 bytes of signature end in a character with four spare bits; payloads are made to have 0, 2 and 4 of them.
  test.each([0, 1, 2])('spare bits, padding, white space (payload of another length: +%i)', async (extra) => {
    const token = signToken(key, { note: 'x'.repeat(extra) });
    expect(await refusal(token)).toBe('accepted');
    const texts = [
      `${token}=`,
      `${token}==`,
      `${token}\n`,
      `${token}\r\n`,
      ` ${token}`,
      `${token} `,
      `${token}\u0000`,
      `${token}.`,
      token.replace('.', '=.'),
      token.replaceAll('-', '+').replaceAll('_', '/'),
    ];
    const parts = token.split('.');
    for (const [index, part] of parts.entries()) {
      for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
        texts.push(parts.with(index, part.slice(0, -1) + character).join('.'));
      }
    }
    for (const text of texts.filter((candidate) => candidate !== token)) {
      expect(await refusal(text)).toMatch(/^(token_malformed|signature_invalid|header_invalid)$/);
    }
  });
});

test('attack 15: exp, iat and nbf that are no whole numbers of seconds', async () => {
  const values = [
    '1e400',
    '-1',
    '-0',
    '0.5',
    `${NOW_SECONDS + 100}.5`,
    `${NOW_SECONDS + 100}.0`,
    '9007199254740992',
    '1e10',
    `"${NOW_SECONDS + 100}"`,
    '"never"',
    'null',
    'true',
    '[]',
    `[${NOW_SECONDS + 100}]`,
    '{}',
  ];
  for (const claim of ['exp', 'iat', 'nbf']) {
    for (const value of values) {
      const text = JSON.stringify(claimsOf({ [claim]: 'PLACE' })).replace('"PLACE"', value);
      const token = signTexts(key, canonicalHeader, text);
      expect(await refusal(token)).toBe('claims_malformed');
      expect(await statusOf(token)).toBe(401);
    }
  }
  expect(await refusal(signToken(key, { iat: NOW_SECONDS + 3600, exp: NOW_SECONDS + 7200 }))).toBe(
    'token_not_yet_valid',
  );
  expect(await refusal(signToken(key, { exp: 0 }))).toBe('token_expired');
  expect(await refusal(signToken(key, { exp: undefined }))).toBe('claims_malformed');
});

test('attack 16: a huge token is refused by its length alone', async () => {
  const decode = jest.spyOn(JSON, 'parse');
  for (const length of [8193, 100_000, 10_000_000]) {
    expect(await refusal('A'.repeat(length))).toBe('token_too_large');
    expect(await refusal(`${'A.'.repeat(length / 2)}A`)).toBe('token_too_large');
  }
  expect(decode).not.toHaveBeenCalled();
  const [header, , signature] = signToken(key).split('.') as [string, string, string];
  const room = 8192 - header.length - signature.length - 2;
  const bytes = Math.floor(room / 4) * 3 - JSON.stringify(claimsOf({ note: '' })).length;
  expect(await refusal(signToken(key, { note: 'x'.repeat(bytes) }))).toBe('accepted');
  expect(await refusal(signToken(key, { note: 'x'.repeat(bytes + 6) }))).toBe('token_too_large');
  expect(await statusOf(signToken(key, { note: 'x'.repeat(bytes + 6) }))).toBe(401);
});

describe('attack 17: a storm of unknown kids', () => {
  async function storm(listener: Listener, expected: string): Promise<void> {
    const clock = new FakeClock();
    const own = createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwksUri: listener.url, clock });
    const good = signToken(key);
    const first = await outcomeOf(own.verify(good, { ip }));
    const [, payload, signature] = good.split('.');
    const outcomes = new Map<string, number>();
    for (let batch = 0; batch < 100; batch += 1) {
      const kids = Array.from({ length: 100 }, (_, index) =>
        base64url(canonicalHeader.replace(key.kid, `storm-${batch}-${index}`)),
      );
      const results = await Promise.all([
        ...kids.map((header) => outcomeOf(own.verify(`${header}.${payload}.${signature}`, { ip }))),
        outcomeOf(own.verify(good, { ip })),
      ]);
      expect(results.pop()).toBe(first);
      for (const result of results) outcomes.set(result, (outcomes.get(result) ?? 0) + 1);
      clock.advanceSeconds(0.1);
    }
    expect(Object.fromEntries(outcomes)).toEqual({ [expected]: 10_000 });
    expect(listener.count()).toBe(1);
    // The cool-down counts from the one request: ten of the thirty seconds are over.
    clock.advanceSeconds(19.9);
    await outcomeOf(own.verify(signToken(key, {}, { kid: 'late' }), { ip }));
    expect(listener.count()).toBe(1);
    clock.advanceSeconds(0.2);
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        outcomeOf(own.verify(signToken(key, {}, { kid: `later-${index}` }), { ip })),
      ),
    );
    expect(listener.count()).toBe(2);
    expect(await outcomeOf(own.verify(good, { ip }))).toBe(first);
  }

  test('costs the issuer one request in 30 s and good traffic nothing', async () => {
    await storm(await jwksServer((_req, res) => res.end(JSON.stringify({ keys: [key.jwk] }))), 'key_unknown');
  });

  test('so too when the issuer never answered well', async () => {
    await storm(await jwksServer((_req, res) => res.writeHead(503).end()), 'keys_unavailable');
  });

  test('so too when the issuer goes down later: good traffic goes on', async () => {
    let isUp = true;
    const listener = await jwksServer((req, res) => {
      if (isUp) res.end(JSON.stringify({ keys: [key.jwk] }));
      else req.socket.destroy();
    });
    const clock = new FakeClock();
    const own = createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwksUri: listener.url, clock });
    expect(await outcomeOf(own.verify(signToken(key), { ip }))).toBe('accepted');
    isUp = false;
    for (let second = 0; second < 300; second += 1) {
      clock.advanceSeconds(1);
      expect(await outcomeOf(own.verify(signToken(key, {}, { kid: `storm-${second}` }), { ip }))).toBe('key_unknown');
      expect(await outcomeOf(own.verify(signToken(key), { ip }))).toBe('accepted');
    }
    expect(listener.count()).toBeLessThanOrEqual(1 + 300 / 30);
  });
});

test('attack 24: a token in the query or body is refused, alone or beside a header, and never printed', async () => {
  const token = signToken(key);
  const printed: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  }
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    jest.spyOn(console, method).mockImplementation((...text) => void printed.push(text.join(' ')));
  }
  const app = express()
    .use(express.urlencoded({ extended: true }), express.json(), authenticate(verifier))
    .all('/', (_req, res) => void res.end('in'));
  const queries = [
    `access_token=${token}`,
    `x=1&access_token=${token}`,
    `access%5Ftoken=${token}`,
    `access_token[]=${token}`,
    `access_token[a]=${token}`,
    'access_token=',
    'access_token',
  ];
  for (const query of queries) {
    for (const headers of [{}, { Authorization: `Bearer ${token}` }]) {
      const answer = await request(app).get(`/?${query}`).set(headers);
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
      expect(JSON.stringify([answer.headers, answer.text])).not.toContain(token);
    }
  }
  for (const type of ['form', 'json']) {
    expect((await request(app).post('/').type(type).send({ access_token: token })).status).toBe(400);
    expect(
      (await request(app).post('/').type(type).send({ access_token: token }).auth(token, { type: 'bearer' })).status,
    ).toBe(400);
  }
  expect(printed.join('\n')).not.toContain(token.split('.')[2]);
  expect((await request(app).get('/?token=x&my_access_token=y').auth(token, { type: 'bearer' })).status).toBe(200);
});

describe('the memory of accepted tokens', () => {
  const forgeriesOf = (token: string): string[] => {
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const wider = base64url(JSON.stringify(claimsOf({ scope: '*:*' })));
    return [
      `${header}.${wider}.${signature}`,
      `${base64url(canonicalHeader.replace('ES256', 'none'))}.${payload}.${signature}`,
      `${header}.${payload}.${'A'.repeat(signature.length - 12)}${signature.slice(-12)}`,
      `${'A'.repeat(token.length - 12)}${token.slice(-12)}`,
      `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
      token.toUpperCase(),
    ];
  };

  test('lets nothing in that borrows the signature of a token it knows', async () => {
    const token = signToken(key, { jti: 'known' });
    for (const forged of forgeriesOf(token)) {
      for (const [text, status] of [
        [token, 200],
        [forged, 401],
        [token, 200],
        [forged, 401],
      ] as const) {
        expect(await statusOf(text)).toBe(status);
      }
    }
  });

  test('is lost with the key that signed, within one renewal', async () => {
    const clock = new FakeClock();
    let keys = [key.jwk, createKey('EdDSA').jwk];
    const listener = await jwksServer((_req, res) => res.end(JSON.stringify({ keys })));
    const own = createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwksUri: listener.url, clock });
    const tokens = Array.from({ length: 20 }, (_, index) => signToken(key, { jti: `token-${index}` }));
    for (const token of [...tokens, ...tokens]) expect(await outcomeOf(own.verify(token, { ip }))).toBe('accepted');
    keys = keys.slice(1);
    clock.advanceSeconds(601);
    // Starts the renewal; the second waits for it.
    await outcomeOf(own.verify(tokens[0], { ip }));
    await outcomeOf(own.verify(signToken(key, {}, { kid: 'other' }), { ip }));
    for (const token of tokens) expect(await outcomeOf(own.verify(token, { ip }))).toBe('key_unknown');
  });

  test('is not filled by forgeries: what it held before a million of their characters, it holds after', async () => {
    const own = verifierOf({ rememberedTokens: 4 });
    const token = signToken(key);
    const accepted = await own.verify(token, { ip });
    const forger = createKey('ES256', key.kid);
    for (let index = 0; index < 100; index += 1) {
      const forged = signToken(forger, { jti: `forged-${index}`, note: 'x'.repeat(5000) });
      expect(await outcomeOf(own.verify(forged, { ip }))).toBe('signature_invalid');
    }
    expect(await own.verify(token, { ip })).toBe(accepted);
  });
});

test('the forged keys are no different from honest ones', async () => {
  const token = await new SignJWT(claimsOf())
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
    .sign(key.privateKey);
  expect(createPublicKey(key.privateKey).equals(key.publicKey)).toBe(true);
  expect(await refusal(token)).toBe('accepted');
});
