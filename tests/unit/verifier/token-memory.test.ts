import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type AccessToken, createVerifier, type Jwks, type Verifier, type VerifierOptions } from '@keyturn/lib';
import {
  AUDIENCE,
  createKey,
  FakeClock,
  ISSUER,
  listen,
  type Members,
  NOW_SECONDS,
  outcomeOf,
  signToken,
} from './forge.ts';

const key = createKey();
const ip = '203.0.113.7';
const parse = jest.spyOn(JSON, 'parse');

beforeEach(() => void parse.mockClear());
afterAll(() => parse.mockRestore());

function verifierOf(changes: Partial<VerifierOptions> = {}): Verifier {
  return createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: { keys: [key.jwk] },
    clock: new FakeClock(),
    ...changes,
  });
}

/** Whether the verifier accepts the token without reading it: whoever decodes a payload has to parse it. */
async function isRemembered(verifier: Verifier, token: string): Promise<boolean> {
  parse.mockClear();
  expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('accepted');
  return parse.mock.calls.length === 0;
}

async function rememberedOf(verifier: Verifier, tokens: readonly string[]): Promise<string[]> {
  const remembered: string[] = [];
  // Backwards, because those that are not remembered are, once they were asked for.
  for (const token of tokens.toReversed()) if (await isRemembered(verifier, token)) remembered.unshift(token);
  return remembered;
}

const manyTokens = (count: number, claims: (index: number) => Members = () => ({})): string[] =>
  Array.from({ length: count }, (_, index) => signToken(key, { jti: `token-${index}`, ...claims(index) }));

describe('a token that was accepted', () => {
  test('is not read again, and gives the same object', async () => {
    const verifier = verifierOf();
    const token = signToken(key);
    const first = await verifier.verify(token, { ip });
    expect(await isRemembered(verifier, token)).toBe(true);
    expect(await verifier.verify(token, { ip })).toBe(first);
    expect(first.can('read:credential/prod-db')).toBe(true);
  });

  test('is known by its text, in whatever string that comes', async () => {
    const verifier = verifierOf();
    const token = signToken(key);
    await verifier.verify(token, { ip });
    expect(await isRemembered(verifier, Buffer.from(`Bearer ${token}`).toString('latin1').slice(7))).toBe(true);
    expect(await isRemembered(verifier, [...token].join(''))).toBe(true);
  });

  test('gives an object that can be shared: nothing in it can be changed', async () => {
    const accessToken = await verifierOf().verify(
      signToken(key, { aud: [AUDIENCE, 'x'], ip_allowlist: [ip], act: { sub: 'a', list: [{ deep: [1] }] } }),
      { ip },
    );
    const open: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) open.push(path);
      for (const name of Reflect.ownKeys(value)) visit(Reflect.get(value, name), `${path}.${String(name)}`);
    };
    visit(accessToken, 'token');
    expect(open).toEqual([]);
    const filter = accessToken.narrow('read:credential');
    (filter.patterns as string[]).push('*');
    expect(accessToken.narrow('read:credential').includes('staging-db')).toBe(false);
    expect(accessToken.can('read:credential/staging-db')).toBe(false);
  });

  test('of a thousand at a time is accepted by each', async () => {
    const listener = await listen((_req, res) => res.end(JSON.stringify({ keys: [key.jwk] })));
    try {
      const verifier = verifierOf({ jwks: undefined, jwksUri: listener.url } as never);
      const tokens = manyTokens(10);
      const verifications = Array.from({ length: 1000 }, (_, index) =>
        verifier.verify(tokens[index % 10], { ip }).then(({ tokenId }) => tokenId),
      );
      expect(await Promise.all(verifications)).toEqual(verifications.map((_, index) => `token-${index % 10}`));
      expect(await rememberedOf(verifier, tokens)).toEqual(tokens);
      expect(listener.count()).toBe(1);
    } finally {
      await listener.close();
    }
  });

  test('is read each time when the memory is switched off', async () => {
    const verifier = verifierOf({ rememberedTokens: null });
    const token = signToken(key);
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('accepted');
    expect(await isRemembered(verifier, token)).toBe(false);
  });
});

