import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createVerifier, type Jwks, VERIFICATION_ERROR_CODES, type VerifierOptions } from '@keyturn/lib';
import {
  AUDIENCE,
  createKey,
  FakeClock,
  type ForgeKey,
  ISSUER,
  type Listener,
  listen,
  outcomeOf,
  signToken,
} from './forge.ts';

const key = createKey();
const ip = '203.0.113.7';
const listeners: Listener[] = [];

afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});

async function jwksServer(answer: RequestListener): Promise<Listener> {
  const listener = await listen(answer);
  listeners.push(listener);
  return listener;
}

const serve =
  (...keys: readonly object[]): RequestListener =>
  (_req, res) =>
    res.end(JSON.stringify({ keys }));

function verifierOf(changes: Partial<VerifierOptions>) {
  return createVerifier({ issuer: ISSUER, audience: AUDIENCE, clock: new FakeClock(), ...changes });
}

describe('keys of a JWKS', () => {
  const weak = createKey('RS256', 'weak', 1024);
  const other = createKey('EdDSA', 'other');
  test.each<[string, ForgeKey, object]>([
    ['for encryption', key, { use: 'enc' }],
    ['of an odd use', key, { use: ['sig'] }],
    ['with operations other than verify', key, { key_ops: ['sign'] }],
    ['without alg: two algorithms would fit', key, { alg: undefined }],
    ['with an alg that is not its shape', key, { alg: 'EdDSA' }],
    ['with HS256', key, { alg: 'HS256', kty: 'oct', k: 'c2VjcmV0' }],
    ['with private parts', key, key.privateKey.export({ format: 'jwk' })],
    ['of another curve', key, { crv: 'P-384' }],
    ['off the curve', key, { x: key.jwk['y'], y: key.jwk['x'] }],
    ['without kid', key, { kid: undefined }],
    ['with an empty kid', key, { kid: '' }],
    ['RSA below 2048 bits', weak, {}],
  ])('%s are ignored', async (_title, base, changes) => {
    const jwk = JSON.parse(JSON.stringify({ ...base.jwk, ...changes })) as object;
    expect(() => verifierOf({ jwks: { keys: [jwk] } })).toThrow(TypeError);
    const verifier = verifierOf({ jwks: { keys: [7, null, 'x', jwk, other.jwk] as never } });
    expect(await outcomeOf(verifier.verify(signToken(base), { ip }))).toBe('key_unknown');
    expect(await outcomeOf(verifier.verify(signToken(other), { ip }))).toBe('accepted');
  });

  test('without use, or with the operation verify, are taken', async () => {
    for (const changes of [{ use: undefined }, { key_ops: ['verify'] }]) {
      const verifier = verifierOf({ jwks: { keys: [{ ...key.jwk, ...changes }] } });
      expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('accepted');
    }
  });

  test('with one kid: the first stands', async () => {
    const twin = createKey('ES256', key.kid);
    const verifier = verifierOf({ jwks: { keys: [key.jwk, twin.jwk] } });
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('accepted');
    expect(await outcomeOf(verifier.verify(signToken(twin), { ip }))).toBe('signature_invalid');
  });
});

describe('keys from a function', () => {
  test('are read again when it returns another object, and remembered headers are forgotten', async () => {
    const successor = createKey('ES256', key.kid);
    let jwks: Jwks = { keys: [key.jwk] };
    const verifier = verifierOf({ jwks: () => jwks });
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('accepted');
    jwks = { keys: [successor.jwk] };
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('signature_invalid');
    expect(await outcomeOf(verifier.verify(signToken(successor), { ip }))).toBe('accepted');
    jwks = { keys: [createKey('ES256', 'third').jwk] };
    expect(await outcomeOf(verifier.verify(signToken(successor), { ip }))).toBe('key_unknown');
  });

  test('that has none yet: keys_unavailable, then accepted', async () => {
    let jwks: Jwks = { keys: [] };
    const verifier = verifierOf({ jwks: () => jwks });
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('keys_unavailable');
    jwks = { keys: [key.jwk] };
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('accepted');
  });

  test('that throws: keys_unavailable with the cause', async () => {
    const cause = new Error('boom');
    const verifier = verifierOf({
      jwks: () => {
        throw cause;
      },
    });
    await expect(verifier.verify(signToken(key), { ip })).rejects.toMatchObject({ code: 'keys_unavailable', cause });
  });
});