describe('a remembered token is still refused', () => {
  test('from another address, and allowed again from its own', async () => {
    const verifier = verifierOf();
    const token = signToken(key, { ip_allowlist: ['203.0.113.0/24', '2001:db8::/32'] });
    const from = (address: string | null | undefined) => outcomeOf(verifier.verify(token, { ip: address }));
    for (let round = 0; round < 3; round += 1) {
      expect(await from(ip)).toBe('accepted');
      for (const other of ['203.0.114.7', '203.0.113.07', `${ip} `, '', null, '::1']) {
        expect(await from(other)).toBe('ip_not_allowed');
      }
      expect(await from(undefined)).toBe('ip_required');
      expect(await from('203.0.113.8')).toBe('accepted');
      expect(await from('2001:db8::7')).toBe('accepted');
    }
  });

  test('when it has expired: by memory never past exp, and by a fresh check within the tolerance', async () => {
    const clock = new FakeClock();
    const verifier = verifierOf({ clock, clockToleranceSeconds: 5 });
    const token = signToken(key, { exp: NOW_SECONDS + 100 });
    await verifier.verify(token, { ip });
    clock.advanceSeconds(99.999);
    expect(await isRemembered(verifier, token)).toBe(true);
    clock.advanceSeconds(0.001);
    expect(await isRemembered(verifier, token)).toBe(false);
    expect(await isRemembered(verifier, token)).toBe(false);
    clock.advanceSeconds(4.999);
    expect(await isRemembered(verifier, token)).toBe(false);
    clock.advanceSeconds(0.001);
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('token_expired');
  });

  test('when the clock goes back before its time', async () => {
    const clock = new FakeClock();
    const verifier = verifierOf({ clock });
    const token = signToken(key, { nbf: NOW_SECONDS });
    await verifier.verify(token, { ip });
    clock.advanceSeconds(-6);
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('token_not_yet_valid');
    clock.advanceSeconds(6);
    expect(await isRemembered(verifier, token)).toBe(true);
  });

  test('by a verifier with other rules, though it has the same keys', async () => {
    const jwks = { keys: [key.jwk] };
    const token = signToken(key);
    expect(await outcomeOf(verifierOf({ jwks }).verify(token, { ip }))).toBe('accepted');
    expect(await outcomeOf(verifierOf({ jwks, audience: 'other' }).verify(token, { ip }))).toBe('audience_mismatch');
    expect(await outcomeOf(verifierOf({ jwks, issuer: `${ISSUER}/x` }).verify(token, { ip }))).toBe('issuer_mismatch');
    expect(await outcomeOf(verifierOf({ jwks, algorithms: ['EdDSA'] }).verify(token, { ip }))).toBe(
      'algorithm_not_allowed',
    );
  });
});

describe('what was refused is not remembered', () => {
  test.each<[string, Members, string]>([
    ['expired', { exp: NOW_SECONDS - 10 }, 'token_expired'],
    ['early', { iat: NOW_SECONDS + 10 }, 'token_not_yet_valid'],
    ['for another service', { aud: 'other' }, 'audience_mismatch'],
    ['of another issuer', { iss: 'https://other.example' }, 'issuer_mismatch'],
    ['bound to a key', { cnf: { jkt: 'x' } }, 'sender_constraint_unsupported'],
    ['from the wrong place', { ip_allowlist: ['198.51.100.1'] }, 'ip_not_allowed'],
    ['with a malformed claim', { sub: 7 }, 'claims_malformed'],
  ])('%s', async (_title, claims, outcome) => {
    const verifier = verifierOf();
    const token = signToken(key, claims);
    for (let time = 0; time < 3; time += 1) {
      parse.mockClear();
      expect(await outcomeOf(verifier.verify(token, { ip }))).toBe(outcome);
      expect(parse).toHaveBeenCalled();
    }
  });
});

describe('keys', () => {
  const other = createKey('EdDSA', 'other');
  const twin = createKey('ES256', key.kid);
  const copy = (jwks: Jwks): Jwks => JSON.parse(JSON.stringify(jwks)) as Jwks;

  async function afterReload(before: Jwks, after: Jwks): Promise<{ outcome: string; isRead: boolean }> {
    let jwks = before;
    const verifier = verifierOf({ jwks: () => jwks });
    const token = signToken(key);
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('accepted');
    jwks = after;
    parse.mockClear();
    const outcome = await outcomeOf(verifier.verify(token, { ip }));
    return { outcome, isRead: parse.mock.calls.length > 0 };
  }

  test.each<[string, Jwks, Jwks]>([
    ['copied', { keys: [key.jwk] }, copy({ keys: [key.jwk] })],
    ['in another order', { keys: [key.jwk, other.jwk] }, { keys: [other.jwk, key.jwk] }],
    ['with one that is of no use', { keys: [key.jwk] }, { keys: [key.jwk, { ...other.jwk, use: 'enc' }] }],
    ['with a twin that is ignored', { keys: [key.jwk] }, { keys: [key.jwk, twin.jwk] }],
  ])('the same, %s: tokens stay remembered', async (_title, before, after) => {
    expect(await afterReload(before, after)).toEqual({ outcome: 'accepted', isRead: false });
  });

  test.each<[string, Jwks, Jwks, string]>([
    ['one more', { keys: [key.jwk] }, { keys: [key.jwk, other.jwk] }, 'accepted'],
    ['one less', { keys: [key.jwk, other.jwk] }, { keys: [key.jwk] }, 'accepted'],
    ['without that of the token', { keys: [key.jwk, other.jwk] }, { keys: [other.jwk] }, 'key_unknown'],
    ['another for that of the token', { keys: [key.jwk] }, { keys: [other.jwk] }, 'key_unknown'],
    ['another under its kid', { keys: [key.jwk] }, { keys: [twin.jwk] }, 'signature_invalid'],
    ['another in front of it', { keys: [key.jwk] }, { keys: [twin.jwk, key.jwk] }, 'signature_invalid'],
  ])('%s: tokens are forgotten', async (_title, before, after, outcome) => {
    expect(await afterReload(before, after)).toEqual({ outcome, isRead: true });
  });

  test('that come back do not bring back what was forgotten', async () => {
    let jwks: Jwks = { keys: [key.jwk] };
    const verifier = verifierOf({ jwks: () => jwks });
    const token = signToken(key);
    await verifier.verify(token, { ip });
    jwks = { keys: [other.jwk] };
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('key_unknown');
    jwks = { keys: [key.jwk] };
    expect(await isRemembered(verifier, token)).toBe(false);
    expect(await isRemembered(verifier, token)).toBe(true);
  });

  test('from an address: a renewal with the same keep tokens, one without their key refuses them', async () => {
    const clock = new FakeClock();
    let keys = [key.jwk];
    const listener = await listen((_req, res) => res.end(JSON.stringify({ keys })));
    try {
      const verifier = verifierOf({ jwks: undefined, jwksUri: listener.url, clock } as never);
      const token = signToken(key);
      await verifier.verify(token, { ip });
      const renew = async (): Promise<void> => {
        clock.advanceSeconds(601);
        const before = listener.count();
        // The first starts the renewal, and an unknown kid waits until it has ended.
        await outcomeOf(verifier.verify(token, { ip }));
        await outcomeOf(verifier.verify(signToken({ ...key, kid: 'x' }), { ip }));
        expect(listener.count()).toBe(before + 1);
      };
      await renew();
      expect(await isRemembered(verifier, token)).toBe(true);
      keys = [other.jwk];
      await renew();
      expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('key_unknown');
    } finally {
      await listener.close();
    }
  });
});

describe('the memory', () => {
  test('holds no more tokens than it may', async () => {
    const verifier = verifierOf({ rememberedTokens: 8 });
    const tokens = manyTokens(40);
    for (const token of tokens) await verifier.verify(token, { ip });
    const remembered = await rememberedOf(verifier, tokens);
    expect(remembered.length).toBeLessThanOrEqual(8);
    expect(remembered.slice(-4)).toEqual(tokens.slice(-4));
  });

  test('holds no more bytes than it may: tokens with many permissions count for more', async () => {
    const wide = manyTokens(60, (index) => ({
      scope: Array.from({ length: 100 }, (_, place) => `read:credential/${index}-${place}`).join(' '),
    }));
    const verifier = verifierOf({ rememberedBytes: 1024 * 1024 });
    for (const token of wide) await verifier.verify(token, { ip });
    const remembered = await rememberedOf(verifier, wide);
    // A hundred compiled permissions take 30 KiB.
    expect(remembered.length).toBeLessThan(35);
    expect(remembered.length).toBeGreaterThan(5);
    const narrow = manyTokens(60);
    for (const token of narrow) await verifier.verify(token, { ip });
    expect(await rememberedOf(verifier, narrow)).toEqual(narrow);
  });

  test('keeps what is in use through a flood of tokens that come once', async () => {
    const verifier = verifierOf({ rememberedTokens: 20 });
    const used = signToken(key, { jti: 'used' });
    await verifier.verify(used, { ip });
    for (const [index, token] of manyTokens(200).entries()) {
      await verifier.verify(token, { ip });
      if (index % 5 === 0) expect(await isRemembered(verifier, used)).toBe(true);
    }
  });

  test('takes not more heap than it counts', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const verifier = verifierOf();
    const filler = 'x'.repeat(512 * 1024);
    const address = '2001:db8:1:2:3:4:5:6';
    const tokens = manyTokens(100, () => ({ ip_allowlist: [address, ip] }));
    // Cut out of half a megabyte of text each, as from a message or a long header.
    const cut = (text: string): string =>
      Buffer.from(filler + text)
        .toString('latin1')
        .slice(filler.length);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (const token of tokens) await verifier.verify(cut(token), { ip: cut(address) });
    collectGarbage();
    const grownBytes = process.memoryUsage().heapUsed - before;
    expect(await rememberedOf(verifier, tokens)).toHaveLength(100);
    expect(grownBytes).toBeLessThan(10 * 1024 * 1024);
  });

  test('can not be printed', async () => {
    const verifier = verifierOf();
    const token = signToken(key, { scope: 'read:secret-place' });
    await verifier.verify(token, { ip });
    const printed = inspect(verifier, { depth: 20, showHidden: true, getters: true }) + JSON.stringify(verifier);
    for (const part of [...token.split('.'), 'read:secret-place']) expect(printed).not.toContain(part);
  });
});