describe('keys from an address', () => {
  test('default: below the issuer, fetched once for many at a time', async () => {
    const paths: (string | undefined)[] = [];
    const server = await jwksServer((req, res) => {
      paths.push(req.url);
      serve(key.jwk)(req, res);
    });
    const verifier = createVerifier({ issuer: `${server.url}/t`, audience: AUDIENCE, clock: new FakeClock() });
    const token = signToken(key, { iss: `${server.url}/t` });
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcomeOf(verifier.verify(token, { ip }))));
    expect(new Set(outcomes)).toEqual(new Set(['accepted']));
    expect(paths).toEqual(['/t/.well-known/jwks.json']);
  });

  test('are renewed in the background after their age; the old ones serve until then and while it fails', async () => {
    const clock = new FakeClock();
    let answer: RequestListener = serve(key.jwk);
    const server = await jwksServer((req, res) => answer(req, res));
    const verifier = verifierOf({ jwksUri: server.url, clock });
    const token = signToken(key, { exp: 9_000_000_000 });
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('accepted');

    clock.advanceSeconds(599);
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('accepted');
    expect(server.count()).toBe(1);

    answer = (_req, res) => res.writeHead(500).end();
    for (let attempt = 2; attempt < 5; attempt += 1) {
      clock.advanceSeconds(86_400);
      expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('accepted');
      // An unknown kid waits for the request in flight: a way to know that it has ended.
      expect(await outcomeOf(verifier.verify(signToken({ ...key, kid: 'x' }), { ip }))).toBe('key_unknown');
      expect(server.count()).toBe(attempt);
    }

    answer = serve(createKey('ES256', 'successor').jwk);
    clock.advanceSeconds(30);
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('accepted');
    expect(await outcomeOf(verifier.verify(signToken({ ...key, kid: 'x' }), { ip }))).toBe('key_unknown');
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('key_unknown');
  });

  test('a new kid is fetched at once when the cool-down is over', async () => {
    const clock = new FakeClock();
    const successor = createKey('ES256', 'successor');
    const keys = [key.jwk];
    const server = await jwksServer((req, res) => serve(...keys)(req, res));
    const verifier = verifierOf({ jwksUri: server.url, clock });
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('accepted');
    keys.push(successor.jwk);
    expect(await outcomeOf(verifier.verify(signToken(successor), { ip }))).toBe('key_unknown');
    expect(server.count()).toBe(1);
    clock.advanceSeconds(30);
    expect(await outcomeOf(verifier.verify(signToken(successor), { ip }))).toBe('accepted');
    expect(server.count()).toBe(2);
  });

  test('a slow request is not joined by a second one, however long it takes', async () => {
    const clock = new FakeClock();
    let tellArrival = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      tellArrival = resolve;
    });
    const held: (() => void)[] = [];
    const server = await jwksServer((req, res) => {
      held.push(() => serve(key.jwk)(req, res));
      tellArrival();
    });
    const verifier = verifierOf({ jwksUri: server.url, clock });
    const first = outcomeOf(verifier.verify(signToken(key), { ip }));
    await arrived;
    clock.advanceSeconds(60);
    const second = outcomeOf(verifier.verify(signToken(key), { ip }));
    for (const answer of held) answer();
    expect(await Promise.all([first, second])).toEqual(['accepted', 'accepted']);
    expect(server.count()).toBe(1);
  });

  test('a clock set back does not hold requests off', async () => {
    const clock = new FakeClock();
    const server = await jwksServer(serve(key.jwk));
    const verifier = verifierOf({ jwksUri: server.url, clock });
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('accepted');
    clock.advanceSeconds(-3600);
    expect(await outcomeOf(verifier.verify(signToken({ ...key, kid: 'x' }), { ip }))).toBe('key_unknown');
    expect(server.count()).toBe(2);
  });

  test.each<[string, RequestListener]>([
    ['an error', (_req, res) => res.writeHead(500).end()],
    ['an error with keys in it', (_req, res) => res.writeHead(500).end(JSON.stringify({ keys: [key.jwk] }))],
    ['a page', (_req, res) => res.end('<html>')],
    ['an object without keys', (_req, res) => res.end('{}')],
    ['keys that are no list', (_req, res) => res.end('{"keys":{}}')],
    ['null', (_req, res) => res.end('null')],
    ['no usable key', serve({ ...key.jwk, use: 'enc' })],
    ['more than 64 KiB', (_req, res) => res.end(JSON.stringify({ keys: [key.jwk], pad: 'x'.repeat(64 * 1024) }))],
    ['nothing and a closed connection', (req) => req.socket.destroy()],
    [
      'half a body',
      (req, res) => {
        res.writeHead(200, { 'content-length': '100' }).write('{');
        setImmediate(() => req.socket.destroy());
      },
    ],
  ])('that answers %s: keys_unavailable, at once within the cool-down', async (_title, answer) => {
    const server = await jwksServer(answer);
    const verifier = verifierOf({ jwksUri: server.url });
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('keys_unavailable');
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('keys_unavailable');
    expect(server.count()).toBe(1);
  });

  test('an endless answer is cut off', async () => {
    const server = await jwksServer((_req, res) => {
      const pour = (): void => {
        while (!res.destroyed && res.write('x'.repeat(16_384)));
      };
      res.on('drain', pour);
      pour();
    });
    expect(await outcomeOf(verifierOf({ jwksUri: server.url }).verify(signToken(key), { ip }))).toBe(
      'keys_unavailable',
    );
  });

  test('a redirect is not followed', async () => {
    const target = await jwksServer(serve(key.jwk));
    const server = await jwksServer((_req, res) => res.writeHead(302, { location: target.url }).end());
    expect(await outcomeOf(verifierOf({ jwksUri: server.url }).verify(signToken(key), { ip }))).toBe(
      'keys_unavailable',
    );
    expect(target.count()).toBe(0);
  });

  test.each<[string, RequestListener]>([
    ['hangs before', () => undefined],
    [
      'hangs in',
      (_req, res) => {
        res.writeHead(200).write('{');
      },
    ],
  ])('an answer that %s its body times out', async (_title, answer) => {
    const server = await jwksServer(answer);
    const verifier = verifierOf({ jwksUri: server.url, fetchTimeoutMs: 100 });
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('keys_unavailable');
  });

  test('a malformed token asks nobody', async () => {
    const server = await jwksServer(serve(key.jwk));
    const verifier = verifierOf({ jwksUri: server.url });
    for (const token of ['x', signToken(key, {}, { alg: 'none' }), signToken(key, {}, { kid: 7 })])
      await outcomeOf(verifier.verify(token, { ip }));
    expect(server.count()).toBe(0);
  });

  test('fetch may be given', async () => {
    const fetch = async () => new Response(JSON.stringify({ keys: [key.jwk] }));
    expect(await outcomeOf(verifierOf({ fetch }).verify(signToken(key), { ip }))).toBe('accepted');
  });
});

test('the README lists every error code, and no other', () => {
  const readme = readFileSync(new URL('../../../lib/README.md', import.meta.url), 'utf8');
  const table = readme.split('## Error codes')[1] ?? '';
  const codes = [...table.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1]);
  expect(codes).toEqual([...VERIFICATION_ERROR_CODES]);
});