describe('a token that differs from a remembered one', () => {
  const token = signToken(key);
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const wider = signToken(key, { scope: '*:*' }).split('.')[1] as string;
  const later = signToken(key, { exp: NOW_SECONDS + 9999 }).split('.')[1] as string;
  const flipped = (text: string, at: number): string =>
    text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  const otherHeader = signToken(key, {}, { note: 'x' }).split('.')[0] as string;

  test.each<[string, string]>([
    ['more permissions under the same signature', `${header}.${wider}.${signature}`],
    ['a longer life under the same signature', `${header}.${later}.${signature}`],
    ['another header under the same signature', `${otherHeader}.${payload}.${signature}`],
    ['the last character of the signature', flipped(token, token.length - 1)],
    ['the first character of the signature', flipped(token, header.length + payload.length + 2)],
    ['the last character of the payload', flipped(token, header.length + payload.length)],
    ['the signature of another token', `${header}.${payload}.${signToken(key, { jti: 'x' }).split('.')[2]}`],
    ['no payload', `${header}..${signature}`],
    ['its end alone', token.slice(-12)],
    ['its signature alone', signature],
    ['a part twice', `${token}.${signature}`],
    ['itself twice', token + token],
    ['a blank in front', ` ${token}`],
    ['a blank behind', `${token} `],
    ['a line break behind', `${token}\n`],
    ['a null character behind', `${token}\u0000`],
    ['padding', `${token}==`],
    ['the scheme in front', `Bearer ${token}`],
    [
      'letters that share the low byte',
      [...token].map((character) => String.fromCharCode(character.charCodeAt(0) + 256)).join(''),
    ],
    ['ten megabytes that end like it', 'A'.repeat(10_000_000) + token],
  ])('by %s is refused, and nothing is remembered or forgotten by it', async (_title, forged) => {
    const verifier = verifierOf();
    await verifier.verify(token, { ip });
    for (let time = 0; time < 2; time += 1) {
      expect(await outcomeOf(verifier.verify(forged, { ip }))).toMatch(
        /^(token_malformed|token_too_large|header_invalid|signature_invalid)$/,
      );
      expect(await isRemembered(verifier, token)).toBe(true);
    }
  });

  test('by any one character', async () => {
    const verifier = verifierOf();
    await verifier.verify(token, { ip });
    for (let at = 0; at < token.length; at += 1) {
      expect(await outcomeOf(verifier.verify(flipped(token, at), { ip }))).not.toBe('accepted');
    }
    expect(await isRemembered(verifier, token)).toBe(true);
  });

  test('by kind: an object that says it is the token', async () => {
    const verifier = verifierOf();
    await verifier.verify(token, { ip });
    for (const odd of [
      Object(token),
      [token],
      { toString: () => token, length: token.length, slice: () => token.slice(-12) },
    ]) {
      expect(await outcomeOf(verifier.verify(odd, { ip }))).toBe('token_malformed');
    }
  });
});

test('two tokens of one key are never mixed up', async () => {
  const verifier = verifierOf();
  const tokens = manyTokens(50, (index) => ({ scope: `read:credential/${index}` }));
  for (let round = 0; round < 2; round += 1) {
    const accepted = await Promise.all(tokens.map((token): Promise<AccessToken> => verifier.verify(token, { ip })));
    for (const [index, accessToken] of accepted.entries()) {
      expect([accessToken.tokenId, accessToken.permissions]).toEqual([`token-${index}`, [`read:credential/${index}`]]);
    }
  }
});
